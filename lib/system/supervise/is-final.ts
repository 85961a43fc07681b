import { LuciliusError } from '../../errors.js'

/** Causes that are followed. */
const DEEPEST = 8

/**
 * Whether starting a process again would fail in the same way: a wrong description, code that cannot be compiled, a module
 * that is not there.
 */
export function isFinal(error: unknown): boolean {
  if (error instanceof LuciliusError && error.code.endsWith('_INVALID')) return true
  let cause = error
  for (let depth = 0; cause instanceof Error && depth < DEEPEST; depth++) {
    if (isBrokenCode(cause) || (cause as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return true
    cause = cause.cause
  }
  return false
}

/** Data that is no JSON is a SyntaxError, too, and may be better next time. */
function isBrokenCode(error: Error): boolean {
  return error instanceof SyntaxError && !/\bat JSON\.parse\b/.test(error.stack ?? '')
}
