import { setTimeout as sleep } from 'node:timers/promises'
import type { ConfirmChannel, ConsumeMessage } from 'amqplib'
import type {
  DurableSubscription,
  ServedSubscription,
  StoreDelivery,
  StoreHost,
  Verdict,
} from '../../../lib/transport-kit.js'
import type { Broker } from '../broker.js'
import { type LastingChannel, replaceChannel } from '../lasting-channel.js'
import { Delivery } from './delivery.js'
import type { Names } from './names.js'
import { Putting } from './putting.js'
import { decodeRecord, type Record } from './record.js'
import type { Registry } from './registry.js'
import { inRounds } from './rounds.js'
import { isRefused } from './trouble.js'

/** What a subscription is served with. */
export interface ServingTools {
  readonly broker: Broker
  readonly names: Names
  readonly registry: Registry
  readonly log: StoreHost['log']
  /** Called when it has left the broker, or begins to. */
  left(serving: Serving): void
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

/**
 * A subscription that this instance serves: one channel that consumes its queue. What lies in the queue is taken from it
 * only when its delivery has an end, and is then in writing elsewhere if it is to come again or is dead.
 */
export class Serving implements ServedSubscription {
  readonly name: string
  readonly #tools: ServingTools
  readonly #subscription: DurableSubscription
  readonly #deliver: (delivery: StoreDelivery) => void
  readonly #putting: Putting
  readonly #held: LastingChannel<ConfirmChannel>
  /** What is under way, on the channel that is up: what was under way on a lost one is not ours any more. */
  readonly #running = new Set<Delivery>()
  /** Of those, what an ordered subscription gives back when it was stopped. */
  readonly #back = new Set<Delivery>()
  /** How much came to an ordered subscription after it was stopped. */
  #withheld = 0
  /** The channel from which deliveries are taken. */
  #taking: ConfirmChannel | undefined
  /** What came to an ordered subscription behind an event of which it is being found out whose it is. */
  #line: Promise<void> | undefined
  #consumer: string | undefined
  #isStopped = false
  #stopped: Promise<void> | undefined

