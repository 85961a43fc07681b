import { createHash, timingSafeEqual } from 'node:crypto'
import type { AuthRequest } from './auth-request.js'
import { authorityOf, type HostPort, readHostPort } from './authority.js'
import { Challenges } from './challenges.js'
import { LuciliusError } from './errors.js'
import { checkKeys } from './option-checks.js'
import { beginProof, type Proof } from './proof.js'

export type { AuthRequest } from './auth-request.js'

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
  readonly authorization?: string
  /**
   * Begins a proof for one attempt to connect, where there is no `authorization`. `authority` is the `Host` that the attempt
   * sends, host and port of the address that it dials; empty where there is none.
   */
  readonly prove?: (authority: string) => Proof
}

/** Options of {@link sharedSecret}. */
export interface SecretOptions {
  /** `connect` never sends the secret: both ends prove that they know it. For listeners that were found, not named. */
  readonly mutual?: boolean
  /**
   * Hosts by which others reach this listener where that is not the address it has: of a proxy or a NAT in front of it, or a
   * name. `host:port` means this port only. To no other does it prove that it knows the secret.
   */
  readonly hosts?: readonly string[]
}

/**
 * A secret that all parts of a system share, sent as `Authorization: Bearer …` and compared in constant time.
 *
 * Give it to both `listen` and `connect` as `auth`. With `mutual` it is not sent: the listener is challenged first, and
 * who cannot prove that it knows the secret is told nothing. What `listen` is given takes both, with `mutual` or without, and
 * proves itself at its own address and at `hosts`.
 * A secret has at least 16 characters; take a random one, for whoever reaches a listener can try guesses at home.
 * Throws `LUC_OPTIONS_INVALID`.
 */
export function sharedSecret(secret: string, options: SecretOptions = {}): Auth {
  if (typeof secret !== 'string' || secret.length < 16 || !/^[\x21-\x7e]+$/.test(secret)) {
    throw new LuciliusError(
      'LUC_OPTIONS_INVALID',
      'sharedSecret: a secret has at least 16 printable characters and no space. Make one: openssl rand -base64 32',
    )
  }
  const { mutual = false, hosts = [] } = checkKeys<SecretOptions>('sharedSecret', options, ['mutual', 'hosts'])
  if (typeof mutual !== 'boolean') {
    throw new LuciliusError('LUC_OPTIONS_INVALID', "sharedSecret: 'mutual' is true or false.")
  }
  const others = toHosts(hosts)
  const authorization = `Bearer ${secret}`
  const expected = digest(authorization)
  const challenges = new Challenges(secret)
  const authenticate: Authenticate = (request) => {
    const given = request.headers.authorization
    if (typeof given !== 'string') return false
    // Digests are of equal length whatever was sent, so the comparison tells nothing.
    return timingSafeEqual(digest(given), expected) || challenges.accept(given, () => authorityOf(request, others))
  }
  return mutual
    ? { authenticate, prove: (authority) => beginProof(secret, authority) }
    : { authenticate, authorization }
}

function toHosts(hosts: unknown): HostPort[] {
  if (Array.isArray(hosts)) {
    const read = hosts.map((one: unknown) => (typeof one === 'string' ? readHostPort(one) : undefined))
    const known = read.filter((one) => one !== undefined)
    if (known.length === read.length) return known
  }
  throw new LuciliusError(
    'LUC_OPTIONS_INVALID',
    "sharedSecret: 'hosts' is a list of hosts, with a port or without: ['rates.example', '10.0.0.7:7400'].",
  )
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
