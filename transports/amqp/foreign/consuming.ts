import { createHash } from 'node:crypto'
import type { ConfirmChannel, ConsumeMessage } from 'amqplib'
import { LuciliusError, type Message, readMessage } from '../../../lib/transport-kit.js'
import type { Broker } from '../broker.js'
import { confirmed } from '../confirmed.js'
import { type LastingChannel, replaceChannel } from '../lasting-channel.js'
import type { Settings } from '../settings.js'
import type { ForeignApp } from './app.js'
import { declareInlet } from './declaring.js'
import type { Inlet } from './options.js'
import { pause } from './pause.js'

/** The longest first wait before another try of an event that could not be emitted, and the longest of all, in ms. */
const FIRST_MS = 200
const LONGEST_MS = 30_000

/** Milliseconds that what is under way may take when the app closes. */
const GOODBYE_MS = 2_000

/** What a queue is taken from, and given to. */
export interface ConsumingPlace {
  readonly broker: Broker
  readonly settings: Settings
  readonly app: ForeignApp
}

/**
 * Emits the messages of one queue as events, and acknowledges each once it was emitted: stored, if the event is durable.
 *
 * A message that can never become one goes to `<queue>.dead`, the reason in its headers. One that cannot become one now,
 * because the store is away for instance, is kept and tried again, so that nothing goes round in circles.
 */
export class Consuming {
  readonly channel: LastingChannel
  readonly #place: ConsumingPlace
  readonly #inlet: Inlet
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()
  #tag = ''

  constructor(place: ConsumingPlace, inlet: Inlet) {
    this.#place = place
    this.#inlet = inlet
    const { broker, app } = place
    this.channel = broker.hold({
      setUp: (channel) => this.#setUp(channel),
      failed: (err) => app.log.warn({ err, queue: inlet.queue }, 'cannot consume, trying again'),
    })
  }

  /** Takes nothing more; what is under way has ended, or is given to somebody else. */
  async stop(): Promise<void> {
    await this.channel.channel?.cancel(this.#tag).catch(() => {})
    this.#stopping.abort()
    await Promise.race([Promise.all(this.#running), pause(GOODBYE_MS)])
    await this.channel.close()
  }

  async #setUp(channel: ConfirmChannel): Promise<void> {
    const { queue, prefetch } = this.#inlet
    const lost = new AbortController()
    channel.once('close', () => lost.abort())
    const over = AbortSignal.any([lost.signal, this.#stopping.signal])
    await declareInlet(this.#place.broker, channel, this.#inlet)
    await channel.prefetch(prefetch)
    this.#tag = (await channel.consume(queue, (message) => this.#take(channel, message, over))).consumerTag
  }

  #take(channel: ConfirmChannel, message: ConsumeMessage | null, over: AbortSignal): void {
    if (message === null) {
      replaceChannel(channel)
      return
    }
    const done = this.#handle(channel, message, over)
      .catch(() => {}) // The channel was lost: the broker gives the message to somebody again.
      .finally(() => this.#running.delete(done))
    this.#running.add(done)
  }

  async #handle(channel: ConfirmChannel, message: ConsumeMessage, over: AbortSignal): Promise<void> {
    try {
      const event = readMessage(message.content, this.#place.settings)
      if (!(await this.#emit(event, idOf(this.#inlet.queue, message), over))) return
    } catch (error) {
      await this.#putAside(channel, message, error)
    }
    channel.ack(message)
  }

  /** Gives false if it could not be emitted while it was time. Rejects with what no second try changes. */
  async #emit(event: Message, options: { readonly id?: string }, over: AbortSignal): Promise<boolean> {
    const { app } = this.#place
    const { as, queue } = this.#inlet
    for (let waitMs = FIRST_MS; !over.aborted; waitMs = Math.min(2 * waitMs, LONGEST_MS)) {
      try {
        await app.emit(as, event, options)
        return true
      } catch (err) {
        if (!(err instanceof LuciliusError && err.retryable)) throw err
        app.log.warn({ err, queue }, 'cannot emit what was consumed, trying again')
      }
      await pause(Math.random() * waitMs, over)
    }
    return false
  }

  async #putAside(channel: ConfirmChannel, message: ConsumeMessage, error: unknown): Promise<void> {
    const { queue, dead } = this.#inlet
    const { code, reason } = reasonOf(error)
    const { exchange, routingKey } = message.fields
    const { contentType, messageId, timestamp, type, headers } = message.properties
    // If it was deleted meanwhile the channel is closed, and the message comes again once there is one.
    await channel.checkQueue(dead)
    await confirmed(channel, '', dead, message.content, {
      ...{ contentType, messageId, timestamp, type, persistent: true },
      headers: {
        ...headers,
        'lucilius-error': code,
        'lucilius-reason': reason,
        'lucilius-exchange': exchange,
        'lucilius-key': routingKey,
      },
    })
    this.#place.app.log.warn({ queue, dead, code, reason }, 'a message can be no event and was put aside')
  }
}

function reasonOf(error: unknown): { readonly code: string; readonly reason: string } {
  if (error instanceof LuciliusError) return { code: error.code, reason: error.message }
  return { code: 'LUC_ACTION_FAILED', reason: String(error) }
}

/** The id of the event, so that a message which comes twice is stored once: that of the message, within its queue. */
function idOf(queue: string, { properties: { messageId } }: ConsumeMessage): { readonly id?: string } {
  if (typeof messageId !== 'string' || messageId === '') return {}
  return { id: createHash('sha256').update(`${queue}\n${messageId}`).digest('base64url') }
}
