import {
  type DurableSubscription,
  decodeStoredEvent,
  type Message,
  type OpenStore,
  type ServedSubscription,
  type StoreDelivery,
  type StoredEvent,
  type StoreHost,
} from '../../../lib/transport-kit.js'
import type { Broker } from '../broker.js'
import type { Settings } from '../settings.js'
import { Admin } from './admin.js'
import { Appender } from './appending.js'
import { Ledger } from './ledger.js'
import { type Names, namesOf } from './names.js'
import { type IsServed, OtherVersions } from './other-versions.js'
import { patiently } from './patiently.js'
import { Registry } from './registry.js'
import { type Present, RollCall } from './roll-call.js'
import { Serving } from './serving.js'
import { isSpaceMissing, RETAINED_BYTES, SETTLE_MS, SUBSCRIPTIONS_BYTES } from './topology.js'
import { storeFailed } from './trouble.js'

/** For how long an instance of a former pattern may be away until what only that wants is kept no more, in ms. */
const GONE_MS = 5_000

/**
 * Opens the store that RabbitMQ is, in the space of these settings: a quorum queue for each subscription, streams for what
 * is to be read by everybody. Needs RabbitMQ 3.10. Keeps trying while the broker cannot be reached, until the host's signal
 * aborts. Rejects with `LUC_STORE_FAILED`.
 */
export async function openAmqpStore(
  broker: Broker,
  { space, maxBytes, maxBuffered }: Pick<Settings, 'space' | 'maxBytes' | 'maxBuffered'>,
  host: StoreHost,
  { settleMs = SETTLE_MS, goneMs = GONE_MS }: { readonly settleMs?: number; readonly goneMs?: number } = {},
): Promise<OpenStore> {
  const names = namesOf(space)
  const appender = new Appender(broker, names, { maxBytes, maxBuffered, settleMs }, host)
  try {
    await appender.ready(host.signal)
  } catch (error) {
    await appender.close()
    throw error
  }
  return new AmqpStore(broker, names, appender, host, { settleMs, goneMs })
}

/** Whether certainly nothing is kept in the space of these settings yet. Rejects with `LUC_UNREACHABLE`. */
export function isAmqpStoreEmpty(broker: Broker, { space }: Pick<Settings, 'space'>): Promise<boolean> {
  return isSpaceMissing(broker, namesOf(space))
}

class AmqpStore implements OpenStore {
  readonly admin: Admin
  readonly #broker: Broker
  readonly #host: StoreHost
  readonly #appender: Appender
  readonly #retained: Ledger
  readonly #subscriptions: Ledger
  readonly #registry: Registry
  readonly #rollCall: RollCall
  readonly #others: OtherVersions
  readonly #names: Names
  readonly #serving = new Set<Serving>()
  readonly #closing = new AbortController()
  #closed: Promise<void> | undefined

  constructor(
    broker: Broker,
    names: Names,
    appender: Appender,
    host: StoreHost,
    { settleMs, goneMs }: { readonly settleMs: number; readonly goneMs: number },
  ) {
    const { queues } = names
    this.#broker = broker
    this.#names = names
    this.#host = host
    this.#appender = appender
    this.#retained = new Ledger(broker, { stream: names.retained, queues, bytes: RETAINED_BYTES })
    this.#subscriptions = new Ledger(broker, { stream: names.subscriptions, queues, bytes: SUBSCRIPTIONS_BYTES })
    const closing = this.#closing.signal
    this.#rollCall = new RollCall(broker, names, () => this.#present())
    this.#registry = new Registry(names, this.#subscriptions, settleMs, closing)
    const isServed: IsServed = (...question) => this.#rollCall.isServed(...question)
    this.#others = new OtherVersions(
      names,
      this.#subscriptions,
      isServed,
      { believedMs: settleMs / 2, goneMs },
      closing,
    )
    const retained = async (signal: AbortSignal) => (await this.#retained.read(signal)).entries().length
    this.admin = new Admin({ broker, names, registry: this.#registry, rollCall: this.#rollCall, retained, closing })
  }

  readonly append = async (event: StoredEvent, signal: AbortSignal): Promise<void> => {
    const bytes = await this.#appender.append(event, signal)
    if (event.retain) this.#retained.grew(bytes)
  }

  readonly know = async (subscription: DurableSubscription): Promise<void> => {
    await this.#asked((closing) =>
      patiently(this.#broker, closing, (channel) => this.#registry.enter(channel, subscription)),
    )
  }

  readonly serve = async (
    subscription: DurableSubscription,
    deliver: (delivery: StoreDelivery) => void,
  ): Promise<ServedSubscription> => {
    const tools = {
      broker: this.#broker,
      names: this.#names,
      registry: this.#registry,
      others: this.#others,
      log: this.#host.log.bind(this.#host),
      left: (one: Serving) => this.#serving.delete(one),
    }
    const serving = new Serving(tools, subscription, deliver)
    this.#serving.add(serving)
    try {
      await this.#asked((closing) => serving.ready(closing))
      await this.#asked((closing) => this.#rollCall.ready(closing))
    } catch (error) {
      await serving.close()
      throw error
    }
    return serving
  }

  readonly retained = async (matches: (message: Message) => boolean): Promise<readonly StoredEvent[]> => {
    const table = await this.#asked((closing) => this.#retained.read(closing))
    return table.entries().flatMap(({ body }) => {
      const event = readEvent(body)
      return event !== undefined && matches(event.message) ? [event] : []
    })
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#closing.abort(new Error('the store is closed'))
    await Promise.all([...this.#serving].map((serving) => serving.close()))
    await Promise.all([this.#appender, this.#retained, this.#subscriptions, this.#rollCall].map((part) => part.close()))
  }

  #present(): Present {
    const present: Record<string, Present[string]> = {}
    for (const { name, pattern, isConsuming, running } of this.#serving) {
      const row = present[name] ?? { consumers: 0, running: 0, patterns: [] }
      present[name] = {
        consumers: row.consumers + (isConsuming ? 1 : 0),
        running: row.running + running,
        patterns: isConsuming ? [...row.patterns, pattern] : row.patterns,
      }
    }
    return present
  }

  async #asked<T>(work: (closing: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await work(this.#closing.signal)
    } catch (error) {
      throw storeFailed(this.#broker.url, error)
    }
  }
}

/** A retained event; nothing if what somebody put into the stream is none. */
function readEvent(body: Buffer): StoredEvent | undefined {
  try {
    return decodeStoredEvent(body)
  } catch {
    return undefined
  }
}
