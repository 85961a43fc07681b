import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'

/** The loopback interface. */
export const LOOPBACK = '127.0.0.1'

/**
 * The interface, by its address, over which others reach an address of this machine: loopback for what only this machine
 * reaches, and the one that has the address. Undefined where the system has to choose: for a name, and for IPv6.
 */
export function interfaceOf(url: string): string | undefined {
  const { hostname } = new URL(url)
  if (hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')) return LOOPBACK
  return isIPv4(hostname) && machineAddresses().includes(hostname) ? hostname : undefined
}

/** The IPv4 addresses of this machine. They change when it gets another network. */
export function machineAddresses(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((one) => one ?? [])
  return all.filter(({ family }) => family === 'IPv4').map(({ address }) => address)
}
