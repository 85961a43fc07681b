import { type LuciliusCode, LuciliusError } from '../../lib/transport-kit.js'

/** What the client library says in its own way. */
const CODES: { readonly [name: string]: readonly [LuciliusCode, string] } = {
  AuthorizationError: ['LUC_UNAUTHENTICATED', 'refuses who we are: look at user, token, nkey or creds'],
  UserAuthenticationExpiredError: ['LUC_UNAUTHENTICATED', 'says that the credentials have expired'],
  PermissionViolationError: ['LUC_FORBIDDEN', 'does not permit it: docs/nats.md has the permissions that are needed'],
}

/** Makes of what the client library or a socket threw an error of ours; `where` is an address without credentials. */
export function toTrouble(where: string, cause: unknown): LuciliusError {
  if (cause instanceof LuciliusError) return cause
  const { name = '', message = '', code } = (cause ?? {}) as Partial<Error> & { readonly code?: unknown }
  const known = CODES[name]
  // The server names the subject that it refused, a socket the address: neither repeats a password.
  if (known !== undefined) {
    const reason = name === 'PermissionViolationError' ? ` (${message})` : ''
    return new LuciliusError(known[0], `The NATS server ${where} ${known[1]}${reason}.`, { cause })
  }
  const reason = message === '' ? String(code ?? 'no reason given') : message
  return new LuciliusError('LUC_UNREACHABLE', `The NATS server ${where} cannot be reached: ${reason}.`, { cause })
}
