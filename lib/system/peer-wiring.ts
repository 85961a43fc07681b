import type { App, Plugin } from '../app.js'
import { sharedSecret } from '../auth.js'
import { LuciliusError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { AddressBook } from './address-book.js'
import { notOpen } from './doors.js'
import { late } from './late.js'
import type { Deployment, Group } from './system.js'
import { areLinked, type ProcessPlan, processesOf } from './topology.js'
import { transportNamed } from './transport-named.js'

/** What joins a process to the others of its system. */
export interface PeerWiringOptions {
  readonly deployment: Deployment
  readonly process: ProcessPlan
  readonly addresses: AddressBook
  readonly secret: string | undefined
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
  /** Resolves when the others have been met once, or the process is closed. */
  known(): Promise<void>
}

/** Stands where no service can: names of services are written in a description. */
const NAME = '(peers)'

/**
 * Joins a process to those that it is linked to: it listens for them, and connects to each without waiting for it.
 * Undefined for a process that is alone. Throws `LUC_OPTIONS_INVALID` if there is no secret, or one that is too short.
 */
export function peerWiring(options: PeerWiringOptions): PeerWiring | undefined {
  const { deployment, process, addresses, reachable } = options
  nameAll(deployment, addresses)
  const partners = addresses.ids().filter((id) => isPartner(deployment, process, id))
  if (partners.length === 0 && !reachable) return undefined
  return new Wiring(options)
}

class Wiring implements PeerWiring {
  readonly plugin: Plugin
  readonly #options: PeerWiringOptions
  readonly #auth: ReturnType<typeof sharedSecret>
  url: string | undefined
  failure: unknown
  readonly #known = new Map<string, Promise<void>>()
  /** What ends the wait for each of them. */
  readonly #found = new Set<() => void>()

  constructor(options: PeerWiringOptions) {
    this.#options = options
    this.#auth = sharedSecret(options.secret ?? noSecret(options))
    this.plugin = { name: NAME, setup: (app: App) => this.#setUp(app) }
  }

  async known(): Promise<void> {
    await Promise.all(this.#known.values())
  }

  #setUp(app: App): void {
    const { addresses } = this.#options
    let stop = () => {}
    app.onReady(async () => {
      await this.#listen(app)
      for (const id of addresses.ids()) await this.#meet(app, id)
      stop = addresses.onId((id) => void this.#meet(app, id).catch(() => {})) // it rejects once the app is closed
    })
    app.onClose(() => {
      stop()
      for (const found of this.#found) found()
    })
  }

  async #listen(app: App): Promise<void> {
    const { deployment, process, addresses, onListening } = this.#options
    const { port, group } = process
    const { host } = group.listen
    const make = await transportNamed(deployment.transport)
    const everything = { expose: '*', events: { in: '*', out: '*' } } as const
    try {
      const { url } = await app.listen(make({ port, host }), { ...everything, audience: 'peers', auth: this.#auth })
      this.url = url
    } catch (error) {
      this.failure = notOpen(`The listener of '${process.id}' for its peers`, { host, port }, error)
      throw this.failure
    }
    addresses.set(process.id, this.url)
    onListening?.(this.url)
  }

  async #meet(app: App, id: string): Promise<void> {
    const { deployment, process, addresses, log } = this.#options
    if (!isPartner(deployment, process, id)) return
    const name = deployment.transport
    const make = await transportNamed(name)
    let onFound = () => {}
    const found = new Promise<void>((resolve) => {
      onFound = resolve
    })
    this.#known.set(id, found)
    this.#found.add(onFound)
    const to = late({ id, name, addresses, to: (url) => make({ url }), log, onFound })
    await app.connect(to, { auth: this.#auth, wait: false })
  }
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
