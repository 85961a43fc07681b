import { type DurableSubscription, LuciliusError, matcherOf, type StoreDelivery } from '../../lib/transport-kit.js'
import type { Consumer } from './consumers.js'
import type { Disk } from './disk.js'
import { failed } from './failed.js'
import { below, lastPart, subscriptionKey } from './keys.js'
import { Queue, type Row } from './queue.js'
import { removeAll } from './removal.js'
import type { Writer } from './writer.js'

/** What stands in place of the row of a subscription that is being removed. */
const REMOVED = ''

/** A subscription, and the instance that serves it. */
export interface Served {
  readonly queue: Queue
  readonly consumer: Consumer
}

/** The subscriptions that a store knows, whether anybody serves them or not. */
export class Subscriptions {
  readonly #disk: Disk
  readonly #queues = new Map<string, Queue>()
  readonly #turns = new Map<string, Promise<void>>()

  private constructor(disk: Disk) {
    this.#disk = disk
  }

  static async open(disk: Disk): Promise<Subscriptions> {
    const { database, writer } = disk
    const subscriptions = new Subscriptions(disk)
    for (const [key, text] of await database.iterator(below('subscription')).all()) {
      const name = lastPart(key)
      if (text === REMOVED) await removeAll(database, writer, name)
      else subscriptions.#queues.set(name, queueOf(disk, name, text))
    }
    return subscriptions
  }

  all(): Iterable<Queue> {
    return this.#queues.values()
  }

  get(name: string): Queue | undefined {
    return this.#queues.get(name)
  }

  /** Makes a subscription known, as it is by now: what is stored later waits for it. */
  async know(subscription: DurableSubscription): Promise<void> {
    checkName(subscription.name)
    await this.#inTurn(subscription.name, () => this.#know(subscription))
  }

  /** Makes it known and serves it. */
  async serve(subscription: DurableSubscription, deliver: (delivery: StoreDelivery) => void): Promise<Served> {
    checkName(subscription.name)
    return this.#inTurn(subscription.name, async () => {
      const queue = await this.#know(subscription)
      return { queue, consumer: queue.add(subscription.concurrency, deliver) }
    })
  }

  /** Forgets a subscription with everything that waits for it. False if there is none of this name. */
  remove(name: string): Promise<boolean> {
    return this.#inTurn(name, async () => {
      const queue = this.#queues.get(name)
      if (queue === undefined) return false
      if (queue.isServed) throw failed(`The subscription '${name}' is served: take it out of the code first.`)
      this.#queues.delete(name)
      queue.close()
      const { database, writer } = this.#disk
      await writer.write((batch) => batch.put(subscriptionKey(name), REMOVED), { sync: true })
      await removeAll(database, writer, name)
      return true
    })
  }

  close(): void {
    for (const queue of this.#queues.values()) queue.close()
  }

  async #know({ name, pattern, ordered, matches }: DurableSubscription): Promise<Queue> {
    const row: Row = { pattern, ordered }
    const text = JSON.stringify(row)
    const known = this.#queues.get(name)
    if (known !== undefined && JSON.stringify(known.row) === text) {
      known.change(row, matches)
      return known
    }
    const queue = known ?? new Queue(this.#disk, name, row, matches)
    // From this batch on: events are stored one batch after the other.
    const fill: Parameters<Writer['write']>[0] = (batch) => {
      batch.put(subscriptionKey(name), text)
      queue.change(row, matches)
      this.#queues.set(name, queue)
    }
    await this.#disk.writer.write(fill, { sync: true })
    return queue
  }

  /** What is done with one name is done one after the other. */
  #inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const done = (this.#turns.get(name) ?? Promise.resolve()).then(work)
    const turn = done.then(nothing, nothing)
    this.#turns.set(name, turn)
    void turn.then(() => this.#turns.get(name) === turn && this.#turns.delete(name))
    return done
  }
}

function queueOf(disk: Disk, name: string, text: string): Queue {
  const row = JSON.parse(text) as Row // we wrote it
  return new Queue(disk, name, row, matcherOf(row.pattern))
}

function nothing(): void {}

function checkName(name: string): void {
  if (/^[\w.-]{1,100}$/.test(name)) return
  const text = `embedded: a subscription cannot be called '${name}': use at most 100 letters, digits, '-', '_' and '.'.`
  throw new LuciliusError('LUC_OPTIONS_INVALID', text)
}
