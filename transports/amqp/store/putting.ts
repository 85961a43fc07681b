import type { ConfirmChannel } from 'amqplib'
import type { Verdict } from '../../../lib/transport-kit.js'
import { delayOf } from './delays.js'
import type { Delivery } from './delivery.js'
import type { Names } from './names.js'
import { putRecord } from './publishing.js'
import type { Record } from './record.js'
import type { Registry } from './registry.js'

/** Puts what a subscription does not keep under way into another of its queues. */
export class Putting {
  readonly #names: Names
  readonly #registry: Registry
  readonly #subscription: string

  constructor(names: Names, registry: Registry, subscription: string) {
    this.#names = names
    this.#registry = registry
    this.#subscription = subscription
  }

  /** Where a verdict sends a delivery. Resolves once it is there in writing; rejects if it cannot be put there now. */
  verdict(channel: ConfirmChannel, delivery: Delivery, verdict: Exclude<Verdict, { kind: 'done' }>): Promise<void> {
    const { event, attempt, firstAt, failures } = delivery
    const record = { event, attempts: attempt, firstAt, failures }
    const { dead, waiting } = this.#names
    if (verdict.kind === 'again') {
      return this.delay(channel, { ...record, failures: [...failures, verdict.failure] }, verdict.afterMs)
    }
    if (verdict.kind === 'back') {
      return this.#put(channel, waiting(this.#subscription), { ...record, attempts: attempt - 1 })
    }
    return this.#put(channel, dead(this.#subscription), { ...record, failures: verdict.failures, diedAt: Date.now() })
  }

  /** Lets a record come back to its subscription after so many ms. */
  async delay(channel: ConfirmChannel, record: Record, ms: number): Promise<void> {
    const { tier, restMs } = delayOf(ms)
    await this.#registry.enterDelay(channel, this.#subscription, tier)
    await this.#put(channel, this.#names.delayed(this.#subscription, tier), { ...record, restMs })
  }

  async #put(channel: ConfirmChannel, queue: string, record: Record): Promise<void> {
    try {
      await putRecord(channel, { exchange: this.#names.queues, key: queue }, record)
    } catch (error) {
      this.#registry.forgetDelays(channel) // Perhaps it is not there any more.
      throw error
    }
  }
}
