import type { LuciliusError } from './errors.js'

/** Characters of a header field, none of which ends it. */
const FIELD = /^[\x20-\x7e]{1,4096}$/

/** What `WWW-Authenticate` says to whoever was refused with `LUC_UNAUTHENTICATED`: `details.challenge`, else `Bearer`. */
export function challengeOf({ details }: LuciliusError): string {
  const { challenge } = (details ?? {}) as { readonly challenge?: unknown }
  return typeof challenge === 'string' && FIELD.test(challenge) ? challenge : 'Bearer'
}
