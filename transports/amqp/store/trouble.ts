import { type Handled, LuciliusError } from '../../../lib/transport-kit.js'
import { isMistake, toTrouble } from '../trouble.js'

/** `LUC_STORE_FAILED` for whatever went wrong with the broker. */
export function storeFailed(where: string, cause: unknown, handled: Handled = 'unknown'): LuciliusError {
  if (cause instanceof LuciliusError && cause.code === 'LUC_STORE_FAILED') return cause
  const reason = cause instanceof LuciliusError ? cause.message : toTrouble(where, cause).message
  return new LuciliusError('LUC_STORE_FAILED', `The store rabbitmq ${where} failed: ${reason}`, { cause, handled })
}

/**
 * Whether the broker refused what was asked, so that asking again is of no use: no loss of a channel or connection, and no
 * queue that is there but has not found its feet yet after a start of the broker (404 with another text).
 */
export function isRefused(error: unknown): boolean {
  if (error instanceof LuciliusError) return isMistake(error) || error.code === 'LUC_STORE_FAILED'
  const code = codeOf(error)
  return code === 404 ? isMissing(error) : code !== undefined && code >= 400 && code < 500
}

/** Whether a queue or exchange that was asked for is not there. */
export function isMissing(error: unknown): boolean {
  return codeOf(error) === 404 && / no (queue|exchange) /.test(String((error as Error).message))
}

/** Whether somebody else holds an exclusive queue. */
export function isLocked(error: unknown): boolean {
  return codeOf(error) === 405
}

function codeOf(error: unknown): number | undefined {
  const { code } = (error ?? {}) as { readonly code?: unknown }
  return typeof code === 'number' ? code : undefined
}
