import { type Handled, LuciliusError } from '../../lib/transport-kit.js'

/** `LUC_STORE_FAILED`, with what is to be done in the message. */
export function failed(message: string, handled: Handled = 'no', cause?: unknown): LuciliusError {
  return new LuciliusError('LUC_STORE_FAILED', message, { handled, cause })
}

/** What an error of LevelDB says: it wraps what happened. */
export function reasonOf(error: unknown): { readonly code: string; readonly text: string } {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const code: unknown = typeof inner === 'object' && inner !== null && 'code' in inner ? inner.code : undefined
  return { code: String(code), text: inner instanceof Error ? inner.message : String(inner) }
}
