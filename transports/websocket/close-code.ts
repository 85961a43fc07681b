import { type LuciliusCode, LuciliusError } from '../../lib/transport-kit.js'

/** Why a connection is closed (RFC 6455 §7.4.1; from 4000 on they are ours). */
export const CloseCode = {
  goingAway: 1001,
  binary: 1003,
  protocol: 1008,
  tooLarge: 1009,
  announcement: 4400,
  unauthenticated: 4401,
  forbidden: 4403,
} as const

const MEANING: { readonly [code: number]: LuciliusCode } = {
  [CloseCode.announcement]: 'LUC_WIRE_INVALID',
  [CloseCode.unauthenticated]: 'LUC_UNAUTHENTICATED',
  [CloseCode.forbidden]: 'LUC_FORBIDDEN',
}

/** The error that a connection ended with before the other end had told what it is. */
export function closedEarly(code: number, reason: string): LuciliusError {
  const known = MEANING[code]
  if (known === undefined) {
    return new LuciliusError('LUC_UNREACHABLE', `The peer closed the connection (${code}) before it told what it is.`)
  }
  return new LuciliusError(known, reason === '' ? 'The peer closed the connection.' : reason)
}
