import { ActionError, isLuciliusCode, LuciliusError } from './errors.js'
import type { WireError } from './transport.js'

/** An error as it crosses: never its cause, nor its stack. */
export function toWireError(error: unknown): WireError {
  if (error instanceof ActionError)
    return withDetails({ code: error.code, message: error.message, handled: 'yes' }, error.details)
  if (error instanceof LuciliusError) {
    return withDetails({ code: error.code, message: error.message, handled: error.handled }, error.details)
  }
  return { code: 'LUC_ACTION_FAILED', message: 'The handler failed.', handled: 'yes' }
}

/** The error that a wire error stands for. A code that this version does not know keeps what it says of `handled`. */
export function fromWireError(error: WireError): ActionError | LuciliusError {
  const { code, message, handled, details } = error
  if (isLuciliusCode(code)) return new LuciliusError(code, message, withDetails({ handled }, details))
  if (code.startsWith('LUC_')) {
    return new LuciliusError(handled === 'yes' ? 'LUC_ACTION_FAILED' : 'LUC_REPLY_LOST', message, {
      handled,
      details: { cause: code },
    })
  }
  return new ActionError(code, message, details)
}

function withDetails<T extends object>(target: T, details: unknown): T & { details?: unknown } {
  return details === undefined ? target : { ...target, details }
}
