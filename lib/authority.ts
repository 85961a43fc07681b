import type { AuthRequest } from './auth-request.js'
import { LuciliusError } from './errors.js'

/** A host and, if one is said, a port. */
export interface HostPort {
  /** In lower case, an address in the one form that all ways to write it have in common; of IPv6 in brackets. */
  readonly host: string
  readonly port: number | undefined
}

const AUTHORITY = /^([\w.-]{1,255}|\[[\da-f:.]{2,45}\])(?::(\d{1,5}))?$/i
const IPV6 = /^[\da-f:.]{2,45}$/i
/** An address of IPv4 within IPv6 (RFC 4291 §2.5.5.2). */
const MAPPED = /^\[::ffff:([\da-f]{1,4}):([\da-f]{1,4})\]$/

/** Reads a `Host` field (RFC 9110 §7.2), or an address of IPv6 without brackets. Undefined for what is none. */
export function readHostPort(text: string): HostPort | undefined {
  const [, name = isAddress6(text) ? text : '', port] = AUTHORITY.exec(text) ?? []
  const host = hostOf(name)
  if (host === undefined) return undefined
  return { host, port: port === undefined ? undefined : Number(port) }
}

/**
 * The `Host` that a request was sent to, as it stands there; empty within a process, where nobody is dialled.
 *
 * It has to be the address that the listener has, or one of `hosts`: so nobody at another address can fetch a proof here to
 * show it as its own. Throws `LUC_UNAUTHENTICATED`, which says what to set.
 */
export function authorityOf({ headers, socket }: AuthRequest, hosts: readonly HostPort[]): string {
  const { host } = headers
  if (host === undefined && socket === undefined) return ''
  const dialled = typeof host === 'string' ? readHostPort(host) : undefined
  if (typeof host === 'string' && dialled !== undefined && isOurs(dialled, socket ?? {}, hosts)) return host
  throw new LuciliusError(
    'LUC_UNAUTHENTICATED',
    `Who connects has dialled ${dialled === undefined ? 'no host' : `'${host}'`}, which is no address of this listener, so nothing is proved. If others do reach it there, tell it: LUCILIUS_ADVERTISE, or sharedSecret(secret, { hosts: ['…'] }).`,
  )
}

function isOurs(dialled: HostPort, socket: NonNullable<AuthRequest['socket']>, hosts: readonly HostPort[]): boolean {
  const { localAddress, localPort, encrypted = false } = socket
  const { host, port = encrypted ? 443 : 80 } = dialled
  if (hosts.some((one) => one.host === host && (one.port ?? port) === port)) return true
  if (localAddress === undefined || port !== localPort) return false
  const local = hostOf(localAddress.replace(/%.*$/, ''))
  return host === local || (host === 'localhost' && isLoopback(local))
}

function isAddress6(text: string): boolean {
  return text.includes(':') && IPV6.test(text)
}

function isLoopback(host: string | undefined): boolean {
  return host !== undefined && (host === '[::1]' || host.startsWith('127.'))
}

/** A host in the one form that all ways to write it have in common. */
function hostOf(text: string): string | undefined {
  const url = `http://${isAddress6(text) ? `[${text}]` : text}`
  if (!URL.canParse(url)) return undefined
  const { hostname } = new URL(url)
  const [, high, low] = MAPPED.exec(hostname) ?? []
  if (high === undefined || low === undefined) return hostname
  return [high, low].flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255]).join('.')
}
