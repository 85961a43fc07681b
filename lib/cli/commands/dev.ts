import { realpathSync } from 'node:fs'
import { resolve } from 'node:path'
import { readEnvironment } from '../../system/environment.js'
import { findSystem } from '../../system/loading/find-system.js'
import { openRecording } from '../../system/recording.js'
import { onEndSignals } from '../../system/supervise/end-signals.js'
import type { Changes } from '../dev/changes.js'
import { Session } from '../dev/session.js'
import type { Watch } from '../dev/watch.js'
import { Words } from '../dev/words.js'
import { CommandError } from '../errors.js'
import { exitCodes } from '../exit-codes.js'
import type { Io } from '../io.js'

/** Options of `lucilius dev`. */
export interface DevOptions {
  /** The description, where it is not found by its name. */
  readonly config?: string
  /** The port of the first door to the outside. */
  readonly port?: number
  /** Run a deployment as processes of their own: its name, or true for the first. */
  readonly split?: string | true
  /** The file that takes down what services send. */
  readonly record?: string
}

/** Runs a system for development, until it is told to end: what changes is loaded again. */
export async function dev(_args: readonly string[], options: DevOptions, io: Io): Promise<number> {
  const { record, ...run } = options
  const cwd = realpathSync(io.cwd)
  const startedAt = Date.now()
  const { config, drainMs } = readEnvironment(io.env)
  const where = { cwd, config: options.config ?? config }
  // What no change of a file mends is refused at once.
  const { folder } = findSystem(cwd, where.config)
  const words = new Words(io, cwd)
  const recording =
    record === undefined
      ? undefined
      : await openRecording(resolve(cwd, record), { warn: (_, text = '') => words.say(text) })
  const session = new Session({
    assignment: { ...run, ...where, color: io.color, record: recording !== undefined },
    words,
    watch: (changes) => watchFrom(folder, startedAt, changes, words),
    drainMs,
    hasPerson: io.isTty || io.isErrorTty,
    sent: (sending) => recording?.take(sending),
  })
  const second = onSignals(session, words)
  const end = await Promise.race([session.run(), second]).finally(() => recording?.close())
  if (typeof end === 'number') return end
  if ('refused' in end) {
    const { message, frame } = end.refused
    throw new CommandError(end.usage ? 'usage' : 'failed', message, frame)
  }
  for (const what of end.hung) words.failed({ message: `when the time was over there still ran ${what}` })
  return end.hung.length === 0 ? exitCodes.done.code : exitCodes.failed.code
}

/** The first signal drains, a second ends at once. */
function onSignals(session: Session, words: Words): Promise<number> {
  return new Promise((resolve) => {
    const first = (why: string) => {
      words.say(`${why}: draining`)
      session.end()
    }
    onEndSignals(first, (signal) => {
      session.kill()
      resolve(signal === 'SIGINT' ? exitCodes.interrupted.code : exitCodes.terminated.code)
    })
    process.once('SIGHUP', () => first('SIGHUP'))
  })
}

/** The watcher is loaded while the system starts in its own process. */
async function watchFrom(folder: string, startedAt: number, changes: Changes, words: Words): Promise<Watch> {
  const { Watch } = await import('../dev/watch.js')
  return new Watch(folder, startedAt, {
    changed: (file) => changes.push(file),
    failed: (error) => words.failed({ message: `cannot watch everything: ${error.message}` }),
  })
}
