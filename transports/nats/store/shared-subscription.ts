import type { Msg } from '@nats-io/transport-node'
import type { DurableSubscription, Failure, ServedSubscription, StoreDelivery } from '../../../lib/transport-kit.js'
import { words } from './confirming.js'
import { bury } from './dead-letters.js'
import { eventOf } from './event-of.js'
import { Histories } from './history.js'
import type { Link } from './link.js'
import type { Parts } from './parts.js'
import { placeOf } from './place-in-stream.js'
import { Puller, requestMs } from './puller.js'
import { Recent } from './recent.js'
import { type Home, SharedDelivery } from './shared-delivery.js'
import { token } from './token.js'

/** How many to remember of those that were ended: a broker that crashes has lost what it was told last. */
const remembered = 10_000

/** A subscription whose events go to whichever instance has room: a durable pull consumer that all of them fetch from. */
export class SharedSubscription implements ServedSubscription, Home {
  /** It has begun with its first request. */
  readonly begun = Promise.resolve()
  readonly link: Link
  readonly histories: Histories
  readonly ackWaitMs: number
  readonly #parts: Parts
  readonly #subscription: DurableSubscription
  readonly #deliver: (delivery: StoreDelivery) => void
  readonly #underWay = new Map<string, SharedDelivery>()
  readonly #ended = new Recent(remembered)
  readonly #puller: Puller
  readonly #unfollow: () => void
  #waryUntil = 0
  #stopping: Promise<void> | undefined

  /** `gone` is called if the consumer is not there any more, after which nothing is delivered. */
  constructor(
    parts: Parts,
    subscription: DurableSubscription,
    deliver: (delivery: StoreDelivery) => void,
    gone: () => void,
  ) {
    this.link = parts.link
    this.histories = new Histories(parts.link, parts.names, subscription.name)
    this.ackWaitMs = parts.ackWaitMs
    this.#parts = parts
    this.#subscription = subscription
    this.#deliver = deliver
    const beWary = () => {
      this.#waryUntil = performance.now() + parts.ackWaitMs + requestMs(parts.ackWaitMs)
    }
    this.#unfollow = parts.link.follow({ back: beWary })
    beWary()
    this.#puller = new Puller(parts.link, {
      stream: parts.names.streams.events,
      consumer: token(subscription.name),
      requestMs: requestMs(parts.ackWaitMs),
      room: () => subscription.concurrency - this.#underWay.size,
      take: (message) => this.#take(message),
      gone,
    })
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#puller.stop()
    return this.#stopping
  }

  /** Stops, and hands back at once what is under way. */
  async close(): Promise<void> {
    await this.stop()
    this.#unfollow()
    await Promise.all([...this.#underWay.values()].map((delivery) => delivery.abandon()))
  }

  bury({ event, sequence }: SharedDelivery, failures: readonly Failure[], signal: AbortSignal): Promise<boolean> {
    return bury(this.#parts, { subscription: this.#subscription.name, event, failures, sequence }, signal)
  }

  leave({ id }: SharedDelivery, forGood: boolean): void {
    this.#underWay.delete(id)
    if (forGood) this.#ended.add(id)
    this.#puller.refill()
  }

  #take(message: Msg): void {
    const place = placeOf(message)
    if (place === undefined) return
    const { reply = '' } = message
    const known = this.#underWay.get(place.id)
    if (known !== undefined) {
      known.renew(reply)
      return
    }
    const isEnded = this.#ended.has(place.id)
    const event = isEnded ? undefined : eventOf(this.#parts, this.#subscription, message)
    if (event === undefined) {
      this.link.say(reply, words.done)
      return
    }
    const delivery = new SharedDelivery(this, event, place, reply)
    this.#underWay.set(place.id, delivery)
    if (this.#stopping !== undefined) void this.#refuse(delivery)
    else if (place.deliveries === 1 && !this.#isWary) this.#deliver(delivery)
    else void this.#deliverAgain(delivery)
  }

  /**
   * Servers before 2.10 may deliver the latest event once more as if it were new, soon after an instance crashed: see
   * {@link Puller.stop}. So at first it is looked up what is known of it.
   */
  get #isWary(): boolean {
    return this.link.isOldServer && performance.now() < this.#waryUntil
  }

  async #deliverAgain(delivery: SharedDelivery): Promise<void> {
    const isKnown = await delivery.recall()
    if (this.#stopping !== undefined) return this.#refuse(delivery)
    if (isKnown) return this.#deliver(delivery)
    this.leave(delivery, false)
  }

  /** It came when nothing more was wanted: for somebody else, and not as an attempt. */
  async #refuse(delivery: SharedDelivery): Promise<void> {
    await this.#stopping
    await delivery.recall()
    await delivery.end({ kind: 'back' })
  }
}
