import type { ConnectionOptions } from 'node:tls'
import { checkCount, checkKeys, checkMilliseconds, LuciliusError } from '../../lib/transport-kit.js'

/** Options of {@link amqp}. */
export interface AmqpOptions {
  /**
   * The broker, `amqp:` or `amqps:`, its path the virtual host: `amqp://127.0.0.1:5672` unless given. The `url` of a
   * listener leads to that one listener.
   */
  readonly url?: string
  /** Who we are to the broker, instead of `user:pass@` in the url. `guest` unless given, which RabbitMQ takes on loopback only. */
  readonly user?: string
  /** Proves it. */
  readonly pass?: string
  /** Passed to `node:tls` with an `amqps:` url: `ca`, or `key` and `cert`. */
  readonly tls?: ConnectionOptions
  /** Sets systems on one broker apart: letters, digits, `-` and `_`. `lucilius` unless given. */
  readonly space?: string
  /** The clients' door: its queue is `lucilius.<space>.act.<app>`. A listener's is the name of its app unless given. */
  readonly app?: string
  /** Milliseconds between two signs of life of the broker, in whole seconds; after two or three without one it is lost: 10,000. */
  readonly heartbeatMs?: number
  /** Milliseconds for one attempt to reach the broker: 10,000. */
  readonly connectTimeoutMs?: number
  /** Milliseconds for a peer to answer the wish to connect: 10,000. */
  readonly handshakeTimeoutMs?: number
  /** Milliseconds for a peer to answer a ping; one that leaves two in a row unanswered is lost: 10,000. */
  readonly pingMs?: number
  /** Bytes of a message or reply, either way: 1 MiB. */
  readonly maxBytes?: number
  /** Objects and arrays inside each other in a message or reply: 64. */
  readonly maxDepth?: number
  /** Acts of one peer, and to one peer, that wait for an answer at the same time: 256. */
  readonly maxInFlight?: number
  /** Acts of clients that are taken from their queue at the same time: 256. */
  readonly maxClientActs?: number
  /** Bytes that may wait to be sent to the broker, and in it for one app: 16 MiB. */
  readonly maxBuffered?: number
}

/** The options, checked, with every default filled in. */
export interface Settings {
  /** Where the broker is. What may be shown of it is {@link Settings.shown}. */
  readonly server: {
    readonly protocol: 'amqp' | 'amqps'
    readonly hostname: string
    readonly port: number
    readonly vhost: string
    readonly username: string
    readonly password: string
  }
  /** The url without credentials and mailbox. */
  readonly shown: string
  /** The mailbox of the one listener that the url leads to. */
  readonly mailbox: string | undefined
  readonly tls: ConnectionOptions | undefined
  readonly space: string
  readonly app: string | undefined
  readonly heartbeatMs: number
  readonly connectTimeoutMs: number
  readonly handshakeTimeoutMs: number
  readonly pingMs: number
  readonly maxBytes: number
  readonly maxDepth: number
  readonly maxInFlight: number
  readonly maxClientActs: number
  readonly maxBuffered: number
}

const WHERE = 'amqp'
const COUNTS = {
  maxBytes: 1024 * 1024,
  maxDepth: 64,
  maxInFlight: 256,
  maxClientActs: 256,
  maxBuffered: 16 * 1024 * 1024,
}
const TIMES = { heartbeatMs: 10_000, connectTimeoutMs: 10_000, handshakeTimeoutMs: 10_000, pingMs: 10_000 }
const KNOWN = ['url', 'user', 'pass', 'tls', 'space', 'app', ...Object.keys(TIMES), ...Object.keys(COUNTS)]
const PORTS = { amqp: 5672, amqps: 5671 }

