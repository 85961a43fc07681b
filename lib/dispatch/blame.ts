import { ActionError, LuciliusError } from '../errors.js'
import { type Call, describe } from './call.js'
import { logFailure } from './log-failure.js'

/**
 * Makes whatever a run threw the error that its caller gets.
 *
 * An `ActionError` is the only error that leaves a handler unchanged. A `LuciliusError` of an act made inside becomes
 * `LUC_ACTION_FAILED` like everything else: its "not handled" speaks of the inner act, and would make the outer one look
 * safe to send again. Errors that the framework itself found in this very call pass, and so do those of carrying.
 */
export function blame(thrown: unknown, call: Call): Error {
  if (thrown instanceof ActionError) return thrown
  // Nothing was found if it is undefined, which is also what a handler may throw.
  if (call.failure !== undefined && thrown === call.failure) return call.failure
  if ((call.atCaller || call.action.remote !== undefined) && thrown instanceof LuciliusError) return thrown
  const error = new LuciliusError('LUC_ACTION_FAILED', `The handler of ${describe(call.action)} failed.`, {
    cause: thrown,
    ...detailsOf(thrown),
  })
  logFailure(call, thrown, 'a handler failed')
  return error
}

/** The code of the inner failure that started it all; the rest of the cause stays in this process. */
function detailsOf(thrown: unknown): { details?: { cause: string } } {
  if (!(thrown instanceof LuciliusError)) return {}
  const { details } = thrown
  const deeper = typeof details === 'object' && details !== null ? (details as { cause?: unknown }).cause : undefined
  return { details: { cause: typeof deeper === 'string' ? deeper : thrown.code } }
}
