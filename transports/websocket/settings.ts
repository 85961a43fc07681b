import type { Server } from 'node:http'
import type { ServerOptions } from 'node:https'
import type { ConnectionOptions } from 'node:tls'
import { checkCount, checkKeys, checkMilliseconds, LuciliusError } from '../../lib/transport-kit.js'

/** Anything that has a server of `node:http` or `node:https`, such as a fastify app. */
export interface HasServer {
  /** The server whose port is shared: there once the app, or the http transport, listens. */
  readonly server: Server | undefined
}

/** Options of {@link websocket}: where to listen (`port`, or `server`) or where to connect to (`url`), and limits. */
export interface WebSocketOptions {
  /** Connects to this address: `ws:` or `wss:`. */
  readonly url?: string
  /** Listens on this port; 0 takes any that is free. */
  readonly port?: number
  /** Listens on this address: 127.0.0.1 unless given. */
  readonly host?: string
  /** Listens on the port of this server of `node:http` or `node:https`, or of an app that has one as `server`. */
  readonly server?: Server | HasServer
  /** The path that is listened on: `/ws` unless given. Upgrades to other paths are left to others. */
  readonly path?: string
  /** Origins whose pages may connect, such as `https://shop.example`: none unless given. Programs send none. */
  readonly origins?: readonly string[]
  /** Passed to `node:https` when listening, to `node:tls` when connecting: `key` and `cert`, or `ca`. */
  readonly tls?: ServerOptions | ConnectionOptions
  /** Bytes of a message or reply, either way: 1 MiB. */
  readonly maxBytes?: number
  /** Objects and arrays inside each other in a message or reply: 64. */
  readonly maxDepth?: number
  /** Acts of one connection that may run here at the same time: 256. */
  readonly maxInFlight?: number
  /** Bytes that may wait to be sent on one connection: 16 MiB. */
  readonly maxBuffered?: number
  /** Milliseconds between two signs of life; a connection that gives none twice is cut: 10,000. */
  readonly pingMs?: number
  /** Milliseconds for the upgrade, its authentication and the first announcement: 10,000. */
  readonly handshakeTimeoutMs?: number
}

/** The limits of a connection with every default filled in. */
export interface Limits {
  readonly maxBytes: number
  readonly maxDepth: number
  readonly maxInFlight: number
  readonly maxBuffered: number
  readonly pingMs: number
  readonly handshakeTimeoutMs: number
}

/** The options, checked, with every default filled in. */
export interface Settings extends Limits {
  readonly url: URL | undefined
  readonly port: number | undefined
  readonly host: string
  readonly server: Server | undefined
  readonly path: string
  readonly origins: ReadonlySet<string>
  readonly tls: ServerOptions | ConnectionOptions | undefined
}

const WHERE = 'websocket'
const LISTENING = ['port', 'host', 'server', 'path', 'origins'] as const
const COUNTS = { maxBytes: 1024 * 1024, maxDepth: 64, maxInFlight: 256, maxBuffered: 16 * 1024 * 1024 }
const TIMES = { pingMs: 10_000, handshakeTimeoutMs: 10_000 }
const KNOWN = ['url', ...LISTENING, 'tls', ...Object.keys(COUNTS), ...Object.keys(TIMES)]

/** Checks the options. Throws `LUC_OPTIONS_INVALID` naming the option. */
export function toSettings(options: WebSocketOptions): Settings {
  const given = checkKeys<WebSocketOptions>(WHERE, options, KNOWN)
  const url = given.url === undefined ? undefined : toUrl(given.url)
  const listens = LISTENING.find((key) => given[key] !== undefined)
  if (url !== undefined && listens !== undefined) {
    throw invalid(`'url' is for connecting and '${listens}' for listening: give one of them.`)
  }
  if (given.server !== undefined && (given.port ?? given.host ?? given.tls) !== undefined) {
    throw invalid("'server' brings its own port, host and tls: leave them out.")
  }
  if (url === undefined && given.port === undefined && given.server === undefined) {
    throw invalid("give 'port' or 'server' to listen, or 'url' to connect.")
  }
  return {
    url,
    port: given.port === undefined ? undefined : toPort(given.port),
    host: toHost(given.host ?? '127.0.0.1'),
    server: given.server === undefined ? undefined : toServer(given.server),
    path: toPath(given.path ?? '/ws'),
    origins: new Set(toOrigins(given.origins ?? [])),
    tls: given.tls === undefined ? undefined : checkKeys(`${WHERE}.tls`, given.tls, Object.keys(given.tls)),
    ...toLimits(given),
  }
}

function toLimits(given: WebSocketOptions): Limits {
  const limits = { ...COUNTS, ...TIMES, ...chosen(given) }
  for (const key of Object.keys(COUNTS)) checkCount(WHERE, key, limits[key as keyof Limits], 1)
  for (const key of Object.keys(TIMES)) checkMilliseconds(WHERE, key, limits[key as keyof Limits])
  return limits
}

/** The limits that were given; one that is undefined is not. */
function chosen(given: WebSocketOptions): Partial<Limits> {
  const keys = [...Object.keys(COUNTS), ...Object.keys(TIMES)] as (keyof Limits)[]
  return Object.fromEntries(keys.flatMap((key) => (given[key] === undefined ? [] : [[key, given[key]]])))
}

function toUrl(text: unknown): URL {
  let url: URL | undefined
  try {
    url = new URL(text as string)
  } catch {
    // The text may hold a password: neither it nor the error that repeats it is passed on.
  }
  if (url === undefined || (url.protocol !== 'ws:' && url.protocol !== 'wss:') || url.hash !== '') {
    throw invalid("'url' is an address such as ws://127.0.0.1:7001/ws or wss://rates.example/ws.")
  }
  return url
}

function toPort(port: unknown): number {
  if (Number.isInteger(port) && (port as number) >= 0 && (port as number) <= 65_535) return port as number
  throw invalid("'port' is a whole number from 0 to 65535.")
}

function toHost(host: unknown): string {
  if (typeof host === 'string' && host !== '') return host
  throw invalid("'host' is the name or address to listen on, such as 127.0.0.1.")
}

function toPath(path: unknown): string {
  if (typeof path === 'string' && /^\/[^\s?#]*$/.test(path)) return path
  throw invalid("'path' starts with a slash and has no query, such as /ws.")
}

function toOrigins(origins: unknown): string[] {
  if (Array.isArray(origins)) return origins.map(toOrigin)
  throw invalid("'origins' is a list such as ['https://shop.example'].")
}

function toOrigin(text: unknown): string {
  try {
    const { origin, pathname, search } = new URL(text as string)
    if (origin !== 'null' && pathname === '/' && search === '') return origin
  } catch {
    // Said below.
  }
  throw invalid("'origins' has scheme, host and port of pages, such as https://shop.example: no path, no star.")
}

function toServer(given: unknown): Server {
  const { server = given } = given as Partial<HasServer>
  if (typeof (server as Partial<Server>)?.on === 'function' && 'listening' in (server as object))
    return server as Server
  throw invalid("'server' is a server of node:http or node:https, or an app that has one as 'server'.")
}

function invalid(what: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', `${WHERE}: ${what}`)
}
