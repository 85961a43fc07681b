import type { ConnectionOptions } from 'node:tls'
import {
  checkCount,
  checkKeys,
  checkMilliseconds,
  LuciliusError,
  type MailLimits,
  mailLimits,
} from '../../lib/transport-kit.js'
import { type Place, toPlace } from './place.js'
import type { StoreOptions } from './store/settings.js'

/** Options of {@link nats}: where the servers are, who we are to them, and limits. */
export interface NatsOptions {
  /**
   * One or several servers, `host:port` or `nats://…`, `tls://…`, perhaps with `user:password@` or `token@`:
   * `127.0.0.1:4222` unless given. Others of the same cluster are learned from the first that answers.
   */
  readonly servers?: string | readonly string[]
  /** The `url` of a listener, in place of `servers`: leads to that one listener and finds no others. */
  readonly url?: string
  /** Sets systems on one broker apart, up to 50 letters, digits, `-` and `_`: `lucilius` unless given. */
  readonly space?: string
  /**
   * The clients' door: requests to `lucilius.<space>.act.<app>`, up to 100 letters, digits, `-` and `_`. A listener for
   * clients takes the name of its app unless given.
   */
  readonly app?: string
  /** Who we are, if the server asks for user and password. */
  readonly user?: string
  /** Proves it. */
  readonly pass?: string
  /** Proves it, if the server asks for a token. */
  readonly token?: string
  /** The seed (`SU…`) of an NKey. */
  readonly nkey?: string
  /** Path of a credentials file, with a user JWT and its seed. Read again for each connection, so that it may be renewed. */
  readonly creds?: string
  /** Passed to `node:tls`: `ca`, or `key` and `cert`. Given, even empty, it makes TLS a must. */
  readonly tls?: ConnectionOptions & {
    /** The server expects TLS from the first byte, and does not say first what it is. */
    readonly handshakeFirst?: boolean
  }
  /** How durable events are kept. */
  readonly store?: StoreOptions
  /** Milliseconds for one attempt to reach a server: 5,000. */
  readonly connectTimeoutMs?: number
  /** Milliseconds for a peer to answer the wish to connect: 10,000. */
  readonly handshakeTimeoutMs?: number
  /** Milliseconds for a peer to answer a ping; one that does not answer two in a row is lost: 10,000. */
  readonly pingMs?: number
  /** Bytes of a message or reply, either way: 1 MiB. The server has a bound of its own, `max_payload`. */
  readonly maxBytes?: number
  /** Objects and arrays inside each other in a message or reply: 64. */
  readonly maxDepth?: number
  /** Acts of one peer that may run here at the same time: 256. */
  readonly maxInFlight?: number
}

/** The options, checked, with every default filled in. */
export interface Settings extends MailLimits, Place {
  readonly space: string
  readonly app: string | undefined
  readonly nkey: string | undefined
  readonly creds: string | undefined
  readonly tls: NatsOptions['tls']
  readonly store: StoreOptions
  readonly connectTimeoutMs: number
}

const WHERE = 'nats'
const TEXTS = ['user', 'pass', 'token', 'nkey', 'creds'] as const
const COUNTS = ['maxBytes', 'maxDepth', 'maxInFlight'] as const
const TIMES = ['connectTimeoutMs', 'handshakeTimeoutMs', 'pingMs'] as const
const KNOWN = ['servers', 'url', 'space', 'app', ...TEXTS, 'tls', 'store', ...TIMES, ...COUNTS]

/** Checks the options. Throws `LUC_OPTIONS_INVALID` naming the option, and never shows what may be a password. */
export function toSettings(options: NatsOptions): Settings {
  const given = checkKeys<NatsOptions>(WHERE, options, KNOWN)
  for (const key of TEXTS) {
    if (given[key] !== undefined && (typeof given[key] !== 'string' || given[key] === '')) {
      throw invalid(`'${key}' is a text.`)
    }
  }
  if (given.pass !== undefined && given.user === undefined) throw invalid("'pass' needs 'user'.")
  const place = toPlace(given)
  const means = [place.user, place.token, given.nkey, given.creds].filter((one) => one !== undefined)
  if (means.length > 1) throw invalid("give one of 'user' (with 'pass'), 'token', 'nkey' and 'creds'.")
  return {
    ...mailLimits,
    connectTimeoutMs: 5_000,
    ...limitsOf(given),
    ...place,
    space: place.space ?? toName('space', given.space ?? 'lucilius', 50),
    app: place.app ?? (given.app === undefined ? undefined : toAppName(given.app)),
    nkey: given.nkey,
    creds: given.creds,
    tls: given.tls === undefined ? undefined : checkKeys(`${WHERE}.tls`, given.tls, Object.keys(given.tls)),
    store: given.store === undefined ? {} : toStore(given.store),
  }
}

/** Checks the name of an app as the end of a subject. Throws `LUC_OPTIONS_INVALID`. */
export function toAppName(app: unknown): string {
  return toName('app', app, 100)
}

function toName(key: string, value: unknown, most: number): string {
  if (typeof value === 'string' && value.length <= most && /^[\w-]+$/.test(value)) return value
  throw invalid(`'${key}' is a name of at most ${most} letters, digits, '-' and '_'.`)
}

/** The limits that were given; one that is undefined is not. */
function limitsOf(given: NatsOptions): Partial<MailLimits & { connectTimeoutMs: number }> {
  const limits: { [key: string]: number } = {}
  for (const key of COUNTS) {
    if (given[key] === undefined) continue
    checkCount(WHERE, key, given[key], 1)
    limits[key] = given[key]
  }
  for (const key of TIMES) {
    if (given[key] === undefined) continue
    checkMilliseconds(WHERE, key, given[key])
    limits[key] = given[key]
  }
  return limits
}

const STORE_COUNTS = ['replicas', 'maxBytes'] as const
const STORE_TIMES = ['maxAgeMs', 'ackWaitMs', 'duplicatesMs'] as const

/** Copies are kept by at most five servers, and a running handler gives its sign of life every second. */
function toStore(value: StoreOptions): StoreOptions {
  const store = checkKeys<StoreOptions>(`${WHERE}.store`, value, [...STORE_COUNTS, ...STORE_TIMES])
  for (const key of STORE_COUNTS) if (store[key] !== undefined) checkCount(`${WHERE}.store`, key, store[key], 1)
  for (const key of STORE_TIMES) if (store[key] !== undefined) checkMilliseconds(`${WHERE}.store`, key, store[key])
  if ((store.replicas ?? 1) > 5) throw invalid("'store.replicas' is at most 5.")
  if ((store.ackWaitMs ?? 2000) < 2000) throw invalid("'store.ackWaitMs' is at least 2000.")
  return store
}

function invalid(what: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', `${WHERE}: ${what}`)
}
