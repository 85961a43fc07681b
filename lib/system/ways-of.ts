import { sharedSecret } from '../auth.js'
import { LuciliusError } from '../errors.js'
import type { Logger } from '../logger.js'
import { quieter } from '../quieter.js'
import type { AddressBook } from './address-book.js'
import { BrokerWay } from './broker-way.js'
import type { Brokers } from './brokers.js'
import { hrefOf, isAddress4, isAddress6 } from './checks/address.js'
import { DirectWay } from './direct-way.js'
import { advertised } from './discovery/advertised.js'
import { providersOf } from './discovery/providers-of.js'
import { isDiscovering, sourcesOf } from './discovery/sources.js'
import { DiscoveryWay } from './discovery-way.js'
import { addressesOf, type Environment } from './environment.js'
import { hostAndPort } from './host-names.js'
import type { Lane } from './lane.js'
import { groupOf, isLinked, isPartner } from './partners.js'
import { countOf } from './roll-call.js'
import { routeOf } from './route-of.js'
import type { SecondOnes } from './second-ones.js'
import type { Deployment } from './system.js'
import { areLinked, type ProcessPlan } from './topology.js'
import { brokersOf, directOf, transportsOf } from './transports-used.js'
import type { Way } from './way.js'

/** What decides how a process meets the others of its system. */
export interface WaysOptions {
  readonly deployment: Deployment
  readonly process: ProcessPlan
  readonly addresses: AddressBook
  /** Processes of which nobody will know where they listen: only a broker leads to them. */
  readonly unaddressed?: ReadonlySet<string>
  /** Groups whose processes are looked for, where the deployment says how: all, unless given. */
  readonly lookedFor?: ReadonlySet<string>
  readonly secret: string | undefined
  readonly brokers: Brokers
  /** What tells this system from others that look for each other in the same place. */
  readonly space: string
  readonly environment?: Partial<Pick<Environment, 'advertise' | 'discovery' | 'peers'>>
  /** Tells of connections that come and go at level `debug`. */
  readonly quietConnections?: boolean
  readonly log: Logger
}

/**
 * A port of its own, and a connection to each of those that have an address; undefined where all goes through brokers. Throws
 * `LUC_OPTIONS_INVALID` without a secret.
 */
export function directWay(options: WaysOptions): DirectWay | undefined {
  const { deployment, process, addresses, unaddressed, secret, quietConnections, log } = options
  const name = directOf(deployment)
  if (name === undefined) return undefined
  return new DirectWay({
    name,
    process,
    addresses,
    isPartner: (id) => isPartner(deployment, process, id) && unaddressed?.has(id) !== true,
    auth: sharedSecret(secret ?? noSecret(options), { hosts: ownHosts(options) }),
    lane: deployment.routes.length === 0 ? undefined : { carries: carriedBy(deployment, name), hears: () => true },
    log: quietConnections === true ? quieter(log) : log,
  })
}

/** By what others dial this process where that is not an address of its machine, as far as somebody has said it. */
function ownHosts({
  process: { group, replica, port },
  environment: { advertise, peers } = {},
}: WaysOptions): string[] {
  const { host, urls: described } = group.listen
  const urls = (peers === undefined ? undefined : addressesOf({ peers }, group.name)) ?? described
  const url = urls?.[replica - 1]
  return [
    ...(advertise === undefined ? [] : [advertise]),
    ...(url === undefined ? [] : [new URL(url).host]),
    ...(isAddress4(host) || isAddress6(host) || host === 'localhost'
      ? []
      : [port === 0 ? host : hostAndPort(host, port)]),
  ]
}

/** What leads to those of whom nobody says where they are, to be opened behind the listener; none where nobody looks. */
export function discoveryWays(options: WaysOptions, direct: DirectWay | undefined, seconds: SecondOnes): Way[] {
  const groups = lookedFor(options)
  if (direct === undefined || groups.length === 0) return []
  const { deployment, process, addresses, unaddressed, environment, secret, space, log } = options
  const { name } = direct
  const known = secret ?? noSecret(options)
  const sources = sourcesOf({ discovery: deployment.discovery, environment: environment?.discovery })
  const looker = { transport: name, space, secret: known, etcd: environment?.discovery?.etcd }
  const expected = [...(unaddressed ?? [])].filter((id) => isPartner(deployment, process, id))
  return [
    new DiscoveryWay({
      name,
      providers: () => providersOf(sources, looker),
      group: process.group.name,
      groups,
      // It listens by then.
      self: () => advertised(direct.url as string, process.group.listen.host, environment?.advertise),
      isKnown: (url) => addresses.ids().some((id) => hrefOf(addresses.urlOf(id)) === url),
      lane: meetingLane(options, name, seconds),
      expected: countOf(expected.flatMap((id) => groupOf(deployment, id)?.name ?? [])),
      auth: sharedSecret(known, { mutual: true }),
      log,
    }),
  ]
}

/** The groups of which a process looks for others. */
export function lookedFor({ deployment, process, lookedFor, environment }: WaysOptions): string[] {
  if (directOf(deployment) === undefined) return []
  if (!isDiscovering({ discovery: deployment.discovery, environment: environment?.discovery })) return []
  const linked = [...deployment.groups.values()].filter((group) => areLinked(process.group, group))
  return linked.map(({ name }) => name).filter((name) => lookedFor?.has(name) !== false)
}

/** What leads to everybody at each broker. */
export function brokerWays(options: WaysOptions, seconds: SecondOnes): BrokerWay[] {
  const { deployment, process, addresses, brokers, log } = options
  const partners = addresses.ids().filter((id) => isPartner(deployment, process, id))
  const expected = countOf(partners.flatMap((id) => groupOf(deployment, id)?.name ?? []))
  return brokersOf(deployment).map(
    (name) => new BrokerWay({ name, brokers, lane: meetingLane(options, name, seconds), expected, log }),
  )
}

/** What goes over a transport by which processes find each other. */
function meetingLane({ deployment, process }: WaysOptions, name: string, seconds: SecondOnes): Lane {
  return {
    carries: carriedBy(deployment, name),
    hears: (peer) => isLinked(deployment, process, peer),
    met: (peer, url) => seconds.met(peer, url),
    left: (peer) => seconds.left(peer),
  }
}

/** Whether a transport carries a pattern; where there is only one, it carries all. */
function carriedBy(deployment: Deployment, name: string): Lane['carries'] {
  const isOnly = transportsOf(deployment).length === 1
  const route = routeOf(deployment)
  return (pattern) => isOnly || route(pattern) === name
}

function noSecret({ deployment, process }: WaysOptions): never {
  throw new LuciliusError(
    'LUC_OPTIONS_INVALID',
    `'${process.id}' is one of several processes of '${deployment.name}', which prove by a secret that they belong together: set LUCILIUS_SECRET or LUCILIUS_SECRET_FILE, the same for all. Make one: openssl rand -base64 32`,
  )
}
