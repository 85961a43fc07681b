import type { App, Plugin } from '../app.js'
import { sharedSecret } from '../auth.js'
import { LuciliusError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { AddressBook } from './address-book.js'
import { BrokerWay } from './broker-way.js'
import type { Brokers } from './brokers.js'
import { hrefOf, isAddress4, isAddress6 } from './checks/address.js'
import { DirectWay } from './direct-way.js'
import { advertised } from './discovery/advertised.js'
import { isDiscovering, providersOf } from './discovery/providers-of.js'
import { DiscoveryWay } from './discovery-way.js'
import { addressesOf, type Environment } from './environment.js'
import { hostAndPort } from './host-names.js'
import type { Lane } from './lane.js'
import { countOf } from './roll-call.js'
import { routeOf } from './route-of.js'
import type { Deployment, Group } from './system.js'
import { areLinked, type ProcessPlan, processesOf } from './topology.js'
import { brokersOf, directOf, transportsOf } from './transports-used.js'
import type { Way } from './way.js'

/** What joins a process to the others of its system. */
export interface PeerWiringOptions {
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
  readonly log: Logger
  /** Opens the listener for peers also if there is no other process. */
  readonly reachable: boolean
  /** Called with the address at which peers reach this process, before any service starts. */
  readonly onListening: ((url: string) => void) | undefined
}

/** What joins a process to the others: a plugin, and what came of it. */
export interface PeerWiring {
  /** To be used before all others, so that hooks of services may act on services elsewhere. */
  readonly plugin: Plugin
  /** Where peers reach this process, once it listens. */
  readonly url: string | undefined
  /** What kept it from listening, as it should be told. */
  readonly failure: unknown
  /**
   * Resolves when every broker answers, which may take as long as it takes: so it is no part of the start of the app, whose
   * hooks have a time limit. Rejects with what no second try changes.
   */
  reach(): Promise<void>
  /** Resolves when the others have been met once, or the process is closed. */
  known(): Promise<void>
}

/** Stands where no service can: names of services are written in a description. */
const NAME = '(peers)'

/**
 * Joins a process to those that it is linked to: it listens for them, and connects to each without waiting for it.
 * Undefined for a process that is alone. Throws `LUC_OPTIONS_INVALID` if a secret is needed and there is none, or one that is
 * too short.
 */
export function peerWiring(options: PeerWiringOptions): PeerWiring | undefined {
  const { deployment, process, addresses, reachable } = options
  nameAll(deployment, addresses)
  const partners = addresses.ids().filter((id) => isPartner(deployment, process, id))
  if (partners.length === 0 && !reachable && lookedFor(options).length === 0) return undefined
  return new Wiring(options)
}

class Wiring implements PeerWiring {
  readonly plugin: Plugin
  readonly #options: PeerWiringOptions
  readonly #ways: readonly Way[]
  readonly #direct: DirectWay | undefined

  constructor(options: PeerWiringOptions) {
    this.#options = options
    this.#direct = directWay(options)
    this.#ways = [...directWays(options, this.#direct), ...brokerWays(options)]
    this.plugin = { name: NAME, setup: (app: App) => this.#setUp(app) }
  }

  /** That of a port, if it has one. */
  get url(): string | undefined {
    return this.#ways.find(({ url }) => url !== undefined)?.url
  }

  get failure(): unknown {
    return this.#direct?.failure
  }

  async reach(): Promise<void> {
    await Promise.all(this.#ways.map((way) => way.reach?.()))
  }

  async known(): Promise<void> {
    await Promise.all(this.#ways.map((way) => way.known()))
  }

  #setUp(app: App): void {
    app.onReady(async () => {
      for (const way of this.#ways) await way.open(app)
      if (this.url === undefined) return
      this.#options.addresses.set(this.#options.process.id, this.url)
      this.#options.onListening?.(this.url)
    })
    app.onClose(async () => {
      await Promise.all(this.#ways.map((way) => way.end()))
    })
  }
}

function directWay(options: PeerWiringOptions): DirectWay | undefined {
  const { deployment, process, addresses, unaddressed, secret, log } = options
  const name = directOf(deployment)
  if (name === undefined) return undefined
  return new DirectWay({
    name,
    process,
    addresses,
    isPartner: (id) => isPartner(deployment, process, id) && unaddressed?.has(id) !== true,
    auth: sharedSecret(secret ?? noSecret(options), { hosts: ownHosts(options) }),
    lane: deployment.routes.length === 0 ? undefined : { carries: carriedBy(deployment, name), hears: () => true },
    log,
  })
}

/** By what others dial this process where that is not an address of its machine, as far as somebody has said it. */
function ownHosts({
  process: { group, replica, port },
  environment: { advertise, peers } = {},
}: PeerWiringOptions): string[] {
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

/** A port of its own, and what leads to those of whom nobody says where they are. */
function directWays(options: PeerWiringOptions, direct: DirectWay | undefined): Way[] {
  const groups = lookedFor(options)
  if (direct === undefined || groups.length === 0) return direct === undefined ? [] : [direct]
  const { deployment, process, addresses, unaddressed, environment, secret, space, log } = options
  const { name } = direct
  const known = secret ?? noSecret(options)
  const ways = {
    discovery: deployment.discovery,
    environment: environment?.discovery,
    transport: name,
    space,
    secret: known,
  }
  const expected = [...(unaddressed ?? [])].filter((id) => isPartner(deployment, process, id))
  return [
    direct,
    new DiscoveryWay({
      name,
      providers: () => providersOf(ways),
      group: process.group.name,
      groups,
      // It is opened behind the listener.
      self: () => advertised(direct.url as string, process.group.listen.host, environment?.advertise),
      isKnown: (url) => addresses.ids().some((id) => hrefOf(addresses.urlOf(id)) === url),
      lane: { carries: carriedBy(deployment, name), hears: (peer) => isLinked(deployment, process, peer) },
      expected: countOf(expected.flatMap((id) => groupOf(deployment, id)?.name ?? [])),
      auth: sharedSecret(known, { mutual: true }),
      log,
    }),
  ]
}

/** The groups of which a process looks for others. */
function lookedFor({ deployment, process, lookedFor, environment }: PeerWiringOptions): string[] {
  if (directOf(deployment) === undefined) return []
  if (!isDiscovering({ discovery: deployment.discovery, environment: environment?.discovery })) return []
  const linked = [...deployment.groups.values()].filter((group) => areLinked(process.group, group))
  return linked.map(({ name }) => name).filter((name) => lookedFor?.has(name) !== false)
}

function brokerWays({ deployment, process, addresses, brokers, log }: PeerWiringOptions): BrokerWay[] {
  const partners = addresses.ids().filter((id) => isPartner(deployment, process, id))
  const expected = countOf(partners.flatMap((id) => groupOf(deployment, id)?.name ?? []))
  return brokersOf(deployment).map((name) => {
    const lane = { carries: carriedBy(deployment, name), hears: (peer: string) => isLinked(deployment, process, peer) }
    return new BrokerWay({ name, brokers, lane, expected, log })
  })
}

/** Whether a transport carries a pattern; where there is only one, it carries all. */
function carriedBy(deployment: Deployment, name: string): Lane['carries'] {
  const isOnly = transportsOf(deployment).length === 1
  const route = routeOf(deployment)
  return (pattern) => isOnly || route(pattern) === name
}

/** Names the processes of those groups of which none is known yet, so that what they will answer is waited for. */
function nameAll(deployment: Deployment, addresses: AddressBook): void {
  const known = new Set(addresses.ids().map((id) => groupOf(deployment, id)?.name))
  for (const { id, group } of processesOf(deployment)) if (!known.has(group.name)) addresses.set(id, undefined)
}

function isPartner(deployment: Deployment, process: ProcessPlan, id: string): boolean {
  const group = groupOf(deployment, id)
  return id !== process.id && group !== undefined && areLinked(process.group, group)
}

/** Whether a peer is of a group that this one is linked to: the apps of processes have the names of their groups. */
function isLinked({ groups }: Deployment, { group }: ProcessPlan, peer: string): boolean {
  const other = groups.get(peer)
  return other !== undefined && areLinked(group, other)
}

/** A process is called like its group, with the number of the replica behind if there are several. */
function groupOf({ groups }: Deployment, id: string): Group | undefined {
  return groups.get(id) ?? groups.get(id.replace(/\.\d+$/, ''))
}

function noSecret({ deployment, process }: PeerWiringOptions): never {
  throw new LuciliusError(
    'LUC_OPTIONS_INVALID',
    `'${process.id}' is one of several processes of '${deployment.name}', which prove by a secret that they belong together: set LUCILIUS_SECRET or LUCILIUS_SECRET_FILE, the same for all. Make one: openssl rand -base64 32`,
  )
}
