import type { LuciliusCode } from '../../lib/transport-kit.js'

/** The HTTP status of each code that can answer a request: the only place that knows numbers (`docs/errors.md`). */
export const statusByCode: { readonly [C in LuciliusCode]?: number } = {
  LUC_MESSAGE_INVALID: 400,
  LUC_WIRE_INVALID: 400,
  LUC_UNAUTHENTICATED: 401,
  LUC_FORBIDDEN: 403,
  LUC_ACTION_NOT_FOUND: 404,
  LUC_METHOD_NOT_ALLOWED: 405,
  LUC_ROUTE_CHANGED: 409,
  LUC_TOO_LARGE: 413,
  LUC_UNSUPPORTED_MEDIA: 415,
  LUC_CANCELLED: 499,
  LUC_ACTION_FAILED: 500,
  LUC_REPLY_INVALID: 500,
  LUC_REPLY_LOST: 502,
  LUC_OVERLOADED: 503,
  LUC_SERVICE_CLOSED: 503,
  LUC_STORE_FAILED: 503,
  LUC_UNREACHABLE: 503,
  LUC_DEADLINE_EXCEEDED: 504,
  LUC_TOO_MANY_HOPS: 508,
}

/** Statuses that are asked for by name, most of which no code has by itself (RFC 9110 §15, RFC 6585 §5). */
export const status = {
  ok: 200,
  noContent: 204,
  notModified: 304,
  unauthorized: 401,
  notFound: 404,
  requestTimeout: 408,
  headersTooLarge: 431,
  unavailable: 503,
} as const

const unprocessable = 422
const internal = 500

/** The status of an error: an action's own code is 422, a code that has no status 500. */
export function statusOf(code: string): number {
  // A code that is not in the table gives undefined, whatever its text: the look-up is of own properties.
  if (Object.hasOwn(statusByCode, code)) return statusByCode[code as LuciliusCode] ?? internal
  return code.startsWith('LUC_') ? internal : unprocessable
}
