import type { Call } from './call.js'

/** Logs what went wrong in a run. A logger that throws loses its line, never the error that it was told of. */
export function logFailure(call: Call, error: unknown, what: string): void {
  const { action, id } = call
  try {
    action.log.error({ err: error, id, pattern: action.pattern.text }, what)
  } catch {
    // There is nowhere left to say it.
  }
}
