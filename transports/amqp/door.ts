import type { Channel, ConsumeMessage, MessageProperties } from 'amqplib'
import {
  bareOutcome,
  Desk,
  LuciliusError,
  type Outcome,
  type Receiver,
  readClientMeta,
  readMessage,
  toWireError,
} from '../../lib/transport-kit.js'
import type { Broker } from './broker.js'
import { assertDoor } from './door-queue.js'
import { type LastingChannel, replaceChannel } from './lasting-channel.js'
import { namesOf } from './names.js'
import { fieldsOf, timeoutOf } from './parcel-reading.js'
import { type Settings, toAppName } from './settings.js'

/** How long answers may take once the app has drained, in ms. */
const GOODBYE_MS = 2_000

/** An open clients' door. */
export interface Door {
  readonly app: string
  readonly channel: LastingChannel<Channel>
  /** Takes nothing new: what comes meanwhile waits for another instance. */
  drain(): void
  /** Answers what runs, and closes it. */
  close(): Promise<void>
}

/**
 * Opens the clients' door of an app: takes bare JSON messages from its durable queue, at most `maxClientActs` at a time, and
 * acknowledges each after its answer was sent. Clients of any language send there with `reply-to`, `correlation-id` and
 * `expiration` (the timeout in ms, after which the broker drops a message that still waits).
 */
export function openDoor(broker: Broker, settings: Settings, receiver: Receiver): Door {
  const desk = new Desk(receiver, { maxClientActs: settings.maxClientActs })
  const app = settings.app ?? toAppName(desk.name)
  const queue = namesOf(settings.space).door(app)
  let tag = ''
  let isDraining = false

  const channel: LastingChannel<Channel> = broker.hold<Channel>({
    confirms: false,
    setUp: async (one) => {
      await assertDoor(one, queue)
      await one.prefetch(settings.maxClientActs)
      if (isDraining) return
      tag = (await one.consume(queue, (message) => take(one, message))).consumerTag
    },
  })

  const take = (one: Channel, message: ConsumeMessage | null) => {
    if (message === null) return replaceChannel(one)
    const { content, properties, fields } = message
    const answer = (outcome: Outcome) => {
      reply(one, properties, outcome, settings)
      ack(one, message)
    }
    if (isDraining || desk.draining) return putBack(one, queue, message)
    if (fields.redelivered) {
      // Acknowledged before it is answered: an answer that closes the channel must not bring it again for ever.
      ack(one, message)
      return reply(one, properties, { error: toWireError(lost()) }, settings)
    }
    try {
      const given = fieldsOf(properties.headers)
      const timeoutMs = timeoutOf(properties)
      const meta = readClientMeta(given)
      if (timeoutMs !== undefined) meta.timeoutMs = timeoutMs
      desk.act({ kind: 'act', message: readMessage(content, settings), meta }, given, answer)
    } catch (error) {
      answer({ error: toWireError(error as LuciliusError) })
    }
  }

  return {
    app,
    channel,
    drain: () => {
      isDraining = true
      void channel.channel?.cancel(tag).catch(() => {})
    },
    close: async () => {
      isDraining = true
      await channel.channel?.cancel(tag).catch(() => {})
      await Promise.race([desk.idle(), pause(GOODBYE_MS)])
      desk.close()
      await channel.close()
    },
  }
}

/** Sends an answer to whoever wished for one. */
function reply(
  channel: Channel,
  { replyTo, correlationId }: MessageProperties,
  outcome: Outcome,
  size: Settings,
): void {
  if (typeof replyTo !== 'string' || !mayAnswer(replyTo)) return
  const { text, code } = bareOutcome(outcome, size)
  const properties = { type: code === undefined ? 'reply' : 'error', contentType: 'application/json', correlationId }
  const headers = code === undefined ? {} : { headers: { 'lucilius-error': code } }
  quietly(() => channel.publish('', replyTo, Buffer.from(text), { ...properties, ...headers }))
}

/** Whoever may send to this door must not reach, through its answers, queues of ours to which they may not send. */
function mayAnswer(replyTo: string): boolean {
  return replyTo !== '' && (!replyTo.startsWith('lucilius.') || /^lucilius\.[\w-]+\.box\./.test(replyTo))
}

/** Puts a message back that came while the app drains: not with a `nack`, which would make it one that may have been run. */
function putBack(channel: Channel, queue: string, message: ConsumeMessage): void {
  const { content, properties } = message
  const { contentType, correlationId, expiration, headers, messageId, replyTo, type } = properties
  const same = { contentType, correlationId, expiration, headers, messageId, replyTo, type }
  quietly(() => channel.publish('', queue, content, same))
  ack(channel, message)
}

function ack(channel: Channel, message: ConsumeMessage): void {
  quietly(() => channel.ack(message))
}

/** What cannot be sent because the channel is lost: the broker gives the message to somebody again. */
function quietly(send: () => unknown): void {
  try {
    send()
  } catch {
    // Said above.
  }
}

/** It was with an instance that went away, this one perhaps, and may have been run there. */
function lost(): LuciliusError {
  return new LuciliusError('LUC_REPLY_LOST', 'Whoever took the message was lost before there was an answer.')
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
