import type { ListenOptions } from './app.js'
import type { Authenticate, AuthRequest } from './auth.js'
import { LuciliusError } from './errors.js'
import { checkKeys } from './option-checks.js'
import { type Exposure, toExposure } from './peers/exposure.js'
import { portableCopy } from './portable.js'
import type { Audience, Credentials, Transport } from './transport.js'

const LISTEN_KEYS = ['expose', 'events', 'audience', 'auth']

/** How a listener lets others in: who, to what, and on which proof. */
export interface Admission {
  readonly audience: Audience
  readonly exposure: Exposure
  readonly authenticate: Authenticate | undefined
}

/** Reads the options of `listen`. Throws what is wrong with them. */
export function toAdmission(transport: Transport, given: ListenOptions): Admission {
  const { expose, events, audience, auth } = checkKeys<Partial<ListenOptions>>('listen', given ?? {}, LISTEN_KEYS)
  if (expose === undefined) throw exposeRequired()
  const admission: Admission = {
    audience: toAudience(audience ?? transport.audience ?? 'clients'),
    exposure: toExposure('listen', expose, events ?? {}),
    authenticate: auth === undefined ? undefined : toAuthenticate(auth),
  }
  if (admission.audience === 'peers' && admission.authenticate === undefined && transport.local !== true) {
    throw new LuciliusError(
      'LUC_OPTIONS_INVALID',
      "listen: a listener for peers that is not on loopback needs 'auth': give the same sharedSecret('…') here and to connect.",
    )
  }
  return admission
}

/**
 * What a request proves, by the author's `authenticate`. Throws `LUC_UNAUTHENTICATED`, or the `LuciliusError` that it
 * threw; any other error is handed to `warn`, for it may hold secrets.
 */
export async function credentials(
  authenticate: Authenticate,
  request: AuthRequest,
  warn: (error: unknown) => void,
): Promise<Credentials> {
  let identity: unknown
  try {
    identity = await authenticate(request)
  } catch (error) {
    if (error instanceof LuciliusError) throw error
    warn(error)
  }
  if (identity === true) return {}
  if (identity === undefined || identity === null || identity === false) {
    throw new LuciliusError(
      'LUC_UNAUTHENTICATED',
      "Who you are could not be established. An app gives to connect, as 'auth', what the listener was given.",
    )
  }
  return { identity: portableCopy(identity, 'message') }
}

function toAuthenticate(auth: NonNullable<ListenOptions['auth']>): Authenticate {
  if (typeof auth === 'function') return auth
  if (typeof auth === 'object' && auth !== null && typeof auth.authenticate === 'function') return auth.authenticate
  throw new LuciliusError(
    'LUC_OPTIONS_INVALID',
    "listen: 'auth' is sharedSecret('…') or a function (request) => identity.",
  )
}

function toAudience(audience: unknown): Audience {
  if (audience === 'clients' || audience === 'peers') return audience
  throw new LuciliusError('LUC_OPTIONS_INVALID', "listen: 'audience' is 'clients' or 'peers'.")
}

function exposeRequired(): LuciliusError {
  return new LuciliusError(
    'LUC_EXPOSE_REQUIRED',
    "Nothing is reachable unless exposed: app.listen(transport, { expose: ['role:convert,cmd:*'] }), or { expose: '*' } for all actions of this app.",
  )
}
