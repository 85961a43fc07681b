import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  type JetStreamManager,
} from '@nats-io/jetstream'
import type { DurableSubscription } from '../../../lib/transport-kit.js'
import { type Entry, startedWith, toEntry } from './entry.js'
import type { Link } from './link.js'
import type { Names } from './names.js'
import { toPlace, toPlain } from './ordered-place.js'
import { isMissing } from './puller.js'
import { readStream } from './reading.js'
import { jsonOf, Records } from './records.js'
import { toNanos } from './streams.js'
import { token } from './token.js'
import { isOvertaken, Refused, refusals } from './unanswered.js'

/**
 * How many events of a subscription may be under way or wait for another try, in all instances: beyond, nothing new is
 * delivered until some of them have an end.
 */
const mostPending = 10_000
/** Requests that may wait at a consumer: each instance has one to five. */
const mostRequests = 2_048

/**
 * Which subscriptions there are, and where each of them is: a shared one has a durable consumer, an ordered one a record.
 * All of it rejects with `Unanswered` and `Refused`, and may be done again.
 */
export class Known {
  readonly #link: Link
  readonly #names: Names
  readonly #ackWaitMs: number
  readonly #records: Records

  constructor(link: Link, names: Names, ackWaitMs: number) {
    this.#link = link
    this.#names = names
    this.#ackWaitMs = ackWaitMs
    this.#records = new Records(link, names.streams.state)
  }

  /** Makes a subscription known. `from` is the first sequence that it gets if it was not: the next one unless given. */
  async add(subscription: DurableSubscription, from?: number): Promise<void> {
    const { name, ordered } = subscription
    if (ordered) await this.#addPlace(name, from)
    else await this.#addConsumer(name, from)
    const subject = this.#names.subscription(name)
    for (;;) {
      const written = await this.#records.read(subject)
      const before = toEntry(written?.value)
      const entry = startedWith(subscription, before)
      if (entry === before) return
      try {
        await this.#records.write(subject, entry, written?.sequence ?? 0)
        return
      } catch (error) {
        if (!isOvertaken(error)) throw error
      }
    }
  }

  /** Tells whether there is one of this name. */
  async has(name: string): Promise<boolean> {
    return (await this.#records.read(this.#names.subscription(name))) !== undefined
  }

  /** All there are, by name. */
  async list(): Promise<readonly Entry[]> {
    const found: Entry[] = []
    const filter = this.#names.subscriptions
    for await (const { data } of readStream(this.#link, this.#names.streams.state, { filter })) {
      const entry = toEntry(jsonOf(data))
      if (entry !== undefined) found.push(entry)
    }
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** Forgets one, with everything that waits for it. False if there is none. */
  async remove(name: string): Promise<boolean> {
    const found = await this.#records.purge(this.#names.subscription(name))
    await this.#records.purge(this.#names.ordered(name))
    await this.#deleteConsumer(name)
    await new Records(this.#link, this.#names.streams.failures).purge(this.#names.failures(name, '*'))
    await new Records(this.#link, this.#names.streams.dead).purge(this.#names.dead(name))
    return found > 0
  }

  /** The consumer of a shared subscription; undefined if there is none. */
  consumer(name: string): Promise<ConsumerInfo | undefined> {
    return this.#manage(async (manager) => {
      try {
        return await manager.consumers.info(this.#names.streams.events, token(name))
      } catch (error) {
        if ((error as { code?: unknown }).code === refusals.consumerNotFound) return undefined
        throw error
      }
    })
  }

  /** The last sequence of the events. */
  lastSequence(): Promise<number> {
    return this.#manage(async (manager) => (await manager.streams.info(this.#names.streams.events)).state.last_seq)
  }

  async #addConsumer(name: string, from: number | undefined): Promise<void> {
    const known = await this.consumer(name)
    if (known !== undefined) return this.#updateConsumer(name, known)
    const place = toPlace((await this.#records.read(this.#names.ordered(name)))?.value)
    // It was ordered: what was ended behind something open comes once more.
    const left = place === undefined ? undefined : Math.min(place.upTo + 1, ...place.open.keys())
    const first = from ?? left ?? (await this.lastSequence()) + 1
    try {
      await this.#manage((manager) => manager.consumers.add(this.#names.streams.events, this.#configOf(name, first)))
    } catch (error) {
      if (!(error instanceof Refused) || (await this.consumer(name)) === undefined) throw error // Somebody was faster.
    }
    if (place !== undefined) await this.#records.purge(this.#names.ordered(name))
  }

  /** The sequence is said instead of "what is new", which is something else after each start of a server. */
  #configOf(name: string, first: number): Partial<ConsumerConfig> {
    return {
      durable_name: token(name),
      description: `The durable subscription ${name}.`,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: first,
      max_waiting: mostRequests,
      max_deliver: -1,
      ...this.#bounds,
    }
  }

  get #bounds() {
    return { ack_wait: toNanos(this.#ackWaitMs), max_ack_pending: mostPending }
  }

  async #updateConsumer(name: string, { config }: ConsumerInfo): Promise<void> {
    const { ack_wait, max_ack_pending } = this.#bounds
    if (config.ack_wait === ack_wait && config.max_ack_pending === max_ack_pending) return
    await this.#manage((manager) => manager.consumers.update(this.#names.streams.events, token(name), this.#bounds))
  }

  async #addPlace(name: string, from: number | undefined): Promise<void> {
    if ((await this.#records.read(this.#names.ordered(name))) !== undefined) return
    const shared = await this.consumer(name)
    const left = shared === undefined ? await this.lastSequence() : handledBy(shared)
    const upTo = from === undefined ? left : from - 1
    try {
      await this.#records.write(this.#names.ordered(name), toPlain({ holder: null, upTo, open: new Map() }), 0)
    } catch (error) {
      if (!isOvertaken(error)) throw error // Somebody was faster.
    }
    await this.#deleteConsumer(name)
  }

  async #deleteConsumer(name: string): Promise<void> {
    try {
      await this.#manage((manager) => manager.consumers.delete(this.#names.streams.events, token(name)))
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }

  #manage<T>(work: (manager: JetStreamManager) => Promise<T>): Promise<T> {
    return this.#link.manage(this.#names.streams.events, work)
  }
}

/** Up to where a consumer has handled everything. It may have handled more: that comes once more. */
function handledBy({ config, delivered, ack_floor, num_ack_pending }: ConsumerInfo): number {
  const before = (config.opt_start_seq ?? 1) - 1
  return Math.max(before, num_ack_pending === 0 ? delivered.stream_seq : ack_floor.stream_seq)
}
