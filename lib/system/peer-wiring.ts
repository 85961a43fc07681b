import type { App, Plugin } from '../app.js'
import type { DirectWay } from './direct-way.js'
import { isPartner, nameAll } from './partners.js'
import { SecondOnes } from './second-ones.js'
import type { Way } from './way.js'
import { brokerWays, directWay, discoveryWays, lookedFor, type WaysOptions } from './ways-of.js'

/** What joins a process to the others of its system. */
export interface PeerWiringOptions extends WaysOptions {
  /** Services of this process of which there is to be one in the whole system. */
  readonly singletons: readonly string[]
  /** The id by which others know this process. */
  readonly instance: () => string
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
  /** The groups that are looked for, and of which nobody was met so far. */
  readonly unmet: readonly string[]
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
  readonly #seconds: SecondOnes

  constructor(options: PeerWiringOptions) {
    const { process, singletons, instance, log } = options
    this.#options = options
    this.#direct = directWay(options)
    this.#seconds = new SecondOnes({ group: process.group.name, singletons, instance, log })
    this.#ways = [
      ...(this.#direct === undefined ? [] : [this.#direct]),
      ...discoveryWays(options, this.#direct, this.#seconds),
      ...brokerWays(options, this.#seconds),
    ]
    this.plugin = { name: NAME, setup: (app: App) => this.#setUp(app) }
  }

  /** That of a port, if it has one. */
  get url(): string | undefined {
    return this.#ways.find(({ url }) => url !== undefined)?.url
  }

  get failure(): unknown {
    return this.#direct?.failure
  }

  get unmet(): readonly string[] {
    return [...new Set(this.#ways.flatMap(({ unmet = [] }) => unmet))]
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
      this.#seconds.end()
      await Promise.all(this.#ways.map((way) => way.end()))
    })
  }
}
