import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'
import { isEvery } from '../host-names.js'

/**
 * The address that others are told of a listener: with the host that somebody said, else with that on which it listens. Of
 * one that listens on all addresses the first of this machine that others can reach, or loopback if it has none.
 */
export function advertised(
  url: string,
  listenHost: string,
  said: string | undefined,
  interfaces: () => NodeJS.Dict<NetworkInterfaceInfo[]> = networkInterfaces,
): string {
  const host = said ?? (isEvery(listenHost) ? addressOf(listenHost, interfaces()) : undefined)
  if (host === undefined) return url
  const changed = new URL(url)
  changed.hostname = host.includes(':') ? `[${host}]` : host
  return changed.href
}

function addressOf(host: string, interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): string {
  const all = Object.values(interfaces).flatMap((one) => one ?? [])
  // Addresses of IPv6 that others may reach have no scope.
  const outer = all.filter((one) => !one.internal && (one.family === 'IPv4' || one.scopeid === 0))
  const [first] = outer.sort((a, b) => a.family.localeCompare(b.family))
  return first?.address ?? (host === '::' ? '::1' : '127.0.0.1')
}
