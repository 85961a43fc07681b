import { randomUUID } from 'node:crypto'
import type { App } from '../app.js'
import type { Auth } from '../auth.js'
import { LuciliusError } from '../errors.js'
import type { PeerInfo } from '../handler.js'
import type { Logger } from '../logger.js'
import type { Discovery, Finding, Transport } from '../transport.js'
import { addressProblem, hrefOf, schemesOf } from './checks/address.js'
import { Chain } from './discovery/chain.js'
import type { Provider } from './discovery/provider.js'
import { inLane, type Lane } from './lane.js'
import { lookingFor } from './looking-for.js'
import { RollCall } from './roll-call.js'
import { transportNamed } from './transport-named.js'
import type { DirectName } from './transports-used.js'
import type { Way } from './way.js'

/** What a process needs to find the others and to be found. */
export interface DiscoveryWayOptions {
  readonly name: DirectName
  /** How others are found, the one that is heard first before the others. */
  readonly providers: () => Promise<readonly Provider[]>
  /** The group of this process. */
  readonly group: string
  /** The groups whose processes are looked for. */
  readonly groups: readonly string[]
  /** Where the others reach this process; it listens by now. */
  readonly self: () => string
  /** Whether an address, as `URL` writes it, is one of those that are known without looking. */
  readonly isKnown: (url: string) => boolean
  readonly lane: Lane
  /** How many there are of each group that is looked for. */
  readonly expected: ReadonlyMap<string, number>
  /** Proves both ends to each other without the secret on the wire: anybody may be at an address that was found. */
  readonly auth: Auth
  readonly log: Logger
}

/** Milliseconds after which it tells whom it has not found. */
const TELL_MS = 10_000

/** Addresses that are told then. */
const MOST_TOLD = 10

/** Finds processes of which nobody has said where they are, and connects to each for as long as it is there. */
export class DiscoveryWay implements Way {
  readonly url = undefined
  readonly #options: DiscoveryWayOptions
  readonly #roll: RollCall
  #chain: Chain | undefined
  #timer: NodeJS.Timeout | undefined
  /** Some of the addresses that were found, to be told. */
  readonly #found = new Set<string>()

  constructor(options: DiscoveryWayOptions) {
    this.#options = options
    this.#roll = new RollCall(options.expected)
  }

  async open(app: App): Promise<void> {
    const { name, lane, auth } = this.#options
    const make = await transportNamed(name)
    const to = (url: string) => inLane(make({ url }), { ...lane, met: (peer) => this.#met(peer, url) })
    await app.connect(lookingFor(this.#transport(to), this.#roll), { auth, wait: false })
    this.#timer = setTimeout(() => this.#tellMissing(), TELL_MS).unref()
  }

  get unmet(): readonly string[] {
    return this.#roll.unmet
  }

  known(): Promise<void> {
    return this.#roll.all
  }

  async end(): Promise<void> {
    clearTimeout(this.#timer)
    this.#roll.end()
    await this.#chain?.close()
  }

  #met(peer: PeerInfo, url: string): void {
    this.#roll.met(peer)
    this.#options.lane.met?.(peer, url)
  }

  #tellMissing(): void {
    const { unmet } = this
    if (unmet.length === 0) return
    this.#options.log.warn({ groups: unmet, found: [...this.#found] }, 'has met nobody of these groups yet')
  }

  #transport(to: (url: string) => Transport): Transport {
    const { name } = this.#options
    const refuse = async () => {
      throw new LuciliusError('LUC_OPTIONS_INVALID', `Over ${name} a process is looked for first.`)
    }
    // Most addresses that are found are known already: what connects to one is made when it is used.
    const leadTo = (url: string): Transport => ({
      name,
      listen: refuse,
      connect: async (observer) => to(url).connect(observer),
    })
    return { name, listen: refuse, connect: refuse, discover: (finding) => this.#discover(leadTo, finding) }
  }

  async #discover(leadTo: (url: string) => Transport, { found }: Finding): Promise<Discovery> {
    const { name, group, groups, self, isKnown, log } = this.#options
    let own = self()
    const providers = await this.#options.providers()
    const chain = new Chain(providers)
    this.#chain = chain
    log.info({ by: providers.map((one) => one.name), groups, url: own }, 'looking for other processes')
    await chain.open({
      groups,
      self: {
        group,
        instance: randomUUID(),
        // Another one when the machine gets another network.
        get url() {
          own = self()
          return own
        },
      },
      log,
      found: (url) => {
        // Who writes into a registry may write anything.
        const problem = addressProblem(url, schemesOf[name])
        if (problem !== undefined) return log.debug({ url: url.slice(0, 200), problem }, 'found what is no address')
        const { href } = new URL(url)
        if (href === hrefOf(own) || isKnown(href)) return
        if (this.#found.size < MOST_TOLD) this.#found.add(href)
        found(href, leadTo(href))
      },
    })
    return { close: () => chain.close() }
  }
}
