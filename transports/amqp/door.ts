import type { ConfirmChannel, ConsumeMessage, MessageProperties } from 'amqplib'
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
import { confirmed } from './confirmed.js'
import { assertDoor } from './door-queue.js'
import { type LastingChannel, replaceChannel } from './lasting-channel.js'
import { namesOf } from './names.js'
import { Outflow } from './outflow.js'
import { fieldsOf, timeoutOf } from './parcel-reading.js'
import { type Settings, toAppName } from './settings.js'

/** How long answers may take once the app has drained, in ms. */
const GOODBYE_MS = 2_000

/** An open clients' door. */
export interface Door {
  readonly app: string
  readonly channel: LastingChannel
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
  const outflow = new Outflow(settings.maxBuffered)
  const returning = new Set<Promise<void>>()
  let tag = ''
  let isDraining = false

  const channel: LastingChannel = broker.hold({
    setUp: async (one) => {
      await assertDoor(one, queue)
      await one.prefetch(settings.maxClientActs)
      if (isDraining) return
      tag = (await one.consume(queue, (message) => take(one, message))).consumerTag
      if (isDraining) await one.cancel(tag) // It has begun to drain meanwhile.
    },
  })

  const reply = (one: ConfirmChannel, to: MessageProperties, outcome: Outcome) =>
    sendAnswer(one, to, outcome, { size: settings, outflow })

  /** Puts back what came while the app drains; where that fails, the client hears that nothing was run. */
  const giveBack = (one: ConfirmChannel, message: ConsumeMessage) => {
    const done: Promise<void> = putBack(one, queue, message)
      .catch(() => reply(one, message.properties, { error: toWireError(closed(app)) }))
      .finally(() => {
        ack(one, message)
        returning.delete(done)
      })
    returning.add(done)
  }

  const take = (one: ConfirmChannel, message: ConsumeMessage | null) => {
    if (message === null) return replaceChannel(one)
    const { content, properties, fields } = message
    const answer = (outcome: Outcome) => {
      reply(one, properties, outcome)
      ack(one, message)
    }
    if (isDraining || desk.draining) return giveBack(one, message)
    if (fields.redelivered) {
      // Acknowledged before it is answered: an answer that closes the channel must not bring it again for ever.
      ack(one, message)
      return reply(one, properties, { error: toWireError(lost()) })
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
      await Promise.race([Promise.all([desk.idle(), ...returning]), pause(GOODBYE_MS)])
      desk.close()
      await channel.close()
    },
  }
}

/** Sends an answer to whoever wished for one. Where the broker reads nothing, one that is too much to keep is lost. */
function sendAnswer(
  channel: ConfirmChannel,
  { replyTo, correlationId }: MessageProperties,
  outcome: Outcome,
  { size, outflow }: { readonly size: Settings; readonly outflow: Outflow },
): void {
  if (typeof replyTo !== 'string' || !mayAnswer(replyTo)) return
  const send = (given: Outcome, isBounded: boolean) => {
    const { text, code } = bareOutcome(given, size)
    const content = Buffer.from(text)
    if (isBounded) outflow.add(channel, content.length)
    const properties = { type: code === undefined ? 'reply' : 'error', contentType: 'application/json', correlationId }
    const headers = code === undefined ? {} : { headers: { 'lucilius-error': code } }
    quietly(() => channel.publish('', replyTo, content, { ...properties, ...headers }))
  }
  try {
    send(outcome, true)
  } catch {
    // A few hundred bytes, of at most as many acts as are taken at once.
    send({ error: toWireError(unsent()) }, false)
  }
}

/** Whoever may send to this door must not reach, through its answers, queues of ours to which they may not send. */
function mayAnswer(replyTo: string): boolean {
  return replyTo !== '' && (!replyTo.startsWith('lucilius.') || /^lucilius\.[\w-]+\.box\./.test(replyTo))
}

/**
 * Puts a message back that came while the app drains: not with a `nack`, which would make it one that may have been run.
 * Resolves once the broker has it. Its time begins anew: the broker does not tell how long it has waited.
 */
async function putBack(channel: ConfirmChannel, queue: string, { content, properties }: ConsumeMessage): Promise<void> {
  const { contentType, contentEncoding, correlationId, deliveryMode, expiration, headers } = properties
  const { appId, messageId, priority, replyTo, timestamp, type } = properties
  await confirmed(channel, '', queue, content, {
    ...{ contentType, contentEncoding, correlationId, deliveryMode, expiration, headers },
    ...{ appId, messageId, priority, replyTo, timestamp, type },
  })
}

function ack(channel: ConfirmChannel, message: ConsumeMessage): void {
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

/** It came to an instance that closes, and could not be given to another one. */
function closed(app: string): LuciliusError {
  return new LuciliusError('LUC_SERVICE_CLOSED', `${app} is closing and takes no new work.`)
}

/** It was handled, and its answer cannot be sent. */
function unsent(): LuciliusError {
  return new LuciliusError(
    'LUC_REPLY_LOST',
    'There is an answer, but the broker does not read as fast as it is sent to.',
  )
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
