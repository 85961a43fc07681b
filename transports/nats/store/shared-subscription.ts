import type { Msg } from '@nats-io/transport-node'
import type { DurableSubscription, Failure, ServedSubscription, StoreDelivery } from '../../../lib/transport-kit.js'
import { words } from './confirming.js'
import { bury } from './dead-letters.js'
import { type EventMessage, eventOf } from './event-of.js'
import { Histories } from './history.js'
import type { Link } from './link.js'
import { OtherVersions } from './other-versions.js'
import type { Parts } from './parts.js'
import { type PlaceInStream, placeOf } from './place-in-stream.js'
import { Puller, requestMs } from './puller.js'
import { Recent } from './recent.js'
import { type Home, SharedDelivery } from './shared-delivery.js'
import { token } from './token.js'

/** How many to remember of those that were ended: a broker that crashes has lost what it was told last. */
const remembered = 10_000
/**
 * After how many ms, on average, an event comes again that only instances of another version want: to one of them, it may
 * be. In step with the requests of both it would always come to the same one.
 */
const handOnMs = 1_000

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
  readonly #others: OtherVersions
  /** How many events wait for what other versions want. */
  #unsure = 0
  #waryUntil = 0
  #stopping: Promise<void> | undefined
  #isStopped = false
  #setOver: () => void = () => {}

  /** Resolves when it was stopped, and nothing is under way any more. */
  readonly over = new Promise<void>((resolve) => {
    this.#setOver = resolve
  })

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
    this.#others = new OtherVersions(parts, subscription)
    beWary()
    this.#puller = new Puller(parts.link, {
      stream: parts.names.streams.events,
      consumer: token(subscription.name),
      requestMs: requestMs(parts.ackWaitMs),
      room: () => subscription.concurrency - this.#underWay.size - this.#unsure,
      take: (message) => this.#take(message),
      gone: () => {
        this.#forget()
        gone()
      },
    })
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** Stops, and hands back at once what is under way. */
  async close(): Promise<void> {
    await this.stop()
    await Promise.all([...this.#underWay.values()].map((delivery) => delivery.abandon()))
  }

  bury({ event, sequence }: SharedDelivery, failures: readonly Failure[], signal: AbortSignal): Promise<boolean> {
    return bury(this.#parts, { subscription: this.#subscription.name, event, failures, sequence }, signal)
  }

  leave({ id }: SharedDelivery, forGood: boolean): void {
    this.#underWay.delete(id)
    if (forGood) this.#ended.add(id)
    this.#puller.refill()
    this.#checkOver()
  }

  async #stop(): Promise<void> {
    await this.#puller.stop()
    this.#forget()
    this.#isStopped = true
    this.#checkOver()
  }

  #forget(): void {
    this.#unfollow()
    this.#others.close()
  }

  #checkOver(): void {
    if (this.#isStopped && this.#underWay.size === 0 && this.#unsure === 0) this.#setOver()
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
      if (isEnded) this.link.say(reply, words.done)
      else if (this.#others.isFresh) this.#pass(message, place)
      else void this.#learnAndPass(message, place)
      return
    }
    const delivery = new SharedDelivery(this, event, place, reply)
    this.#underWay.set(place.id, delivery)
    if (this.#stopping !== undefined) void this.#refuse(delivery)
    else if (place.deliveries === 1 && !this.#isWary) this.#deliver(delivery)
    else void this.#deliverAgain(delivery)
  }

  async #learnAndPass(message: Msg, place: PlaceInStream): Promise<void> {
    this.#unsure++
    try {
      await this.#others.read()
      this.#pass(message, place)
    } catch {
      // It comes again after the ack wait.
    }
    this.#unsure--
    this.#puller.refill()
    this.#checkOver()
  }

  /** What this instance does not want is behind the subscription, unless instances of another version do. */
  #pass(message: EventMessage & { readonly reply?: string }, place: PlaceInStream): void {
    const { reply = '' } = message
    const event = this.#others.wanted(message)
    if (event === undefined) {
      this.link.say(reply, words.done)
      return
    }
    if (this.#underWay.has(place.id)) return
    const delivery = new SharedDelivery(this, event, place, reply)
    this.#underWay.set(place.id, delivery)
    void delivery.handOn(handOnMs * (0.5 + Math.random()))
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