/** Checks the options. Throws `LUC_OPTIONS_INVALID` naming the option, and never shows what may be a password. */
export function toSettings(options: AmqpOptions): Settings {
  const given = checkKeys<AmqpOptions>(WHERE, options, KNOWN)
  const url = toUrl(given.url ?? 'amqp://127.0.0.1:5672')
  const protocol = url.protocol === 'amqps:' ? 'amqps' : 'amqp'
  const port = url.port === '' ? PORTS[protocol] : Number(url.port)
  if (given.tls !== undefined && protocol === 'amqp') throw invalid("'tls' is for an amqps: url.")
  return {
    server: { protocol, hostname: bare(url.hostname), port, vhost: toVhost(url), ...toLogin(url, given) },
    shown: `${protocol}://${url.hostname}:${port}${url.pathname === '/' ? '' : url.pathname}`,
    mailbox: url.hash === '' ? undefined : decodeURIComponent(url.hash.slice(1)),
    tls: given.tls === undefined ? undefined : checkKeys(`${WHERE}.tls`, given.tls, Object.keys(given.tls)),
    space: toName('space', given.space ?? 'lucilius', /^[\w-]{1,50}$/),
    app: given.app === undefined ? undefined : toAppName(given.app),
    ...toLimits(given),
  }
}

/** Checks the name of an app as the end of the name of a queue. Throws `LUC_OPTIONS_INVALID`. */
export function toAppName(app: unknown): string {
  return toName('app', app, /^[\w.-]{1,100}$/)
}

function toName(key: string, value: unknown, rule: RegExp): string {
  if (typeof value === 'string' && rule.test(value)) return value
  const letters =
    key === 'app' ? "at most 100 letters, digits, '-', '_' and '.'" : "at most 50 letters, digits, '-' and '_'"
  throw invalid(`'${key}' is a name of ${letters}.`)
}

type Limits = Pick<Settings, keyof typeof COUNTS | keyof typeof TIMES>

function toLimits(given: AmqpOptions): Limits {
  const limits = { ...COUNTS, ...TIMES, ...chosen(given) }
  for (const key of Object.keys(COUNTS)) checkCount(WHERE, key, limits[key as keyof Limits], 1)
  for (const key of Object.keys(TIMES)) checkMilliseconds(WHERE, key, limits[key as keyof Limits])
  return limits
}

/** The limits that were given; one that is undefined is not. */
function chosen(given: AmqpOptions): Partial<Limits> {
  const keys = [...Object.keys(COUNTS), ...Object.keys(TIMES)] as (keyof Limits)[]
  return Object.fromEntries(keys.flatMap((key) => (given[key] === undefined ? [] : [[key, given[key]]])))
}

function toUrl(text: unknown): URL {
  let url: URL | undefined
  try {
    url = new URL(text as string)
    decodeURIComponent(`${url.pathname}${url.hash}${url.username}${url.password}`)
  } catch {
    url = undefined // The text may hold a password: neither it nor the error that repeats it is passed on.
  }
  const isOurs = url?.protocol === 'amqp:' || url?.protocol === 'amqps:'
  if (url === undefined || !isOurs || url.hostname === '' || url.search !== '') {
    throw invalid("'url' is an address such as amqp://127.0.0.1:5672 or amqps://rabbit.example/vhost, without a query.")
  }
  return url
}

/** The virtual host: `/` without a path, as everywhere with AMQP. */
function toVhost({ pathname }: URL): string {
  return pathname === '' || pathname === '/' ? '/' : decodeURIComponent(pathname.slice(1))
}

function toLogin(url: URL, { user, pass }: AmqpOptions): { readonly username: string; readonly password: string } {
  for (const [key, value] of Object.entries({ user, pass })) {
    if (value !== undefined && typeof value !== 'string') throw invalid(`'${key}' is a text.`)
  }
  if (user !== undefined && url.username !== '') throw invalid("give 'user' or a user in the url, not both.")
  if ((user === undefined) !== (pass === undefined)) throw invalid("'user' and 'pass' go together.")
  if (user !== undefined && pass !== undefined) return { username: user, password: pass }
  if (url.username === '') return { username: 'guest', password: 'guest' }
  return { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) }
}

/** An IPv6 address as sockets want it. */
function bare(hostname: string): string {
  return hostname.replace(/^\[|\]$/g, '')
}

function invalid(what: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', `${WHERE}: ${what}`)
}
