import type { BrokerPlace } from './broker-options.js'
import { type Broker, brokerNamed } from './transport-named.js'
import type { BrokerName } from './transports-used.js'

/** The brokers that one process talks to: each is one object, which has one connection, whatever it is used for. */
export class Brokers {
  readonly #place: BrokerPlace
  readonly #known = new Map<BrokerName, Promise<Broker>>()

  constructor(place: BrokerPlace) {
    this.#place = place
  }

  /** The broker of a name; connects to nothing yet. Rejects with `LUC_OPTIONS_INVALID`. */
  get(name: BrokerName): Promise<Broker> {
    const known = this.#known.get(name) ?? brokerNamed(name, this.#place)
    this.#known.set(name, known)
    return known
  }
}
