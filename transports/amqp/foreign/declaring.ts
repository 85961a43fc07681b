import type { Channel, ConfirmChannel } from 'amqplib'
import type { Broker } from '../broker.js'
import type { Inlet } from './options.js'

/**
 * Deliveries of a message after which the broker itself puts it aside. Each lost connection counts as one for all that is
 * held, so a store that is away for a day must not come near: the store's own queues have as many.
 */
const MOST_DELIVERIES = 100_000

/** Declares what is not there yet; what is there is left as it is, whoever made it. Rejects as amqplib does. */
export async function declareInlet(
  broker: Broker,
  channel: Channel,
  { queue, dead, exchange, keys }: Inlet,
): Promise<void> {
  if (exchange !== undefined) await declareExchange(broker, channel, exchange)
  if (await isMissing(broker, (one) => one.checkQueue(dead))) {
    await channel.assertQueue(dead, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
  }
  if (await isMissing(broker, (one) => one.checkQueue(queue))) {
    await channel.assertQueue(queue, {
      durable: true,
      deadLetterExchange: '',
      deadLetterRoutingKey: dead,
      overflow: 'reject-publish', // at-least-once needs it
      arguments: {
        'x-queue-type': 'quorum',
        'x-delivery-limit': MOST_DELIVERIES,
        'x-dead-letter-strategy': 'at-least-once',
      },
    })
  }
  if (exchange === undefined) return
  for (const key of keys) await channel.bindQueue(queue, exchange, key)
}

/** Declares a durable topic exchange, unless there is one of that name, of whatever type. */
export async function declareExchange(broker: Broker, channel: Channel, exchange: string): Promise<void> {
  if (exchange === '' || !(await isMissing(broker, (one) => one.checkExchange(exchange)))) return
  await channel.assertExchange(exchange, 'topic', { durable: true })
}

/** Looks on a channel of its own: the broker closes the one on which something is looked for in vain. */
async function isMissing(broker: Broker, look: (channel: ConfirmChannel) => Promise<unknown>): Promise<boolean> {
  try {
    await broker.once(look)
    return false
  } catch (error) {
    if ((error as { readonly code?: unknown }).code === 404) return true
    throw error
  }
}
