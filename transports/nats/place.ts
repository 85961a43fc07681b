import { LuciliusError } from '../../lib/transport-kit.js'

/** Where a broker is, and what on it is meant. */
export interface Place {
  /** `host:port` each. */
  readonly servers: readonly string[]
  /** The same as a text that may be shown: without credentials. */
  readonly shown: string
  readonly scheme: 'nats' | 'tls'
  readonly user: string | undefined
  readonly pass: string | undefined
  readonly token: string | undefined
  /** The mailbox of the one listener that the url leads to. */
  readonly mailbox: string | undefined
}

/** What is given of it. */
export interface PlaceOptions {
  readonly servers?: string | readonly string[]
  readonly url?: string
  readonly user?: string
  readonly pass?: string
  readonly token?: string
}

const DEFAULT_SERVER = 'nats://127.0.0.1:4222'
const PORT = 4222

/**
 * Reads where a broker is. A url may name the space, and the mailbox or the clients' door behind it. Throws
 * `LUC_OPTIONS_INVALID`; what it was given is not shown, for it may hold a password.
 */
export function toPlace(given: PlaceOptions): Place & { readonly space?: string; readonly app?: string } {
  const { servers, url } = given
  if (servers !== undefined && url !== undefined) throw invalid("give 'servers' or 'url', not both.")
  const urls = url === undefined ? toList(servers ?? DEFAULT_SERVER).map(toServer) : [toAddress(url)]
  const hosts = urls.map(({ hostname, port }) => `${hostname}:${port === '' ? PORT : port}`)
  const scheme = urls.some(({ protocol }) => protocol === 'tls:') ? 'tls' : 'nats'
  const shown = hosts.map((host) => `${scheme}://${host}`).join(',')
  return {
    servers: hosts,
    shown,
    scheme,
    ...toLogin(urls, given),
    ...toTarget(url === undefined ? undefined : urls[0]),
  }
}

/** The url of a listener. */
export function urlOf(scheme: string, server: string, ...path: string[]): string {
  return `${scheme}://${server}/${path.join('/')}`
}

function toList(servers: unknown): readonly unknown[] {
  const list = typeof servers === 'string' ? servers.split(',') : servers
  if (Array.isArray(list) && list.length > 0) return list
  throw invalid("'servers' is a server such as 127.0.0.1:4222, or a list of them.")
}

function toServer(text: unknown): URL {
  const server = parsed(typeof text === 'string' && !text.includes('://') ? `nats://${text.trim()}` : text)
  if (server !== undefined && (server.pathname === '' || server.pathname === '/')) return server
  throw invalid("'servers' are addresses such as 127.0.0.1:4222 or tls://nats.example:4222, without a path.")
}

function toAddress(text: unknown): URL {
  const address = parsed(text)
  if (address !== undefined && TARGET.test(address.pathname)) return address
  throw invalid("'url' is the url of a listener, such as nats://127.0.0.1:4222/lucilius/2kd81m.")
}

/** The space and, in it, a mailbox or a clients' door. */
const TARGET = /^\/([\w-]{1,50})\/(?:act\/([\w-]{1,100})|([\w-]{1,100}))$/

function parsed(text: unknown): URL | undefined {
  try {
    const url = new URL(text as string)
    decodeURIComponent(`${url.username}${url.password}`)
    const isOurs = url.protocol === 'nats:' || url.protocol === 'tls:'
    return isOurs && url.hostname !== '' && url.search === '' && url.hash === '' ? url : undefined
  } catch {
    return undefined // The text may hold a password: neither it nor the error that repeats it is passed on.
  }
}

type Login = Pick<Place, 'user' | 'pass' | 'token'>

/** A user without a password is a token, as everywhere with NATS. */
function toLogin(urls: readonly URL[], { user, pass, token }: PlaceOptions): Login {
  const url = urls.find(({ username, password }) => username !== '' || password !== '')
  if (url === undefined) return { user, pass, token }
  if ((user ?? token) !== undefined) throw invalid('give credentials in the address or as options, not both.')
  const name = decodeURIComponent(url.username)
  if (url.password === '') return { user: undefined, pass: undefined, token: name }
  return { user: name, pass: decodeURIComponent(url.password), token: undefined }
}

function toTarget(url: URL | undefined): {
  readonly mailbox: string | undefined
  readonly space?: string
  readonly app?: string
} {
  const [, space, app, mailbox] = TARGET.exec(url?.pathname ?? '') ?? []
  return { mailbox, ...(space === undefined ? {} : { space }), ...(app === undefined ? {} : { app }) }
}

function invalid(what: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', `nats: ${what}`)
}
