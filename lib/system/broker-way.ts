import type { App } from '../app.js'
import type { PeerInfo } from '../handler.js'
import type { Logger } from '../logger.js'
import type { Discovery } from '../transport.js'
import type { Brokers } from './brokers.js'
import { inLane, type Lane } from './lane.js'
import { lookingFor } from './looking-for.js'
import { reachBroker } from './reach-broker.js'
import { RollCall } from './roll-call.js'
import type { BrokerName } from './transports-used.js'
import type { Way } from './way.js'

/** What a process needs to meet the others at a broker. */
export interface BrokerWayOptions {
  readonly name: BrokerName
  readonly brokers: Brokers
  /** What goes over it, and whose words count. */
  readonly lane: Lane
  /** How many there are of each group, this process left out. */
  readonly expected: ReadonlyMap<string, number>
  readonly log: Logger
}

/** Listens at a broker, and finds everybody there. The broker says who may come in: there is no secret between peers. */
export class BrokerWay implements Way {
  readonly #options: BrokerWayOptions
  readonly #roll: RollCall
  readonly #over = new AbortController()
  #probe: Discovery | undefined
  url: string | undefined

  constructor(options: BrokerWayOptions) {
    this.#options = options
    this.#roll = new RollCall(options.expected)
  }

  async reach(): Promise<void> {
    const { name, brokers, log } = this.#options
    this.#probe = await reachBroker(name, await brokers.get(name), log, this.#over.signal)
  }

  async open(app: App): Promise<void> {
    const { name, brokers, lane } = this.#options
    const met = (peer: PeerInfo) => {
      this.#roll.met(peer)
      lane.met?.(peer)
    }
    const transport = inLane(await brokers.get(name), { ...lane, met })
    const { url } = await app.listen(transport, { expose: '*', events: { in: '*', out: '*' }, audience: 'peers' })
    this.url = url
    await app.connect(lookingFor(transport, this.#roll), { wait: false })
    this.#letGo()
  }

  get unmet(): readonly string[] {
    return this.#roll.unmet
  }

  known(): Promise<void> {
    return this.#roll.all
  }

  async end(): Promise<void> {
    this.#over.abort()
    this.#roll.end()
    this.#letGo()
  }

  /** The connection to the broker is held by what was opened. The search may not be over: nobody waits for that. */
  #letGo(): void {
    const probe = this.#probe
    this.#probe = undefined
    probe?.close().catch(() => {}) // the broker was lost: there is nothing left to hold
  }
}
