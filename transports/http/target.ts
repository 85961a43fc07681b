import { LuciliusError } from '../../lib/transport-kit.js'

/** A listener's address, taken apart. */
export interface Target {
  /** Scheme, host and port. */
  readonly origin: string
  /** Host and port, as a `Host` field has them. */
  readonly host: string
  /** The path before `/act`: empty, or with a slash before and none behind. */
  readonly prefix: string
}

/** Reads the address of a listener. Throws `LUC_OPTIONS_INVALID`, and never prints what it was given: it may hold a password. */
export function toTarget(url: unknown): Target {
  const parsed = typeof url === 'string' && URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol)) {
    throw invalid("'url' is the address of a listener, such as http://127.0.0.1:7401")
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw invalid("'url' holds no user and password: give them as connect(transport, { auth })")
  }
  if (parsed.search !== '' || parsed.hash !== '') throw invalid("'url' has no '?' and no '#'")
  return { origin: parsed.origin, host: parsed.host, prefix: parsed.pathname.replace(/\/+$/, '') }
}

/** Whether an address can only be reached from this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** The address of a listener. */
export function urlOf(scheme: 'http' | 'https', host: string, port: number, prefix: string): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}${prefix}`
}

function invalid(what: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', `http: ${what}.`)
}
