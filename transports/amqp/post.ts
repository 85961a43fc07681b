import { randomBytes } from 'node:crypto'
import type { Channel, ConfirmChannel, ConsumeMessage, Message } from 'amqplib'
import {
  LuciliusError,
  type OpenPost,
  type Parcel,
  type Post,
  type Recipient,
  toWireError,
} from '../../lib/transport-kit.js'
import type { Broker } from './broker.js'
import { assertDoor, doorOf } from './door-queue.js'
import { type LastingChannel, replaceChannel } from './lasting-channel.js'
import { namesOf } from './names.js'
import { Outflow } from './outflow.js'
import { type ParcelForm, toForm } from './parcel-form.js'
import { headOf, toParcel } from './parcel-reading.js'
import type { Settings } from './settings.js'

/** What amqplib makes of a `basic.nack`. */
const REFUSED = 'message nacked'

/** Opens mailboxes on a broker. With `door`, acts may be sent to the clients' door of that app too. */
export function postOffice(broker: Broker, settings: Settings, door?: string): OpenPost {
  return async (recipient) => {
    const post = new AmqpPost(broker, settings, recipient, door)
    await post.open()
    return post
  }
}

/**
 * A mailbox: a queue of its own on the exchange `lucilius.<space>.mail`, bound under its address. It goes with the
 * connection, and what is sent to it then is returned to the sender at once.
 *
 * Bound rather than called by its address: after a cut that the broker has not noticed the new queue need not wait for the
 * end of the old one; and the default exchange would let everybody who may send parcels send to every queue.
 * Answers come to it like everything else: direct reply-to takes a sixth longer (measured with RabbitMQ 3.10).
 */
class AmqpPost implements Post {
  readonly address = randomBytes(12).toString('base64url')
  readonly #settings: Settings
  readonly #recipient: Recipient
  readonly #held: Pick<LastingChannel<Channel>, 'channel' | 'whenUp' | 'close'>
  readonly #outflow: Outflow
  readonly #mail: string
  #queue = ''
  #tag = ''
  #turn = 0

  constructor(broker: Broker, settings: Settings, recipient: Recipient, door: string | undefined) {
    this.#settings = settings
    this.#recipient = recipient
    this.#outflow = new Outflow(settings.maxBuffered)
    this.#mail = namesOf(settings.space).mail
    const lost = () => recipient.lost()
    this.#held =
      door === undefined
        ? broker.hold<Channel>({ confirms: false, setUp: (channel) => this.#setUp(channel), lost })
        : broker.hold<ConfirmChannel>({ setUp: (channel) => this.#setUpWithDoor(channel, door), lost })
  }

  async open(): Promise<void> {
    try {
      await this.#held.whenUp()
    } catch (error) {
      await this.#held.close()
      throw error
    }
  }

  send(to: string, parcel: Parcel): void {
    const { channel } = this.#held
    if (channel === undefined) throw new LuciliusError('LUC_UNREACHABLE', 'The connection to the broker is lost.')
    const door = doorOf(to)
    const form = toForm(parcel, door === undefined ? this.address : this.#queue, this.#settings)
    this.#outflow.add(channel, form.content.length)
    try {
      if (door === undefined) channel.publish(this.#mail, to, form.content, form.properties)
      else this.#sendToDoor(channel as ConfirmChannel, namesOf(this.#settings.space).door(door), parcel, form)
    } catch (cause) {
      throw unsent(cause)
    }
  }

  async ready(limitMs: number): Promise<void> {
    const limit = AbortSignal.timeout(limitMs)
    try {
      await this.#held.whenUp(limit)
    } catch (error) {
      if (!limit.aborted) throw error
      throw new LuciliusError('LUC_UNREACHABLE', `The broker was not there for ${limitMs} ms.`)
    }
  }

  async close(): Promise<void> {
    // What was delivered before the consumer is cancelled is handed over before the answer to that.
    await this.#held.channel?.cancel(this.#tag).catch(() => {})
    await this.#held.close()
  }

  async #setUp(channel: Channel): Promise<void> {
    const { space, maxBuffered } = this.#settings
    this.#queue = namesOf(space).box(this.address, ++this.#turn)
    await channel.assertExchange(this.#mail, 'direct')
    await channel.assertQueue(this.#queue, {
      exclusive: true,
      autoDelete: true,
      durable: false,
      arguments: { 'x-max-length-bytes': maxBuffered },
    })
    channel.on('return', (message) => this.#returned(message))
    const { consumerTag } = await channel.consume(this.#queue, (message) => this.#take(channel, message), {
      noAck: true,
    })
    this.#tag = consumerTag
    await channel.bindQueue(this.#queue, this.#mail, this.address)
  }

  async #setUpWithDoor(channel: ConfirmChannel, door: string): Promise<void> {
    await assertDoor(channel, namesOf(this.#settings.space).door(door))
    await this.#setUp(channel)
  }

  /** Waits in the queue of the door until somebody takes it. Only a full queue refuses it. */
  #sendToDoor(channel: ConfirmChannel, name: string, parcel: Parcel, { content, properties }: ParcelForm): void {
    if (parcel.kind !== 'act') return // Nobody there has a use for anything else.
    const { line, id } = parcel
    channel.publish(name, '', content, properties, (refused) => {
      // Where the channel was lost the callback is told so: then nobody knows, and the line ends.
      if (refused?.message !== REFUSED) return
      const error = new LuciliusError('LUC_OVERLOADED', `Too many messages wait in the queue ${name}.`)
      this.#recipient.take('', { kind: 'reply', line, id, outcome: { error: toWireError(error) } })
    })
  }

  #take(channel: Channel, message: ConsumeMessage | null): void {
    if (message === null) {
      replaceChannel(channel)
      return
    }
    const head = headOf(message.properties)
    if (head === undefined) return
    const { replyTo } = message.properties
    const from = typeof replyTo === 'string' ? replyTo : ''
    let parcel: Parcel | undefined
    try {
      parcel = toParcel(head, message, this.#settings)
    } catch (error) {
      this.#refuse(from, head, error)
      return
    }
    if (parcel !== undefined) this.#recipient.take(from, parcel)
  }

  /** Answers an act that cannot be read. Whatever else cannot be read passes by. */
  #refuse(to: string, { kind, line, id }: { kind: string; line: string; id: number }, error: unknown): void {
    if (kind !== 'act' || to === '' || !(error instanceof LuciliusError)) return
    try {
      this.send(to, { kind: 'reply', line, id, outcome: { error: toWireError(error) } })
    } catch {
      // Nothing can be sent: the line is about to be lost.
    }
  }

  #returned({ properties }: Message): void {
    const head = headOf(properties)
    if (head !== undefined) this.#recipient.undelivered(head.line, head.kind === 'act' ? head.id : undefined)
  }
}

/** What amqplib throws instead of sending. */
function unsent(cause: unknown): LuciliusError {
  if (!(cause instanceof RangeError)) {
    return new LuciliusError('LUC_UNREACHABLE', 'The connection to the broker is closing.', { cause })
  }
  const what = 'What travels beside the message has more than 64 KiB, which AMQP cannot carry.'
  return new LuciliusError('LUC_TOO_LARGE', what, { cause })
}
