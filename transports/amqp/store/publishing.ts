import { randomUUID } from 'node:crypto'
import type { ConfirmChannel, Message, Options } from 'amqplib'
import { encodeRecord, RECORD, type Record } from './record.js'

/** A message on its way into the store. */
export interface Publication {
  readonly exchange: string
  readonly key: string
  readonly body: Buffer
  readonly options: Options.Publish
}

/** A message of ours for a queue, kept on disk. */
export function publication(
  { exchange, key }: Pick<Publication, 'exchange' | 'key'>,
  body: Buffer,
  { id, ...options }: Options.Publish & { readonly id?: string } = {},
): Publication {
  const known = { contentType: 'application/json', persistent: true, ...options }
  // The id is for those who look into queues; a short text has at most 255 bytes (AMQP 0-9-1 §4.2.5.5).
  const isShort = id !== undefined && Buffer.byteLength(id) <= 255
  return { exchange, key, body, options: isShort ? { ...known, messageId: id } : known }
}

/**
 * Resolves once the broker has it in writing, in every queue that it goes to. Rejects if the broker refused it, or if the
 * channel was lost before the broker said anything.
 */
export function confirmed(channel: ConfirmChannel, { exchange, key, body, options }: Publication): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.publish(exchange, key, body, options, (error: unknown) => (error === null ? resolve() : reject(error)))
  })
}

/**
 * Puts a record into one queue. Resolves once it is there in writing. Rejects as {@link confirmed} does, and if the queue
 * is not there: a broker confirms what goes nowhere.
 */
export async function putRecord(
  channel: ConfirmChannel,
  queue: Pick<Publication, 'exchange' | 'key'>,
  record: Record,
): Promise<void> {
  const id = randomUUID()
  const returned = returnedOn(channel)
  const options = { id: record.event.id, type: RECORD, mandatory: true, correlationId: id }
  await confirmed(channel, publication(queue, encodeRecord(record), options))
  if (returned.delete(id)) throw new Error(`The queue ${queue.key} is not there.`)
}

/** The correlation ids of what came back on a channel: each comes before its confirmation. */
function returnedOn(channel: ConfirmChannel): Set<unknown> {
  const known = returns.get(channel)
  if (known !== undefined) return known
  const returned = new Set<unknown>()
  channel.on('return', ({ properties }: Message) => returned.add(properties.correlationId))
  returns.set(channel, returned)
  return returned
}

const returns = new WeakMap<ConfirmChannel, Set<unknown>>()
