import type { PassedBatch } from '../../system/passing.js'
import { patternText } from '../print/actions.js'
import { harmlessText } from '../print/harmless-text.js'
import type { Paint } from '../print/log-entry.js'
import { milliseconds } from './milliseconds.js'

/**
 * What passed, a line each: when it ended, trace, process, duration, service (indented by hops), pattern, outcome. Names of
 * processes get `width` columns.
 */
export function traceLines({ process, passed, dropped }: PassedBatch, width: number, paint: Paint): string[] {
  const lines = passed.map(({ at, trace, service, pattern, hops, ms, error }) =>
    [
      paint.dim(`${clock(at)} ${harmlessText(trace)}`),
      paint.cyan(harmlessText(process).padEnd(width)),
      paint.dim(milliseconds(ms).padStart(7)),
      `${'  '.repeat(Math.max(0, Math.min(hops, 20) - 1))}${harmlessText(service)}`,
      harmlessText(patternText(pattern)),
      error === undefined ? paint.green('ok') : paint.red(harmlessText(error)),
    ].join(' '),
  )
  const more = `… ${dropped} more passed in ${harmlessText(process)}: too many to tell`
  return dropped === 0 ? lines : [...lines, paint.dim(more)]
}

function clock(at: number): string {
  const date = new Date(at)
  if (Number.isNaN(date.getTime())) return String(at)
  const two = (part: number) => String(part).padStart(2, '0')
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  return `${time}.${String(date.getMilliseconds()).padStart(3, '0')}`
}
