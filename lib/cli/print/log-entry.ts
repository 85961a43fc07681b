import type { createColors } from 'picocolors'
import { logLevels } from '../../logger.js'
import { harmlessText } from './harmless-text.js'

/** Properties that stand elsewhere in the line, or that the name in front says already. */
const shownElsewhere = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'process', 'err', 'v'])

const levelNames: ReadonlyMap<number, string> = new Map(
  Object.entries(logLevels).map(([name, number]) => [number, name]),
)

/** Colours, or none. */
export type Paint = ReturnType<typeof createColors>

/** A line as lucilius and pino write it. */
interface Entry {
  readonly level: number
  readonly time: number
  readonly [key: string]: unknown
}

/** Reads a line of a log; undefined for any other line. */
export function toEntry(line: string): Entry | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const value = JSON.parse(line) as Partial<Entry>
    return typeof value.level === 'number' && isTime(value.time) ? (value as Entry) : undefined
  } catch {
    return undefined // any other line that begins like one
  }
}

function isTime(time: unknown): boolean {
  return typeof time === 'number' && Math.abs(time) <= 8.64e15 // what a Date can be
}

/**
 * A log line as people read it, and the stack of an error below it. `name` is the app that is known to write it; another
 * one is shown.
 */
export function readable(entry: Entry, paint: Paint, name: string): string[] {
  const { level, time, msg, err } = entry
  const levelName = levelNames.get(level) ?? String(level)
  const isKnown = (key: string) => key === 'name' && entry.name === name
  const pairs = Object.entries(entry)
    .filter(([key]) => !shownElsewhere.has(key) && !isKnown(key))
    .map(([key, value]) => `${paint.dim(`${harmlessText(key)}=`)}${valueText(value)}`)
  const message = harmlessText(typeof msg === 'string' ? msg : '')
  const error = errorOf(err)
  if (error.message !== undefined && error.message !== msg)
    pairs.push(`${paint.dim('err=')}${valueText(error.message)}`)
  const head = [paint.dim(clock(time)), levelPaint(level, paint)(levelName.padEnd(5)), message, ...pairs]
  const stack = level >= logLevels.error ? error.stack.map((line) => `  ${paint.dim(harmlessText(line))}`) : []
  return [head.filter((part) => part !== '').join(' '), ...stack]
}

function errorOf(err: unknown): { readonly message: string | undefined; readonly stack: readonly string[] } {
  if (typeof err !== 'object' || err === null) return { message: undefined, stack: [] }
  const { message, stack } = err as { readonly message?: unknown; readonly stack?: unknown }
  return {
    message: typeof message === 'string' ? message : undefined,
    stack:
      typeof stack === 'string'
        ? stack
            .split('\n')
            .map((line) => line.trim())
            .slice(1)
        : [],
  }
}

/** A text without spaces as it is, everything else as JSON. */
function valueText(value: unknown): string {
  const isPlain = typeof value === 'string' && /^[^\s"={}]+$/.test(value)
  return harmlessText(isPlain ? value : JSON.stringify(value))
}

function levelPaint(level: number, paint: Paint): (text: string) => string {
  if (level >= logLevels.error) return paint.red
  if (level >= logLevels.warn) return paint.yellow
  return level >= logLevels.info ? (text) => text : paint.dim
}

/** The time of day here, in milliseconds. */
function clock(time: number): string {
  const date = new Date(time)
  const two = (part: number) => String(part).padStart(2, '0')
  const seconds = `${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`
  return `${two(date.getHours())}:${two(date.getMinutes())}:${seconds}`
}
