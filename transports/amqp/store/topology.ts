import type { Channel } from 'amqplib'
import type { Broker } from '../broker.js'
import { bindingsOf, type Headers, retainedBinding } from './headers.js'
import type { Names } from './names.js'
import { isMissing } from './trouble.js'

// What is declared here stays in brokers for years, and a queue cannot be declared again with other arguments (406): a
// change of these numbers is a change of names, too.

/** Quorum queues end what was delivered more often. A safety net below the core, which decides about death. */
const MOST_DELIVERIES = 100_000

/** How many bytes a stream may have before the broker forgets the oldest part of it: see `Ledger`. */
export const RETAINED_BYTES = 64 * 1024 * 1024
export const SUBSCRIPTIONS_BYTES = 4 * 1024 * 1024

/**
 * How long a new queue or stream is left alone before anybody relies on it, in ms. RabbitMQ 3.10 keeps the list of its
 * replicas in a file that it writes a second later: killed before that, it has forgotten the queue and what was in it,
 * confirmed or not (tried with SIGKILL at 0, 250, 500, 750: lost; at 1,000 and 2,000: kept).
 */
export const SETTLE_MS = 1_500

/** Declares what the space has whoever subscribes, but for the exchange of events. */
export async function declareSpace(channel: Channel, names: Names): Promise<void> {
  await channel.assertExchange(names.queues, 'direct')
  await declareStream(channel, names.retained, RETAINED_BYTES)
  await reach(channel, names, names.retained)
  await declareStream(channel, names.subscriptions, SUBSCRIPTIONS_BYTES)
  await reach(channel, names, names.subscriptions)
}

/** Declares the exchange of events: where it is, the rest of the space is as well, and can be relied on. */
export async function declareEvents(channel: Channel, names: Names): Promise<void> {
  await channel.assertExchange(names.events, 'headers')
  await channel.bindQueue(names.retained, names.events, '', retainedBinding)
}

/** Whether there is nothing of the space yet. Rejects as `Broker.once` does. */
export async function isSpaceMissing(broker: Broker, names: Names): Promise<boolean> {
  try {
    await broker.once((channel) => channel.checkExchange(names.events))
    return false
  } catch (error) {
    if (isMissing(error)) return true
    throw error
  }
}

/** Declares the queues of a subscription, without those of its retries, which come with the first retry. */
export async function declareSubscription(
  channel: Channel,
  names: Names,
  { name, ordered }: { readonly name: string; readonly ordered: boolean },
): Promise<void> {
  const dead = names.dead(name)
  // Listing dead letters takes and returns them, which counts.
  await channel.assertQueue(dead, { arguments: { ...quorum, 'x-delivery-limit': 2 ** 31 - 1 } })
  await reach(channel, names, dead)
  const waiting = names.waiting(name)
  await channel.assertQueue(waiting, {
    arguments: {
      ...quorum,
      ...leadsTo(names, dead),
      'x-delivery-limit': MOST_DELIVERIES,
      ...(ordered && { 'x-single-active-consumer': true }),
    },
  })
  await reach(channel, names, waiting)
}

/** Declares the queue from which what failed comes back to its subscription after so many ms. */
export async function declareDelay(channel: Channel, names: Names, subscription: string, ms: number): Promise<void> {
  const delayed = names.delayed(subscription, ms)
  await channel.assertQueue(delayed, {
    arguments: { ...quorum, ...leadsTo(names, names.waiting(subscription)), 'x-message-ttl': ms },
  })
  await reach(channel, names, delayed)
}

/** Lets events that a pattern matches into the queue of a subscription. */
export async function bindPattern(channel: Channel, names: Names, name: string, pattern: string): Promise<void> {
  for (const headers of bindingsOf(pattern)) await channel.bindQueue(names.waiting(name), names.events, '', headers)
}

/** Keeps out those that only a former pattern matches, and none of others. */
export async function unbindPattern(
  channel: Channel,
  names: Names,
  name: string,
  { former, kept }: { readonly former: string; readonly kept: readonly string[] },
): Promise<void> {
  const needed = new Set(kept.flatMap(bindingsOf).map((headers) => JSON.stringify(headers)))
  const gone = bindingsOf(former).filter((headers) => !needed.has(JSON.stringify(headers)))
  for (const headers of gone) await channel.unbindQueue(names.waiting(name), names.events, '', headers)
}

const quorum: Headers = { 'x-queue-type': 'quorum' }

/** What expires, is rejected or was delivered too often goes to another queue, and leaves this one once it is there. */
function leadsTo(names: Names, queue: string): Headers {
  return {
    'x-dead-letter-exchange': names.queues,
    'x-dead-letter-routing-key': queue,
    'x-dead-letter-strategy': 'at-least-once', // needs the overflow below
    'x-overflow': 'reject-publish',
  }
}

async function declareStream(channel: Channel, queue: string, bytes: number): Promise<void> {
  const limits = { 'x-max-length-bytes': bytes, 'x-stream-max-segment-size-bytes': bytes / 16 }
  await channel.assertQueue(queue, { arguments: { 'x-queue-type': 'stream', ...limits } })
}

/** The direct exchange leads to the queue by its name. */
async function reach(channel: Channel, names: Names, queue: string): Promise<void> {
  await channel.bindQueue(queue, names.queues, queue)
}
