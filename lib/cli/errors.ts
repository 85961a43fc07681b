import { ActionError, LuciliusError } from '../errors.js'
import { type Exit, exitCodes } from './exit-codes.js'
import type { Io } from './io.js'
import { harmlessText, oneLine } from './print/harmless-text.js'
import { toJson } from './print/json.js'

/** What ends a command with a code of its own. */
export class CommandError extends Error {
  /** How the command ends. */
  readonly exit: Exit
  /** Lines of code around the mistake, shown to a person only. */
  readonly frame: string | undefined

  constructor(exit: Exit, message: string, frame?: string) {
    super(message)
    this.exit = exit
    this.frame = frame
  }

  static {
    Object.defineProperty(this.prototype, 'name', { value: 'CommandError' })
  }
}

/** Codes that say that what was typed, or what the description says, has to change. */
const USAGE: ReadonlySet<string> = new Set(['LUC_OPTIONS_INVALID', 'LUC_PATTERN_INVALID', 'LUC_STORE_REQUIRED'])

/**
 * Tells an error in one line on stderr, without a stack unless it is a bug of lucilius, and gives the exit code.
 * A code frame follows where a person reads.
 */
export async function tellError(error: unknown, io: Io): Promise<number> {
  if (error instanceof CommandError) return tell(error.message, error.frame, error.exit, io)
  if (error instanceof LuciliusError) return tellFailure(error, io)
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
  io.stderr.write(`lucilius: this should not have happened, please report it:\n${blockText(stack)}\n`)
  return exitCodes.failed.code
}

async function tellFailure(error: LuciliusError, io: Io): Promise<number> {
  const { code, cause, message } = error
  // Something else failed, and we only say where: a file that cannot be read, or one that is no JavaScript or throws.
  const isForeign = cause !== undefined && !(cause instanceof LuciliusError)
  const exit = USAGE.has(code) && !isForeign ? 'usage' : 'failed'
  if (cause === undefined) return tell(`${message} (${code})`, undefined, exit, io)
  // Loaded only now: what is told here is nearly always a module of the user's.
  const { describeLoadError } = await import('../system/loading/describe-load-error.js')
  const described = describeLoadError(error, io.cwd)
  return tell(`${described.message} (${code})`, described.frame, exit, io)
}

function tell(message: string, frame: string | undefined, exit: Exit, { stderr, isErrorTty }: Io): number {
  stderr.write(`lucilius: ${oneLine(message)}\n`)
  if (frame !== undefined && isErrorTty) stderr.write(`${blockText(frame)}\n`)
  return exitCodes[exit].code
}

/** Tells what an act was rejected with, in one line on stderr: `CODE: message {details}`. */
export async function tellReplyError(error: unknown, io: Io): Promise<number> {
  if (!(error instanceof ActionError || error instanceof LuciliusError)) return tellError(error, io)
  const details = error.details === undefined ? '' : ` ${toJson(error.details)}`
  const { why, frame } = await causeOf(error, io)
  io.stderr.write(`${oneLine(`${error.code}: ${error.message}${why}`)}${details}\n`)
  if (frame !== undefined && io.isErrorTty) io.stderr.write(`${blockText(frame)}\n`)
  return exitCodes.failed.code
}

/** What a handler threw and where, if it ran in this process: a cause crosses no connection. */
async function causeOf({ cause }: Error, { cwd }: Io): Promise<{ readonly why: string; readonly frame?: string }> {
  if (!(cause instanceof Error)) return { why: '' }
  const { describeLoadError } = await import('../system/loading/describe-load-error.js')
  const { message, frame } = describeLoadError(cause, cwd)
  return { why: ` ${message}`, ...(frame === undefined ? {} : { frame }) }
}

function blockText(text: string): string {
  return text.replaceAll('\t', '  ').split('\n').map(harmlessText).join('\n')
}
