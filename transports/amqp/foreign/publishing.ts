import { LuciliusError, messageText } from '../../../lib/transport-kit.js'
import type { Broker } from '../broker.js'
import { confirmed } from '../confirmed.js'
import type { LastingChannel } from '../lasting-channel.js'
import { Outflow } from '../outflow.js'
import type { Settings } from '../settings.js'
import type { ForeignApp, ForeignHandler } from './app.js'
import { declareExchange } from './declaring.js'
import type { Published } from './options.js'

/** Publishes events as plain JSON. */
export class Publishing {
  readonly #broker: Broker
  readonly #settings: Settings
  readonly #outflow: Outflow
  #channel: LastingChannel | undefined

  constructor(broker: Broker, settings: Settings) {
    this.#broker = broker
    this.#settings = settings
    this.#outflow = new Outflow(settings.maxBuffered)
  }

  /** Opens the channel. */
  open(outlets: readonly Published[], { log }: ForeignApp): LastingChannel {
    this.#channel = this.#broker.hold({
      setUp: async (channel) => {
        for (const { exchange } of outlets) await declareExchange(this.#broker, channel, exchange)
      },
      failed: (err) => log.warn({ err }, 'cannot publish, trying again'),
    })
    return this.#channel
  }

  async close(): Promise<void> {
    await this.#channel?.close()
  }

  /** The handler of one entry of `publish`: resolves once the broker has confirmed the message. */
  handler({ exchange, key }: Published): ForeignHandler {
    return async (message, { signal, meta, delivery }) => {
      const routingKey = fill(key, message)
      const content = Buffer.from(messageText(message, this.#settings))
      const held = this.#channel
      if (held === undefined) throw new LuciliusError('LUC_UNREACHABLE', 'The app has not started yet.')
      const channel = held.channel ?? (await held.whenUp(signal))
      await this.#outflow.enter(channel, content.length, signal)
      await confirmed(channel, exchange, routingKey, content, {
        contentType: 'application/json',
        persistent: true,
        mandatory: exchange === '', // Its key is a queue, which has to be there.
        messageId: delivery?.id ?? meta.id,
        timestamp: Math.floor(Date.now() / 1000),
        ...(meta.traceparent === undefined ? {} : { headers: { traceparent: meta.traceparent } }),
      })
    }
  }
}

/** Fills the properties of a message into a routing key. Throws `LUC_MESSAGE_INVALID`. */
function fill(template: string, message: Readonly<Record<string, unknown>>): string {
  const key = template.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(message, name) ? message[name] : undefined
    if (['string', 'number', 'boolean'].includes(typeof value)) return String(value)
    throw new LuciliusError(
      'LUC_MESSAGE_INVALID',
      `The routing key ${template} needs a scalar '${name}' in the message.`,
    )
  })
  if (Buffer.byteLength(key) <= 255) return key
  throw new LuciliusError('LUC_MESSAGE_INVALID', `The routing key made from ${template} has more than 255 bytes.`)
}
