import type { Discovery, DnsDiscovery, EtcdDiscovery, MulticastDiscovery } from '../system.js'
import { HIGHEST_PORT } from '../topology.js'
import { isAddress4, isAddress6 } from './address.js'
import { hasKeys } from './keys.js'
import { wholeNumber } from './number.js'
import type { Place } from './place.js'

/** How long etcd keeps a process that gives no sign of life, in ms. */
export const LEASE_MS = 10_000

/** Where announcements go unless somebody says otherwise: an address of the local scope (RFC 2365 §6.1). */
const announcementsAt: MulticastDiscovery = Object.freeze({ group: '239.255.76.85', port: 7685 })

/** How the processes of a deployment find each other; undefined if it does not say. */
export function discoveryAt(place: Place): Discovery | undefined {
  if (place.value === undefined || !hasKeys(place, ['dns', 'etcd', 'multicast'])) return undefined
  const dns = dnsAt(place.at('dns'))
  const etcd = etcdAt(place.at('etcd'))
  const multicast = multicastAt(place.at('multicast'))
  return Object.freeze({ dns, etcd, multicast })
}

/** Reads a name in DNS as a description and the environment have it. Gives a text that says what is wrong with it. */
export function toDnsName(text: string): Pick<DnsDiscovery, 'name' | 'port'> | string {
  const [, name = '', digits] = /^([^:]*)(?::(\d{1,5}))?$/.exec(text) ?? []
  const port = digits === undefined ? undefined : Number(digits)
  const isService = name.startsWith('_')
  if (!name.includes('{group}')) return "a name with {group} in it, such as '{group}.shop.svc.cluster.local:7400'"
  if (!isHostName(name.replaceAll('{group}', 'group'))) return 'a name has letters, digits, dots, - and _'
  if (isService) return port === undefined ? { name, port } : 'SRV records say the port themselves: leave it out'
  if (port !== undefined && port >= 1 && port <= HIGHEST_PORT) return { name, port }
  return `a port from 1 to ${HIGHEST_PORT} behind the name, such as ${name}:7400; only SRV records, of a name that begins with _, say it themselves`
}

/** What is wrong with the name that a group has in DNS. Labels have 1 to 63 characters (RFC 1035 §2.3.4). */
export function dnsNameProblem(name: string, group: string): string | undefined {
  const full = name.replaceAll('{group}', group)
  const labels = full.replace(/[.]$/, '').split('.')
  if (full.length <= 253 && labels.every((label) => label.length >= 1 && label.length <= 63)) return undefined
  return `DNS has no name '${full}': each part between dots has 1 to 63 characters, and all of it at most 253`
}

/** Reads where announcements go, as the environment has it. Gives a text that says what is wrong with it. */
export function toMulticast(text: string): MulticastDiscovery | string {
  const [, group = '', digits] = /^([\d.]+):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  if (isMulticast(group) && port >= 1 && port <= HIGHEST_PORT) return { group, port }
  return `an IPv4 address from 224.0.0.0 to 239.255.255.255 and a port, such as ${announcementsAt.group}:${announcementsAt.port}`
}

/** What is wrong with the address of an etcd server. Never prints it: it may hold a password. */
export function etcdAddressProblem(address: unknown): string | undefined {
  const url = typeof address === 'string' && URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.hostname === '') {
    return 'an address of etcd begins with http:// or https:// and a host'
  }
  if (url.username !== '' || url.password !== '') {
    return 'an address holds no user and password: set LUCILIUS_ETCD_USER and LUCILIUS_ETCD_PASSWORD'
  }
  return url.pathname === '/' && url.search === '' && url.hash === '' ? undefined : 'an address of etcd has no path'
}

function dnsAt(place: Place): DnsDiscovery | undefined {
  const { value } = place
  if (value === undefined) return undefined
  if (typeof value === 'string') return dnsNameAt(place, undefined)
  if (!hasKeys(place, ['name', 'servers'], 'a name with {group} in it, or an object')) return undefined
  const servers = place.at('servers')
  if (servers.value !== undefined && !Array.isArray(servers.value))
    servers.expected('a list of addresses of DNS servers')
  const addresses = servers.elements().flatMap((one) => dnsServerAt(one) ?? [])
  return dnsNameAt(place.at('name'), servers.value === undefined ? undefined : Object.freeze(addresses))
}

function dnsNameAt(place: Place, servers: readonly string[] | undefined): DnsDiscovery | undefined {
  if (typeof place.value !== 'string') return place.expected('a name with {group} in it')
  const read = toDnsName(place.value)
  return typeof read === 'string' ? place.wrong(read) : Object.freeze({ ...read, servers })
}

/** As node:dns takes it. */
function dnsServerAt(place: Place): string | undefined {
  const { value } = place
  if (typeof value === 'string') {
    const [, six = value, four = value, digits = '53'] = /^(?:\[(.+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(value) ?? []
    const port = Number(digits)
    if ((isAddress4(four) || isAddress6(six)) && port >= 1 && port <= HIGHEST_PORT) return value
  }
  return place.expected('the address of a DNS server, such as 10.0.0.2 or 127.0.0.1:5353')
}

function etcdAt(place: Place): EtcdDiscovery | undefined {
  const { value } = place
  if (value === undefined) return undefined
  const isObject = typeof value === 'object' && !Array.isArray(value)
  if (isObject && !hasKeys(place, ['servers', 'leaseMs'])) return undefined
  const servers = isObject ? serversAt(place.at('servers')) : serversAt(place)
  const leaseMs = isObject ? wholeNumber(place.at('leaseMs'), LEASE_MS, 2000, 3_600_000) : LEASE_MS
  return Object.freeze({ servers, leaseMs })
}

function serversAt(place: Place): readonly string[] {
  const { value } = place
  if (value === undefined) return Object.freeze(['http://127.0.0.1:2379'])
  const places = Array.isArray(value) ? place.elements() : [place]
  if (places.length === 0) place.wrong('at least one address')
  for (const one of places) {
    const problem = etcdAddressProblem(one.value)
    if (problem !== undefined) one.wrong(problem)
  }
  return Object.freeze(places.map((one) => String(one.value)))
}

function multicastAt(place: Place): MulticastDiscovery | undefined {
  const { value } = place
  if (value === undefined || value === false) return undefined
  if (value === true) return announcementsAt
  if (!hasKeys(place, ['group', 'port'], 'true, or an object')) return undefined
  const group = place.at('group')
  if (group.value !== undefined && !isMulticast(group.value)) {
    group.expected('an IPv4 address from 224.0.0.0 to 239.255.255.255')
  }
  return Object.freeze({
    group: typeof group.value === 'string' ? group.value : announcementsAt.group,
    port: wholeNumber(place.at('port'), announcementsAt.port, 1, HIGHEST_PORT),
  })
}

function isMulticast(address: unknown): boolean {
  if (typeof address !== 'string' || !isAddress4(address)) return false
  const first = Number(address.split('.')[0])
  return first >= 224 && first <= 239
}

function isHostName(name: string): boolean {
  return name.length <= 253 && /^[\w-]+([.][\w-]+)*[.]?$/.test(name)
}
