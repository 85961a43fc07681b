import { checkCount, checkKeys, checkMilliseconds, LuciliusError } from '../../lib/transport-kit.js'
import { type Target, toTarget } from './target.js'

/** As much of a fastify app as is needed to mount into it. */
export interface FastifyHost {
  /** What fastify apps have: takes a plugin in. */
  register(plugin: never, options: never): unknown
}

/** Options of {@link http}: one of `port`, `fastify`, `server: false` to listen, or `url` to connect. */
export interface HttpOptions {
  /** Listens on this port; 0 takes a free one. */
  readonly port?: number
  /** The address to listen on: 127.0.0.1 unless given. */
  readonly host?: string
  /** Mounts into this fastify app, before it is ready. Listening and closing stay with it. */
  readonly fastify?: FastifyHost
  /** `false` opens no port: give `handler` to Express or `createServer` of node:http. */
  readonly server?: false
  /** The path before `/act` and the others, such as `/api`. None unless given. */
  readonly prefix?: string
  /** Connects to this listener: its `url`. */
  readonly url?: string
  /** Options of TLS: `key`, `cert` and the like make a listener https, `ca` and the like are for connecting. */
  readonly tls?: { readonly [option: string]: unknown }
  /** Bytes of a message or a reply: 1 MiB. */
  readonly maxBytes?: number
  /** Objects and arrays inside each other: 64. */
  readonly maxDepth?: number
  /** Messages of one peer, or on one socket of a client, that may run at the same time: 256. */
  readonly maxInFlight?: number
  /** Milliseconds in which a request's header has to arrive: 10,000. */
  readonly headersTimeoutMs?: number
  /** Milliseconds in which a whole request has to arrive: 30,000. */
  readonly requestTimeoutMs?: number
  /** Milliseconds between two signs of life on the stream of a peer; one that gives none twice is lost: 10,000. */
  readonly heartbeatMs?: number
  /** Milliseconds that a closing listener gives others to close their sockets: 500. */
  readonly lingerMs?: number
  /** Sockets that a connection opens at most; messages beyond wait in the process: 256. */
  readonly connections?: number
  /** Milliseconds in which a connection has to be made and the peer known: 5,000. */
  readonly connectTimeoutMs?: number
}

/** The options with every default filled in. */
export interface Settings {
  readonly where: Where
  readonly tls: { readonly [option: string]: unknown } | undefined
  readonly maxBytes: number
  readonly maxDepth: number
  readonly maxInFlight: number
  readonly headersTimeoutMs: number
  readonly requestTimeoutMs: number
  readonly heartbeatMs: number
  readonly lingerMs: number
  readonly connections: number
  readonly connectTimeoutMs: number
}

/** What the transport does. */
export type Where =
  | { readonly kind: 'port'; readonly port: number; readonly host: string; readonly prefix: string }
  | { readonly kind: 'fastify'; readonly fastify: FastifyHost; readonly prefix: string }
  | { readonly kind: 'handler'; readonly prefix: string }
  | { readonly kind: 'url'; readonly target: Target }

const KNOWN = [
  ...['port', 'host', 'fastify', 'server', 'prefix', 'url', 'tls', 'maxBytes', 'maxDepth', 'maxInFlight'],
  ...['headersTimeoutMs', 'requestTimeoutMs', 'heartbeatMs', 'lingerMs', 'connections', 'connectTimeoutMs'],
]

/** Checks the options and fills in the defaults. Throws `LUC_OPTIONS_INVALID`. */
export function toSettings(options: HttpOptions): Settings {
  const given = checkKeys<HttpOptions>('http', options, KNOWN)
  const settings: Settings = {
    where: toWhere(given),
    tls: toTls(given.tls),
    maxBytes: count(given, 'maxBytes', 1024 * 1024),
    maxDepth: count(given, 'maxDepth', 64),
    maxInFlight: count(given, 'maxInFlight', 256),
    headersTimeoutMs: milliseconds(given, 'headersTimeoutMs', 10_000),
    requestTimeoutMs: milliseconds(given, 'requestTimeoutMs', 30_000),
    heartbeatMs: milliseconds(given, 'heartbeatMs', 10_000),
    lingerMs: milliseconds(given, 'lingerMs', 500),
    connections: count(given, 'connections', 256),
    connectTimeoutMs: milliseconds(given, 'connectTimeoutMs', 5000),
  }
  if (settings.headersTimeoutMs <= settings.requestTimeoutMs) return settings
  throw invalid("'headersTimeoutMs' is more than 'requestTimeoutMs': a request has its header in it")
}

function toWhere(given: HttpOptions): Where {
  const { port, fastify, server, url, host } = given
  const named = [port, fastify, server, url].filter((one) => one !== undefined)
  if (named.length !== 1)
    throw invalid("give one of 'port', 'fastify' and 'server: false' to listen, or 'url' to connect")
  if (host !== undefined && port === undefined) throw invalid("'host' goes with 'port'")
  if (url !== undefined) {
    if (given.prefix !== undefined) throw invalid("a prefix is the path of 'url'")
    return { kind: 'url', target: toTarget(url) }
  }
  const prefix = toPrefix(given.prefix ?? '')
  if (port !== undefined) return { kind: 'port', port: toPort(port), host: toHost(host ?? '127.0.0.1'), prefix }
  if (fastify !== undefined) return { kind: 'fastify', fastify: toFastify(fastify), prefix }
  if (server === false) return { kind: 'handler', prefix }
  throw invalid("'server' is false, which opens no port")
}

function toPort(port: unknown): number {
  if (Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65_535) return port as number
  throw invalid("'port' is a whole number from 0 to 65535")
}

function toHost(host: unknown): string {
  if (typeof host === 'string' && host !== '') return host
  throw invalid("'host' is a name or an address, such as 127.0.0.1")
}

function toPrefix(prefix: unknown): string {
  if (typeof prefix === 'string' && /^(\/[\w.~-]+)*$/.test(prefix)) return prefix
  throw invalid("'prefix' is a path such as /api, with a slash before and none behind")
}

function toFastify(host: unknown): FastifyHost {
  const { register } = (host ?? {}) as Partial<FastifyHost>
  if (typeof register === 'function') return host as FastifyHost
  throw invalid("'fastify' is a fastify app")
}

function toTls(tls: unknown): Settings['tls'] {
  if (tls === undefined || (typeof tls === 'object' && tls !== null && !Array.isArray(tls)))
    return tls as Settings['tls']
  throw invalid("'tls' is an object with options of TLS, such as { key, cert }")
}

function count<K extends string>(given: { readonly [P in K]?: number }, key: K, preset: number): number {
  const value = given[key]
  if (value === undefined) return preset
  checkCount('http', key, value, 1)
  return value
}

/** Durations are whole milliseconds, as node:http takes them, and no longer than a timer can be. */
function milliseconds<K extends string>(given: { readonly [P in K]?: number }, key: K, preset: number): number {
  const value = given[key]
  if (value === undefined) return preset
  checkMilliseconds('http', key, value)
  if (value > 2 ** 31 - 1) throw invalid(`'${key}' is more than a timer can wait`)
  return Math.ceil(value)
}

function invalid(what: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', `http: ${what}.`)
}
