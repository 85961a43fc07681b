import { describeEnd, type End } from '../../system/supervise/end.js'
import { restartLimits } from '../../system/supervise/restarts.js'
import type { Hung, SupervisorEvents } from '../../system/supervise/supervision.js'
import type { Io } from '../io.js'
import { harmlessText, oneLine } from './harmless-text.js'
import type { LogLines } from './log-lines.js'

/** Tells, under the name of each process, what happens to it. */
export function tellingEvents(lines: LogLines): Omit<SupervisorEvents, 'gaveUp'> {
  return {
    line: (id, line) => lines.print(id, line),
    ready: (id, { pid, doors }) => {
      lines.say(id, ['ready', `pid ${pid}`, ...doors.map(({ transport, url }) => `${transport} at ${url}`)].join(', '))
    },
    leaving: (id) => lines.say(id, 'told to end: another process takes its place'),
    stayed: (id, error) => {
      lines.say(id, `stays: a new process ${oneLine(error.message)}`)
      for (const line of moreOf(error.end)) lines.say(id, line)
    },
    hung: (id, what) => lines.say(id, `the process that was replaced ${oneLine(what)}`),
    died: (id, end, waitMs) => lines.say(id, `${describeEnd(end)}; starts again in ${waitMs / 1000} s`),
  }
}

/** Tells of the process that was given up, and that this ends everything. */
export function tellDeath(id: string, end: End, io: Io): void {
  const { restarts, withinMs } = restartLimits
  const told = oneLine(describeEnd(end))
  const often = end.failure?.final === true ? '' : ` It died after ${restarts} restarts within ${withinMs / 1000} s.`
  const stop = /[?!]$/.test(told) ? '' : '.'
  io.stderr.write(`lucilius: ${id} ${told}${stop}${often} All processes are drained.\n`)
  for (const line of moreOf(end)) io.stderr.write(`  ${harmlessText(line)}\n`)
}

/** The lines of code around a mistake, or what the process wrote last. */
function moreOf({ failure, lastLines }: End): readonly string[] {
  const lines = failure?.frame?.split('\n') ?? lastLines
  return lines.map((line) => line.replaceAll('\t', '  '))
}

/** Tells of a process that did not end in time. */
export function tellHung({ id, what }: Hung, io: Io): void {
  io.stderr.write(`lucilius: ${id} ${oneLine(what)}\n`)
}
