import { LuciliusError } from '../../../lib/transport-kit.js'

/** What went wrong with a request before or around its action, in words of this framework. */
export function toFailure(error: unknown): LuciliusError {
  if (error instanceof LuciliusError) return error
  const { code, statusCode } = (error ?? {}) as { readonly code?: unknown; readonly statusCode?: unknown }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new LuciliusError('LUC_TOO_LARGE', 'The body has too many bytes.')
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return unsupportedMedia()
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new LuciliusError('LUC_WIRE_INVALID', 'The request cannot be read.')
  }
  return new LuciliusError('LUC_ACTION_FAILED', 'The listener failed.', { handled: 'unknown' })
}

/** The error for a body that is not JSON as it is. */
export function unsupportedMedia(): LuciliusError {
  return new LuciliusError(
    'LUC_UNSUPPORTED_MEDIA',
    'A message is sent as content-type: application/json, without content-encoding.',
  )
}

/** The error for a path where nothing is, and for one that only peers may know. */
export function noSuchPath(): LuciliusError {
  return new LuciliusError('LUC_ACTION_NOT_FOUND', 'There is nothing at this path.')
}

/** The error for late work. */
export function closing(): LuciliusError {
  return new LuciliusError('LUC_SERVICE_CLOSED', 'This listener is closing and takes no new work.')
}