  constructor(tools: ServingTools, subscription: DurableSubscription, deliver: (delivery: StoreDelivery) => void) {
    this.name = subscription.name
    this.#tools = tools
    this.#subscription = subscription
    this.#deliver = deliver
    this.#putting = new Putting(tools.names, tools.registry, subscription.name)
    this.#held = tools.broker.hold({
      setUp: (channel) => this.#consume(channel),
      lost: () => this.#lost(),
      failed: (error) => {
        // That the broker is lost is told once, by whoever appends.
        const level = isRefused(error) ? 'error' : 'debug'
        tools.log(
          level,
          { subscription: this.name, error: error.message },
          'A subscription cannot be served at present.',
        )
      },
    })
  }

  /** How many deliveries the broker has given to this instance. */
  get running(): number {
    return this.#running.size + this.#withheld
  }

  /** Whether the broker gives it more. */
  get isConsuming(): boolean {
    return this.#consumer !== undefined
  }

  /** Resolves once it is known, and served. Rejects with what the broker refused, and when the signal aborts. */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#held.whenUp(signal)
  }

  stop(): Promise<void> {
    this.#isStopped = true
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  /** Ends it at once: what is under way goes to others, in its order. */
  async close(): Promise<void> {
    this.#isStopped = true
    this.#forget()
    this.#tools.left(this)
    await this.#held.close()
  }

  async #consume(channel: ConfirmChannel): Promise<void> {
    await this.#tools.registry.enter(channel, this.#subscription)
    await channel.prefetch(this.#window)
    this.#taking = channel
    const settled = inRounds(() => this.#settled(channel))
    const take = (message: ConsumeMessage | null) => {
      if (message === null) this.#removed(channel)
      else this.#receive(channel, message, settled)
    }
    const { consumerTag } = await channel.consume(this.#tools.names.waiting(this.name), take)
    this.#consumer = consumerTag
  }

  async #stop(): Promise<void> {
    const channel = this.#held.channel
    const consumer = this.#consumer
    if (channel === undefined || consumer === undefined) return this.close()
    // The broker lets another instance begin as soon as this one consumes no more, whatever is under way here.
    if (!this.#subscription.ordered) {
      this.#consumer = undefined
      await channel.cancel(consumer).catch(() => {}) // It was lost: nothing comes any more.
    }
    await this.#leaveWhenIdle()
  }

  /** The queue was deleted: the subscription becomes known anew, as it would by a new start. */
  #removed(channel: ConfirmChannel): void {
    if (this.#isStopped) return
    const facts = { subscription: this.name }
    this.#tools.log('warn', facts, 'A subscription was removed while it is served: it begins anew.')
    replaceChannel(channel)
  }

  #lost(): void {
    this.#forget()
    if (this.#isStopped) void this.close()
  }

  #forget(): void {
    this.#consumer = undefined
    this.#taking = undefined
    this.#line = undefined
    this.#running.clear()
    this.#back.clear()
    this.#withheld = 0
  }

  get #window(): number {
    const { concurrency, ordered } = this.#subscription
    return ordered ? Math.min(concurrency, ORDERED_WINDOW) : concurrency
  }

  /** Takes a delivery, behind those before it where they are in order. */
  #receive(channel: ConfirmChannel, message: ConsumeMessage, settled: () => Promise<void>): void {
    if (this.#line !== undefined) {
      this.#inLine(channel, () => this.#take(channel, message, settled))
      return
    }
    const taken = this.#take(channel, message, settled)
    if (taken !== undefined) this.#inLine(channel, () => taken)
  }

  /** Does something behind all that is in line, unless the channel is lost by then. */
  #inLine(channel: ConfirmChannel, next: () => Promise<void> | undefined): void {
    const line: Promise<void> = (this.#line ?? Promise.resolve())
      .then(() => (this.#taking === channel ? next() : undefined))
      .finally(() => {
        if (this.#line === line) this.#line = undefined
      })
    this.#line = line
  }

  /** Gives a promise where what comes behind it has to wait for that. */
  #take(channel: ConfirmChannel, message: ConsumeMessage, settled: () => Promise<void>): Promise<void> | undefined {
    if (this.#isStopped && this.#subscription.ordered) {
      this.#withheld++
      return undefined
    }
    const record = this.#read(channel, message)
    if (record === undefined) return undefined
    const { restMs = 0 } = record
    if (restMs > 0) {
      void this.#moved(channel, message, () => this.#putting.delay(channel, record, restMs)).catch(() => {})
      return undefined
    }
    if (!this.#subscription.matches(record.event.message)) {
      return this.#leave(channel, message, record)
    }
    const delivery: Delivery = new Delivery(record, message, (verdict) =>
      this.#end(channel, delivery, verdict, settled),
    )
    this.#running.add(delivery)
    this.#deliver(delivery)
    return undefined
  }

  /** Takes what this instance does not match from the queue, unless instances of another pattern do. */
  #leave(channel: ConfirmChannel, message: ConsumeMessage, record: Record): Promise<void> | undefined {
    const { registry } = this.#tools
    const { event } = record
    const isForOthers = () => registry.isForOthers(this.#subscription, event.message)
    if (this.#subscription.ordered) return this.#leaveInOrder(channel, message, isForOthers)
    // Not with a `nack`, which would count as an attempt.
    const put = async () => {
      if (await isForOthers()) await this.#putting.delay(channel, record, OTHERS_MS)
    }
    void this.#moved(channel, message, put).catch(() => {})
    return undefined
  }

  /** In order nothing may pass what is for others: this instance leaves the subscription to them. */
  async #leaveInOrder(
    channel: ConfirmChannel,
    message: ConsumeMessage,
    isForOthers: () => Promise<boolean>,
  ): Promise<void> {
    try {
      if (!(await isForOthers())) {
        channel.ack(message)
        return
      }
    } catch {
      replaceChannel(channel) // Nobody knows whose it is: it comes again.
      return
    }
    this.#withheld++
    if (this.#isStopped) return
    const facts = { subscription: this.name }
    this.#tools.log(
      'warn',
      facts,
      'A newer instance serves this ordered subscription with another pattern: it is left to that.',
    )
    void this.stop()
  }

  /** What lies in the queue; nothing if it cannot be read: then it lies with the dead letters, for somebody to look at. */
  #read(channel: ConfirmChannel, message: ConsumeMessage): Record | undefined {
    try {
      return decodeRecord(message.content, message.properties.type)
    } catch (error) {
      const facts = { subscription: this.name, id: message.properties.messageId as unknown, error }
      this.#tools.log('error', facts, 'What lies in the queue of a subscription is no event.')
      channel.reject(message, false)
      return undefined
    }
  }

  async #end(
    channel: ConfirmChannel,
    delivery: Delivery,
    verdict: Verdict,
    settled: () => Promise<void>,
  ): Promise<void> {
    if (!this.#running.has(delivery)) return // Its channel is lost: the broker delivers it again.
    if (verdict.kind === 'back' && this.#subscription.ordered) return this.#giveBack(channel, delivery, settled)
    try {
      if (verdict.kind === 'done') channel.ack(delivery.message)
      else await this.#moved(channel, delivery.message, () => this.#putting.verdict(channel, delivery, verdict))
      await settled()
    } catch {} // The channel is lost, so is this delivery.
    this.#running.delete(delivery)
    await this.#leaveWhenIdle()
  }

  /** Takes a message from the queue once it is in writing elsewhere. If it cannot be put there, it comes again. */
  async #moved(channel: ConfirmChannel, message: ConsumeMessage, put: () => Promise<void>): Promise<void> {
    try {
      await put()
    } catch (error) {
      if (this.#held.channel !== channel) throw error
      this.#tools.log('error', { subscription: this.name, error }, 'An event could not be put aside: it comes again.')
      await sleep(TROUBLE_MS)
      channel.nack(message)
      return
    }
    channel.ack(message)
  }

  /**
   * What is given back comes again in its place: to this instance without asking the broker, which would put it behind all
   * that is under way; to another instance with all that is given back, when the rest of it has an end.
   */
  async #giveBack(channel: ConfirmChannel, delivery: Delivery, settled: () => Promise<void>): Promise<void> {
    // Whoever gives back what it is given would never end.
    if (!this.#isStopped) await new Promise((resolve) => setImmediate(resolve))
    if (!this.#running.has(delivery)) return
    if (this.#isStopped) {
      this.#back.add(delivery)
      return this.#leaveWhenIdle()
    }
    this.#running.delete(delivery)
    void this.#take(channel, delivery.message, settled)
  }

  /** Resolves when the broker has what was acknowledged: it does not confirm that, but it answers in order. */
  async #settled(channel: ConfirmChannel): Promise<void> {
    await channel.prefetch(this.#window) // as it is: it counts for later consumers only
  }

  /** Leaves the broker if it was stopped and nothing is under way but what it gives back. */
  async #leaveWhenIdle(): Promise<void> {
    if (this.#isStopped && this.#running.size === this.#back.size) await this.close()
  }
}
