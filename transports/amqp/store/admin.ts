import type { ConfirmChannel } from 'amqplib'
import type { DeadLetter, StoreAdmin, StoreReport, SubscriptionReport } from '../../../lib/transport-kit.js'
import type { Broker } from '../broker.js'
import { DeadQueue } from './dead-queue.js'
import type { KnownSubscription } from './known.js'
import { byAge, placeOf, subscriptionOf, toLetter } from './letter.js'
import type { Names } from './names.js'
import { patiently } from './patiently.js'
import { putRecord } from './publishing.js'
import type { Registry } from './registry.js'
import type { Present, RollCall } from './roll-call.js'
import { isMissing, storeFailed } from './trouble.js'

/** What operators' questions are answered with. */
export interface AdminTools {
  readonly broker: Broker
  readonly names: Names
  readonly registry: Registry
  readonly rollCall: RollCall
  /** How many events are retained. */
  retained(signal: AbortSignal): Promise<number>
  /** Aborts when the store is closed. */
  readonly closing: AbortSignal
}

/** How long an operator waits for the broker, in ms. */
const PATIENCE_MS = 30_000

/** Messages that are ready in a queue, and who consumes it. */
interface Counts {
  readonly messages: number
  readonly consumers: number
}

/** Answers operators. Each question rejects with `LUC_STORE_FAILED` if the broker cannot be reached for half a minute. */
export class Admin implements StoreAdmin {
  readonly #tools: AdminTools

  constructor(tools: AdminTools) {
    this.#tools = tools
  }

  readonly report = (): Promise<StoreReport> =>
    this.#asked(async (signal) => {
      const { broker, names, registry, rollCall, retained } = this.#tools
      const known = await registry.list(signal)
      const queues = known.flatMap(({ name, delays }) => [
        names.waiting(name),
        names.dead(name),
        ...delays.map((ms) => names.delayed(name, ms)),
      ])
      const counts = await this.#count(queues, signal)
      const consumers = (name: string) => counts.get(names.waiting(name))?.consumers ?? 0
      const present = await rollCall.ask(
        (answers) => known.every(({ name }) => sum(answers, name, 'consumers') >= consumers(name)),
        signal,
      )
      const subscriptions = known.map((one) => this.#row(one, counts, present))
      const kept = await retained(signal)
      const events = subscriptions.reduce((all, { waiting, dead }) => all + waiting + dead, kept)
      return { store: `rabbitmq ${broker.url}`, events, retained: kept, subscriptions }
    })

  readonly deadLetters: StoreAdmin['deadLetters'] = ({ subscription, limit, after }) =>
    this.#asked(async (signal) => {
      const known = await this.#tools.registry.list(signal)
      const wanted = known.filter(({ name }) => subscription === undefined || name === subscription)
      const from = after === undefined ? undefined : placeOf(after)
      let letters: DeadLetter[] = []
      for (const { name } of wanted) {
        await this.#dead(name, signal, (letter) => {
          if (from === undefined || byAge(from, letter) < 0) letters.push(letter)
          // The oldest of all subscriptions are wanted, so each is looked through; no more are kept than may be given.
          if (letters.length > 2 * limit + 100) letters = letters.toSorted(byAge).slice(0, limit)
          return 'next'
        })
      }
      return letters.toSorted(byAge).slice(0, limit)
    })

  readonly deadLetter = (id: string): Promise<DeadLetter | undefined> =>
    this.#asked(async (signal) => {
      let found: DeadLetter | undefined
      await this.#find(id, signal, (letter) => {
        found = letter
        return 'enough'
      })
      return found
    })

  readonly replay = (id: string): Promise<boolean> =>
    this.#asked((signal) =>
      this.#find(id, signal, ({ event, subscription }, channel) => async () => {
        const { queues, waiting } = this.#tools.names
        const queue = { exchange: queues, key: waiting(subscription) }
        await putRecord(channel, queue, { event, attempts: 0, failures: [] })
      }),
    )

  readonly drop = (id: string): Promise<boolean> =>
    this.#asked((signal) => this.#find(id, signal, () => async () => {}))

  readonly removeSubscription = (name: string): Promise<boolean> =>
    this.#asked(async (signal) => {
      const { broker, names, registry } = this.#tools
      const known = (await registry.list(signal)).find((one) => one.name === name)
      if (known === undefined) return false
      // Forgotten last: who is cut off before that can remove it again.
      await registry.leave(known)
      await patiently(broker, signal, async (channel) => {
        for (const ms of known.delays) await channel.deleteQueue(names.delayed(name, ms))
        await channel.deleteQueue(names.waiting(name))
        await channel.deleteQueue(names.dead(name))
      })
      await registry.remove(known)
      return true
    })

  /** Looks for one dead letter. False if there is none of this id. */
  async #find(
    id: string,
    signal: AbortSignal,
    found: (letter: DeadLetter, channel: ConfirmChannel) => 'enough' | (() => Promise<void>),
  ): Promise<boolean> {
    const known = await this.#tools.registry.list(signal)
    const one = known.find(({ name }) => name === subscriptionOf(id))
    if (one === undefined) return false
    let isThere = false
    await this.#dead(one.name, signal, (letter, channel) => {
      if (letter.id !== id) return 'next'
      isThere = true
      return found(letter, channel)
    })
    return isThere
  }

  async #dead(
    name: string,
    signal: AbortSignal,
    look: (letter: DeadLetter, channel: ConfirmChannel) => ReturnType<Parameters<DeadQueue['read']>[1]>,
  ): Promise<void> {
    const { broker, names } = this.#tools
    try {
      await new DeadQueue(broker, names, name).read(signal, (message, channel) =>
        look(toLetter(name, message), channel),
      )
    } catch (error) {
      if (!isMissing(error)) throw error // Somebody has just removed the subscription.
    }
  }

  #row(
    { name, pattern, ordered, delays }: KnownSubscription,
    counts: ReadonlyMap<string, Counts>,
    present: readonly Present[],
  ): SubscriptionReport {
    const { names } = this.#tools
    const messages = (queue: string) => counts.get(queue)?.messages ?? 0
    const running = sum(present, name, 'running')
    const delayed = delays.reduce((all, ms) => all + messages(names.delayed(name, ms)), 0)
    const waiting = messages(names.waiting(name)) + delayed + running
    return { name, pattern, ordered, waiting, running, dead: messages(names.dead(name)) }
  }

  /** What is in the queues; those that are not there are left out. */
  async #count(queues: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Counts>> {
    const counts = new Map<string, Counts>()
    const left = [...queues]
    while (left.length > 0) {
      // A queue that is missing closes the channel: the rest is asked on another one.
      await patiently(this.#tools.broker, signal, async (channel) => {
        for (let queue = left[0]; queue !== undefined; queue = left[0]) {
          const { messageCount, consumerCount } = await channel.checkQueue(queue)
          counts.set(queue, { messages: messageCount, consumers: consumerCount })
          left.shift()
        }
      }).catch((error: unknown) => {
        if (!isMissing(error)) throw error
        left.shift()
      })
    }
    return counts
  }

  async #asked<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { closing, broker } = this.#tools
    try {
      return await work(AbortSignal.any([closing, AbortSignal.timeout(PATIENCE_MS)]))
    } catch (error) {
      throw storeFailed(broker.url, error)
    }
  }
}

function sum(present: readonly Present[], name: string, what: 'consumers' | 'running'): number {
  return present.reduce((all, one) => all + (one[name]?.[what] ?? 0), 0)
}
