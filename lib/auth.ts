import { createHash, timingSafeEqual } from 'node:crypto'
import { LuciliusError } from './errors.js'

/** What `authenticate` gets: the request of fastify, or the upgrade request of a WebSocket. */
export interface AuthRequest {
  /** Names are in lower case. */
  readonly headers: { readonly [name: string]: string | readonly string[] | undefined }
}

/**
 * Finds out who is at the other end. Gives the identity of a client, or `true` for somebody who is let in without one.
 * `undefined`, `null` and `false` refuse with `LUC_UNAUTHENTICATED`, and so does throwing anything but a `LuciliusError`.
 */
export type Authenticate = (request: AuthRequest) => unknown

/** Both halves of a proof: what `listen` checks, and what `connect` sends. */
export interface Auth {
  /** What `listen` asks. */
  readonly authenticate: Authenticate
  /** The value of the `Authorization` header. */
  readonly authorization: string
}

/**
 * A secret that all parts of a system share, sent as `Authorization: Bearer …` and compared in constant time.
 *
 * Give it to both `listen` and `connect` as `auth`. It has at least 16 characters. Throws `LUC_OPTIONS_INVALID`.
 */
export function sharedSecret(secret: string): Auth {
  if (typeof secret !== 'string' || secret.length < 16 || !/^[\x21-\x7e]+$/.test(secret)) {
    throw new LuciliusError(
      'LUC_OPTIONS_INVALID',
      'sharedSecret: a secret has at least 16 printable characters and no space. Make one: openssl rand -base64 32',
    )
  }
  const authorization = `Bearer ${secret}`
  const expected = digest(authorization)
  return {
    authorization,
    authenticate: ({ headers }) => {
      const given = headers.authorization
      // Digests are of equal length whatever was sent, so the comparison tells nothing.
      return typeof given === 'string' && timingSafeEqual(digest(given), expected)
    },
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
