import { randomBytes } from 'node:crypto'
import type { Subscription } from '@nats-io/transport-node'
import { LuciliusError, type Parcel, type Post, type Recipient, toWireError } from '../../lib/transport-kit.js'
import type { Broker, Lease } from './broker.js'
import { KNOCK, Knocks } from './knocks.js'
import { Sender } from './sender.js'
import { subjectsOf } from './subjects.js'
import { subscribe, unsubscribe } from './subscribing.js'
import { lineOf, Taker } from './taker.js'
import { toTrouble } from './trouble.js'

/**
 * Opens a mailbox of its own; one that only takes answers, for who asks at a clients' door, needs fewer permissions. Rejects
 * as the broker does, and with `LUC_FORBIDDEN`.
 */
export async function openPost(broker: Broker, recipient: Recipient, takes: 'all' | 'answers'): Promise<Post> {
  const post = new NatsPost(broker, recipient)
  await post.open(takes)
  return post
}

/** A mailbox on a NATS server: acts are requests, as NATS knows them, and answers come below the mailbox. */
class NatsPost implements Post {
  readonly address = randomBytes(8).readBigUInt64BE().toString(36)
  readonly #broker: Broker
  readonly #recipient: Recipient
  readonly #knocks = new Knocks()
  #subscriptions: readonly Subscription[] = []
  // Both set by `open`, before anybody is given the post.
  #lease!: Lease
  #sender!: Sender

  constructor(broker: Broker, recipient: Recipient) {
    this.#broker = broker
    this.#recipient = recipient
  }

  async open(takes: 'all' | 'answers'): Promise<void> {
    const broker = this.#broker
    const lost = () => {
      this.#knocks.lost()
      this.#recipient.lost()
    }
    this.#lease = await broker.use({ lost, forbidden: (subject) => this.#forbidden(subject) })
    this.#sender = new Sender(broker, this.#lease, this.address)
    const { answers, rest } = new Taker(
      broker.settings,
      this.address,
      this.#recipient,
      this.#knocks,
      (subject, outcome) => this.#sender.reply(subject, outcome),
    )
    try {
      await this.#lease.up(broker.settings.connectTimeoutMs)
      this.#subscriptions = await subscribe(this.#lease, takes === 'all' ? [answers, ...rest] : [answers])
    } catch (error) {
      await this.#lease.release()
      throw toTrouble(broker.settings.shown, error)
    }
  }

  ready(limitMs: number): Promise<void> {
    return this.#lease.up(limitMs)
  }

  send(to: string, parcel: Parcel): void {
    this.#sender.send(to, parcel)
  }

  knock(to: string): Promise<void> {
    const { settings } = this.#broker
    const subject = this.#sender.actSubject(to)
    const reply = `${subjectsOf(settings.space).reply(this.address)}.${KNOCK}`
    return this.#knocks.ask(subject, settings.handshakeTimeoutMs, (id) => {
      this.#sender.publish(subject, '', [], `${reply}.${id}`)
    })
  }

  async close(): Promise<void> {
    await unsubscribe(this.#lease, this.#subscriptions)
    await this.#lease.release()
  }

  /** A line that may not be opened is refused; of other messages the server does not say which one it means. */
  #forbidden(subject: string): void {
    const what = `The NATS server does not permit to publish to ${subject}: docs/nats.md has the permissions.`
    const error = new LuciliusError('LUC_FORBIDDEN', what)
    this.#knocks.forbidden(subject, error)
    const place = lineOf(subjectsOf(this.#broker.settings.space), subject)
    if (place === undefined) return
    this.#recipient.take(place.mailbox, { kind: 'close', line: place.line, error: toWireError(error) })
  }
}
