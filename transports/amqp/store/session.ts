import { setTimeout as sleep } from 'node:timers/promises'
import type { ConfirmChannel, ConsumeMessage } from 'amqplib'
import type { DurableSubscription, StoreDelivery, StoreHost, Verdict } from '../../../lib/transport-kit.js'
import { replaceChannel } from '../lasting-channel.js'
import { Delivery } from './delivery.js'
import { Line } from './line.js'
import type { OtherVersions } from './other-versions.js'
import type { Putting } from './putting.js'
import { decodeRecord, type Record } from './record.js'
import { inRounds } from './rounds.js'

/** What a session works with, and whom it serves. */
export interface SessionUse {
  readonly subscription: DurableSubscription
  readonly others: OtherVersions
  readonly putting: Putting
  readonly log: StoreHost['log']
  deliver(delivery: StoreDelivery): void
  /** What was under way may all have an end by now: see {@link Session.isIdle}. Resolves when that was seen to. */
  idle(): Promise<void>
  /** In order nothing may pass what is for instances of another pattern: the subscription is to be left to them. */
  leave(): void
}

/** How long a delivery that could not be put elsewhere is kept before it comes again, in ms: a broker in trouble. */
const TROUBLE_MS = 1_000

/** How long what is for instances of another pattern stays away, in ms. */
const OTHERS_MS = 1_000

/**
 * How many deliveries an ordered subscription has in hand at most. The broker's `consumer_timeout` runs from the delivery
 * on, and the last of them may have to wait for all others.
 */
const ORDERED_WINDOW = 64

/** How many deliveries a session has in hand at most. */
export function windowOf({ concurrency, ordered }: DurableSubscription): number {
  return ordered ? Math.min(concurrency, ORDERED_WINDOW) : concurrency
}

/** What a subscription has under way on one channel. When that is lost it is not ours any more: the broker delivers it again. */
export class Session {
  readonly channel: ConfirmChannel
  readonly #use: SessionUse
  readonly #running = new Set<Delivery>()
  /** Of those, what an ordered subscription gives back when it was stopped. */
  readonly #back = new Set<Delivery>()
  /** Behind an event of an ordered subscription of which it is being found out whose it is. */
  readonly #line = new Line()
  /** Resolves when the broker has what was acknowledged: it does not confirm that, but it answers in order. */
  readonly #settled: () => Promise<unknown>
  /** How much came to an ordered subscription after it was stopped. */
  #withheld = 0
  #isStopped = false
  #isOver = false

  constructor(channel: ConfirmChannel, use: SessionUse) {
    this.channel = channel
    this.#use = use
    const window = windowOf(use.subscription)
    this.#settled = inRounds(async () => channel.prefetch(window)) // as it is: it counts for later consumers only
  }

  /** How many deliveries the broker has given to it. */
  get running(): number {
    return this.#running.size + this.#withheld
  }

  /** Whether nothing is under way but what it gives back. */
  get isIdle(): boolean {
    return this.#running.size === this.#back.size
  }

  /** What an ordered subscription has not begun with goes back in its place, when the channel is closed. */
  stop(): void {
    this.#isStopped = true
  }

  /** The channel is lost, or about to be closed. */
  end(): void {
    this.#isOver = true
    this.#running.clear()
    this.#back.clear()
    this.#withheld = 0
  }

  /** Takes a delivery, behind those before it where they are in order. */
  take(message: ConsumeMessage): void {
    this.#line.add(() => (this.#isOver ? undefined : this.#take(message)))
  }

  /** Gives a promise where what comes behind it has to wait for that. */
  #take(message: ConsumeMessage): Promise<void> | undefined {
    const { subscription, putting, deliver } = this.#use
    if (this.#isStopped && subscription.ordered) {
      this.#withheld++
      return undefined
    }
    const record = this.#read(message)
    if (record === undefined) return undefined
    const { restMs = 0 } = record
    if (restMs > 0) {
      void this.#moved(message, () => putting.delay(this.channel, record, restMs)).catch(() => {})
      return undefined
    }
    if (!subscription.matches(record.event.message)) return this.#pass(message, record)
    const delivery: Delivery = new Delivery(record, message, (verdict) => this.#end(delivery, verdict))
    this.#running.add(delivery)
    deliver(delivery)
    return undefined
  }

  /** Takes what this instance does not match from the queue, unless instances of another pattern do. */
  #pass(message: ConsumeMessage, record: Record): Promise<void> | undefined {
    const { subscription, others, putting } = this.#use
    const isForOthers = () => others.want(this.channel, subscription, record.event.message)
    if (subscription.ordered) return this.#passInOrder(message, isForOthers)
    // Not with a `nack`, which would count as an attempt.
    const put = async () => {
      if (await isForOthers()) await putting.delay(this.channel, record, OTHERS_MS)
    }
    void this.#moved(message, put).catch(() => {})
    return undefined
  }

  async #passInOrder(message: ConsumeMessage, isForOthers: () => Promise<boolean>): Promise<void> {
    try {
      if (!(await isForOthers())) {
        this.channel.ack(message)
        return
      }
    } catch {
      replaceChannel(this.channel) // Nobody knows whose it is: it comes again.
      return
    }
    this.#withheld++
    if (!this.#isStopped) this.#use.leave()
  }

  /** What lies in the queue; nothing if it cannot be read: then it lies with the dead letters, for somebody to look at. */
  #read(message: ConsumeMessage): Record | undefined {
    try {
      return decodeRecord(message.content, message.properties.type)
    } catch (error) {
      const facts = { subscription: this.#use.subscription.name, id: message.properties.messageId as unknown, error }
      this.#use.log('error', facts, 'What lies in the queue of a subscription is no event.')
      this.channel.reject(message, false)
      return undefined
    }
  }

  async #end(delivery: Delivery, verdict: Verdict): Promise<void> {
    if (!this.#running.has(delivery)) return
    if (verdict.kind === 'back' && this.#use.subscription.ordered) return this.#giveBack(delivery)
    try {
      if (verdict.kind === 'done') this.channel.ack(delivery.message)
      else await this.#moved(delivery.message, () => this.#use.putting.verdict(this.channel, delivery, verdict))
      await this.#settled()
    } catch {} // The channel is lost, so is this delivery.
    this.#running.delete(delivery)
    await this.#use.idle()
  }

  /** Takes a message from the queue once it is in writing elsewhere. If it cannot be put there, it comes again. */
  async #moved(message: ConsumeMessage, put: () => Promise<void>): Promise<void> {
    const { subscription, log } = this.#use
    try {
      await put()
    } catch (error) {
      if (this.#isOver) throw error
      log('error', { subscription: subscription.name, error }, 'An event could not be put aside: it comes again.')
      await sleep(TROUBLE_MS)
      this.channel.nack(message)
      return
    }
    this.channel.ack(message)
  }

  /**
   * What is given back comes again in its place: to this instance without asking the broker, which would put it behind all
   * that is under way; to another instance with all that is given back, when the rest of it has an end.
   */
  async #giveBack(delivery: Delivery): Promise<void> {
    // Whoever gives back what it is given would never end.
    if (!this.#isStopped) await new Promise((resolve) => setImmediate(resolve))
    if (!this.#running.has(delivery)) return
    if (this.#isStopped) {
      this.#back.add(delivery)
      return this.#use.idle()
    }
    this.#running.delete(delivery)
    void this.#take(delivery.message)
  }
}
