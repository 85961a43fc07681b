import { randomUUID } from 'node:crypto'
import type { Channel } from 'amqplib'
import { decodeJson, encodeJson, isMessage } from '../../../lib/transport-kit.js'
import type { Broker } from '../broker.js'
import type { LastingChannel } from '../lasting-channel.js'
import type { Names } from './names.js'

/** What one open store serves, by the name of a subscription. */
export interface Present {
  readonly [subscription: string]: {
    readonly consumers: number
    /** How much is under way there. */
    readonly running: number
    /** The patterns with which it consumes. */
    readonly patterns: readonly string[]
  }
}

/** How long the open stores have to answer, in ms, if it cannot be told that all have. */
const ANSWER_MS = 500

const QUESTION = 'lucilius.question'
const ANSWER = 'lucilius.answer'

/**
 * Asks all open stores of the space what they have under way: a broker counts what it has handed out, and does not tell
 * that over AMQP.
 */
export class RollCall {
  readonly #names: Names
  readonly #present: () => Present
  readonly #held: LastingChannel<Channel>
  readonly #asked = new Map<string, (present: Present) => void>()
  #queue = ''

  constructor(broker: Broker, names: Names, present: () => Present) {
    this.#names = names
    this.#present = present
    this.#held = broker.hold<Channel>({ confirms: false, setUp: (channel) => this.#setUp(channel) })
  }

  /** Asks, until what came is enough or time is up. */
  async ask(isEnough: (present: readonly Present[]) => boolean, signal: AbortSignal): Promise<readonly Present[]> {
    const channel = await this.#held.whenUp(signal)
    const id = randomUUID()
    const answers: Present[] = []
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer)
        this.#asked.delete(id)
        resolve(answers)
      }
      const timer = setTimeout(done, ANSWER_MS)
      this.#asked.set(id, (present) => {
        answers.push(present)
        if (isEnough(answers)) done()
      })
      const options = { type: QUESTION, correlationId: id, replyTo: this.#queue, expiration: ANSWER_MS }
      if (isEnough(answers)) done()
      else channel.publish(this.#names.roll, '', Buffer.alloc(0), options)
    })
  }

  /** Whether any store serves a subscription with a pattern. */
  async isServed(name: string, pattern: string, signal: AbortSignal): Promise<boolean> {
    const serves = (present: Present) => present[name]?.patterns.includes(pattern) === true
    return (await this.ask((all) => all.some(serves), signal)).some(serves)
  }

  /** Resolves once this store can be asked. */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#held.whenUp(signal)
  }

  async close(): Promise<void> {
    await this.#held.close()
  }

  async #setUp(channel: Channel): Promise<void> {
    // Another one each time: the broker may not have noticed yet that the former connection is lost.
    this.#queue = this.#names.instance(randomUUID())
    await channel.assertExchange(this.#names.roll, 'fanout')
    await channel.assertExchange(this.#names.queues, 'direct')
    await channel.assertQueue(this.#queue, { exclusive: true, durable: false, autoDelete: true })
    await channel.bindQueue(this.#queue, this.#names.roll, '')
    await channel.bindQueue(this.#queue, this.#names.queues, this.#queue)
    await channel.consume(
      this.#queue,
      (message) => {
        if (message === null) return
        const { type, correlationId, replyTo } = message.properties
        if (type === ANSWER) this.#asked.get(String(correlationId))?.(toPresent(message.content))
        else if (type === QUESTION && typeof replyTo === 'string') this.#answer(channel, replyTo, String(correlationId))
      },
      { noAck: true },
    )
  }

  #answer(channel: Channel, replyTo: string, correlationId: string): void {
    const present = Buffer.from(encodeJson(this.#present()))
    channel.publish(this.#names.queues, replyTo, present, { type: ANSWER, correlationId })
  }
}

function toPresent(body: Buffer): Present {
  try {
    const value = decodeJson(body)
    if (!isMessage(value)) return {}
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, row]) => {
        const { consumers, running, patterns } = isMessage(row) ? row : {}
        if (typeof consumers !== 'number' || typeof running !== 'number') return []
        return [[name, { consumers, running, patterns: Array.isArray(patterns) ? patterns : [] }]]
      }),
    )
  } catch {
    return {} // Nobody of ours wrote it.
  }
}
