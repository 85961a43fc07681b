import { LuciliusError } from '../../errors.js'

/** Causes that are followed. */
const DEEPEST = 8

/** Codes that say: whoever runs the system has to change something. A broker refuses who we are, and durable events a home. */
const MISTAKES: ReadonlySet<string> = new Set(['LUC_UNAUTHENTICATED', 'LUC_FORBIDDEN', 'LUC_STORE_REQUIRED'])

/**
 * Whether starting a process again would fail in the same way: a wrong description, code that cannot be compiled, a module
 * that is not there, a broker that does not let us in.
 */
export function isFinal(error: unknown): boolean {
  if (error instanceof LuciliusError && (error.code.endsWith('_INVALID') || MISTAKES.has(error.code))) return true
  return causesOf(error).some((cause) => isBrokenCode(cause) || codeOf(cause) === 'ERR_MODULE_NOT_FOUND')
}

/** Whether it is that a port is taken, or not to be had: only who follows another one there may hope for better. */
export function isTaken(error: unknown): boolean {
  return causesOf(error).some((cause) => codeOf(cause) === 'LUC_LISTEN_FAILED')
}

function causesOf(error: unknown): readonly Error[] {
  const causes: Error[] = []
  for (let cause = error; cause instanceof Error && causes.length < DEEPEST; cause = cause.cause) causes.push(cause)
  return causes
}

function codeOf(error: Error): string | undefined {
  return (error as NodeJS.ErrnoException).code
}

/** Data that is no JSON is a SyntaxError, too, and may be better next time. */
function isBrokenCode(error: Error): boolean {
  return error instanceof SyntaxError && !/\bat JSON\.parse\b/.test(error.stack ?? '')
}
