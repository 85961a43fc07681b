import type { ConfirmChannel } from 'amqplib'
import type { DurableSubscription, ServedSubscription, StoreDelivery, StoreHost } from '../../../lib/transport-kit.js'
import type { Broker } from '../broker.js'
import { type LastingChannel, replaceChannel } from '../lasting-channel.js'
import type { Names } from './names.js'
import type { OtherVersions } from './other-versions.js'
import { Putting } from './putting.js'
import type { Registry } from './registry.js'
import { Session, type SessionUse, windowOf } from './session.js'
import { isRefused } from './trouble.js'

/** What a subscription is served with. */
export interface ServingTools {
  readonly broker: Broker
  readonly names: Names
  readonly registry: Registry
  readonly others: OtherVersions
  readonly log: StoreHost['log']
  /** Called when it has left the broker, or begins to. */
  left(serving: Serving): void
}

/**
 * A subscription that this instance serves: one channel that consumes its queue. What lies in the queue is taken from it
 * only when its delivery has an end, and is then in writing elsewhere if it is to come again or is dead.
 */
export class Serving implements ServedSubscription {
  readonly name: string
  readonly pattern: string
  readonly #tools: ServingTools
  readonly #subscription: DurableSubscription
  readonly #use: SessionUse
  readonly #held: LastingChannel<ConfirmChannel>
  /** On the channel that is up, or being set up. */
  #session: Session | undefined
  #consumer: string | undefined
  #isStopped = false
  #stopped: Promise<void> | undefined

  constructor(tools: ServingTools, subscription: DurableSubscription, deliver: (delivery: StoreDelivery) => void) {
    const { name, pattern } = subscription
    const { names, registry, others, log } = tools
    this.name = name
    this.pattern = pattern
    this.#tools = tools
    this.#subscription = subscription
    this.#use = {
      subscription,
      others,
      putting: new Putting(names, registry, name),
      log,
      deliver,
      idle: () => this.#closeWhenIdle(),
      leave: () => this.#leave(),
    }
    this.#held = tools.broker.hold({
      setUp: (channel) => this.#consume(channel),
      lost: () => this.#lost(),
      failed: (error) => {
        // That the broker is lost is told once, by whoever appends.
        const level = isRefused(error) ? 'error' : 'debug'
        log(level, { subscription: name, error: error.message }, 'A subscription cannot be served at present.')
      },
    })
  }

  /** How many deliveries the broker has given to this instance. */
  get running(): number {
    return this.#session?.running ?? 0
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
    this.#session?.stop()
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
    await channel.prefetch(windowOf(this.#subscription))
    this.#forget()
    const session = new Session(channel, this.#use)
    if (this.#isStopped) session.stop()
    this.#session = session
    const { consumerTag } = await channel.consume(this.#tools.names.waiting(this.name), (message) => {
      if (message === null) this.#removed(channel)
      else session.take(message)
    })
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
    await this.#closeWhenIdle()
  }

  /** The queue was deleted: the subscription becomes known anew, as it would by a new start. */
  #removed(channel: ConfirmChannel): void {
    if (this.#isStopped) return
    const facts = { subscription: this.name }
    this.#tools.log('warn', facts, 'A subscription was removed while it is served: it begins anew.')
    replaceChannel(channel)
  }

  #leave(): void {
    const text = 'A newer instance serves this ordered subscription with another pattern: it is left to that.'
    this.#tools.log('warn', { subscription: this.name }, text)
    void this.stop()
  }

  #lost(): void {
    this.#forget()
    if (this.#isStopped) void this.close()
  }

  #forget(): void {
    this.#consumer = undefined
    this.#session?.end()
    this.#session = undefined
  }

  /** Leaves the broker if it was stopped and nothing is under way but what it gives back. */
  async #closeWhenIdle(): Promise<void> {
    if (this.#isStopped && (this.#session?.isIdle ?? true)) await this.close()
  }
}
