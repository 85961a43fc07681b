import { randomUUID } from 'node:crypto'
import type { App } from '../app.js'
import type { Auth } from '../auth.js'
import { LuciliusError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { Discovery, Finding, Transport } from '../transport.js'
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
  /** Whether an address is one of those that are known without looking. */
  readonly isKnown: (url: string) => boolean
  readonly lane: Lane
  /** How many there are of each group that is looked for. */
  readonly expected: ReadonlyMap<string, number>
  /** Proves both ends to each other without the secret on the wire: anybody may be at an address that was found. */
  readonly auth: Auth
  readonly log: Logger
}

/** Finds processes of which nobody has said where they are, and connects to each for as long as it is there. */
export class DiscoveryWay implements Way {
  readonly url = undefined
  readonly #options: DiscoveryWayOptions
  readonly #roll: RollCall
  #chain: Chain | undefined

  constructor(options: DiscoveryWayOptions) {
    this.#options = options
    this.#roll = new RollCall(options.expected)
  }

  async open(app: App): Promise<void> {
    const { name, lane, auth } = this.#options
    const make = await transportNamed(name)
    const to = (url: string) => inLane(make({ url }), { ...lane, met: (peer) => this.#roll.met(peer) })
    await app.connect(lookingFor(this.#transport(to), this.#roll), { auth, wait: false })
  }

  known(): Promise<void> {
    return this.#roll.all
  }

  async end(): Promise<void> {
    this.#roll.end()
    await this.#chain?.close()
  }

  #transport(to: (url: string) => Transport): Transport {
    const { name } = this.#options
    const refuse = async () => {
      throw new LuciliusError('LUC_OPTIONS_INVALID', `Over ${name} a process is looked for first.`)
    }
    return { name, listen: refuse, connect: refuse, discover: (finding) => this.#discover(to, finding) }
  }

  async #discover(to: (url: string) => Transport, { found }: Finding): Promise<Discovery> {
    const { group, groups, self, isKnown, log } = this.#options
    let own = self()
    const chain = new Chain(await this.#options.providers())
    this.#chain = chain
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
        if (url === own || isKnown(url)) return
        try {
          found(url, to(url))
        } catch (error) {
          // Who writes into a registry may write anything.
          log.debug({ err: error, url }, 'found an address that cannot be one')
        }
      },
    })
    return { close: () => chain.close() }
  }
}
