import type { ConfirmChannel, GetMessage } from 'amqplib'
import type { Broker } from '../broker.js'
import type { Names } from './names.js'
import { patiently, pause } from './patiently.js'
import { isLocked } from './trouble.js'

/** So many dead letters of a subscription are looked at; those behind them come to light when some of these are gone. */
const MOST = 10_000
const LOCK_RETRY_MS = 50

/** What becomes of a letter that was looked at. */
export type Look = 'next' | 'enough' | (() => Promise<void>)

/**
 * The dead letters of one subscription, in their queue. A queue cannot be read without taking from it: so a reader takes
 * what it looks at and puts it back, in its place, when it leaves; and one reader at a time, or each would see a part.
 */
export class DeadQueue {
  readonly #broker: Broker
  readonly #names: Names
  readonly #name: string

  constructor(broker: Broker, names: Names, name: string) {
    this.#broker = broker
    this.#names = names
    this.#name = name
  }

  /**
   * Shows letters, oldest first, until one is enough. With a function the letter is taken for good once that has done its
   * work, and it is enough. Rejects with 404 if there is no such queue, and with the signal's reason when it aborts.
   */
  read(signal: AbortSignal, look: (message: GetMessage, channel: ConfirmChannel) => Look): Promise<void> {
    return alone(this.#broker, this.#name, async () => {
      for (;;) {
        try {
          return await patiently(this.#broker, signal, (channel) => this.#read(channel, look))
        } catch (error) {
          if (!isLocked(error)) throw error
        }
        await pause(LOCK_RETRY_MS, signal) // Another process reads.
      }
    })
  }

  async #read(channel: ConfirmChannel, look: (message: GetMessage, channel: ConfirmChannel) => Look): Promise<void> {
    const lock = this.#names.lock(this.#name)
    await channel.assertQueue(lock, { exclusive: true, durable: false, autoDelete: true })
    let last: GetMessage | undefined
    try {
      for (let seen = 0; seen < MOST; seen++) {
        const message = await channel.get(this.#names.dead(this.#name))
        if (message === false) break
        const next = look(message, channel)
        if (typeof next === 'function') {
          await next()
          channel.ack(message)
          break
        }
        last = message
        if (next === 'enough') break
      }
    } finally {
      // All up to the last one, in one go: so they come back in their order. Its answer says that the broker has done it.
      if (last !== undefined) channel.nack(last, true, true)
      await channel.deleteQueue(lock)
    }
  }
}

/** What was asked of the dead letters of one subscription over one connection: the lock is one against other connections. */
const queues = new WeakMap<Broker, Map<string, Promise<unknown>>>()

async function alone(broker: Broker, name: string, work: () => Promise<void>): Promise<void> {
  const waiting = queues.get(broker) ?? new Map<string, Promise<unknown>>()
  queues.set(broker, waiting)
  const before = waiting.get(name)
  const turn = (async () => {
    await before?.catch(() => {})
    await work()
  })()
  waiting.set(name, turn)
  try {
    await turn
  } finally {
    if (waiting.get(name) === turn) waiting.delete(name)
  }
}
