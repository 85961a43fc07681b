import type { Server } from 'node:http'
import { Server as SecureServer } from 'node:https'
import { isIP } from 'node:net'

/** Where a server is reached; only the path while it does not listen yet. */
export function urlOf(server: Server, path: string): string {
  const address = server.address()
  if (address === null || typeof address === 'string') return path
  return `${server instanceof SecureServer ? 'wss' : 'ws'}://${reachable(address.address)}:${address.port}${path}`
}

/** Whether only this machine reaches a host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Whether only this machine reaches a server; one that does not listen yet may be reached by anybody. */
export function isLocal(server: Server): boolean {
  const address = server.address()
  return address !== null && typeof address === 'object' && isLoopback(address.address)
}

/** One listens on all addresses, but connects to one. */
function reachable(address: string): string {
  if (address === '0.0.0.0' || address === '::') return 'localhost'
  return isIP(address) === 6 ? `[${address}]` : address
}
