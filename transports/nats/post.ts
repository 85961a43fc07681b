import { randomBytes } from 'node:crypto'
import type { Msg, MsgHdrs, Subscription } from '@nats-io/transport-node'
import {
  bareError,
  bareOutcome,
  LuciliusError,
  type MailLimits,
  messageText,
  type Outcome,
  type Parcel,
  type Post,
  type Recipient,
  readMessage,
  readOutcome,
  readPeerAct,
  readPeerEvent,
  toWireError,
  writePeerAct,
  writePeerEvent,
} from '../../lib/transport-kit.js'
import type { Broker, Lease } from './broker.js'
import { ERROR_FIELD, isUndelivered, readHeaders, toHeaders } from './fields.js'
import { lineParcel, lineText } from './line-text.js'
import { type Subjects, subjectsOf } from './subjects.js'
import { subscribe } from './subscribing.js'
import { toTrouble } from './trouble.js'

/** The start of the address of a clients' door: what follows is the name of its app. No mailbox has it. */
export const DOOR = 'act.'

/** Opens a mailbox of its own. Rejects as the broker does, and with `LUC_FORBIDDEN`. */
export async function openPost(broker: Broker, recipient: Recipient): Promise<Post> {
  const post = new NatsPost(broker, recipient)
  await post.open()
  return post
}

/** A mailbox on a NATS server: acts are requests, as NATS knows them, and answers come below the mailbox. */
class NatsPost implements Post {
  readonly address = randomBytes(8).readBigUInt64BE().toString(36)
  readonly #broker: Broker
  readonly #recipient: Recipient
  readonly #limits: MailLimits
  readonly #subjects: Subjects
  /** What the subjects of answers to our acts start with. */
  readonly #replies: string
  #subscriptions: readonly Subscription[] = []
  #lease!: Lease // Set by `open`, before anybody is given the post.

  constructor(broker: Broker, recipient: Recipient) {
    this.#broker = broker
    this.#recipient = recipient
    this.#limits = broker.settings
    this.#subjects = subjectsOf(broker.settings.space)
    this.#replies = `${this.#subjects.reply(this.address)}.`
  }

  async open(): Promise<void> {
    this.#lease = await this.#broker.use({
      lost: () => this.#recipient.lost(),
      forbidden: (subject) => this.#forbidden(subject),
    })
    const { act, line, event } = this.#subjects
    const { address } = this
    try {
      await this.#lease.up(this.#broker.settings.connectTimeoutMs)
      this.#subscriptions = await subscribe(this.#lease, [
        { subject: act(address), take: (message) => this.#takeAct(message) },
        { subject: `${this.#replies}>`, take: (message) => this.#takeReply(message) },
        { subject: `${line(address)}.*`, take: (message) => this.#takeLine(message) },
        { subject: `${event(address)}.*`, take: (message) => this.#takeEvent(message) },
      ])
    } catch (error) {
      await this.#lease.release()
      throw toTrouble(this.#broker.settings.shown, error)
    }
  }

  ready(limitMs: number): Promise<void> {
    return this.#lease.up(limitMs)
  }

  send(to: string, parcel: Parcel): void {
    const { kind, line } = parcel
    switch (kind) {
      case 'act': {
        const text = messageText(parcel.envelope.message, this.#limits)
        const fields: string[] = []
        writePeerAct(fields, parcel.envelope)
        const subject = to.startsWith(DOOR) ? this.#subjects.door(to.slice(DOOR.length)) : this.#subjects.act(to)
        this.#publish(subject, Buffer.from(text), fields, `${this.#replies}${line}.${parcel.id}`)
        return
      }
      case 'reply':
        this.#reply(`${this.#subjects.reply(to)}.${line}.${parcel.id}`, parcel.outcome)
        return
      case 'event': {
        const text = messageText(parcel.envelope.message, this.#limits)
        const fields: string[] = []
        writePeerEvent(fields, parcel.envelope)
        this.#publish(`${this.#subjects.event(to)}.${line}`, Buffer.from(text), fields)
        return
      }
      default: {
        const { line: toLine } = this.#subjects
        this.#publish(`${toLine(to)}.${line}`, Buffer.from(lineText(parcel)), [], `${toLine(this.address)}.${line}`)
      }
    }
  }

  async close(): Promise<void> {
    // Drained, so that what the server has sent already is still taken.
    if (this.#lease.isUp) await Promise.allSettled(this.#subscriptions.map((one) => one.drain()))
    await this.#lease.release()
  }

  #reply(subject: string, outcome: Outcome): void {
    const { text, code } = bareOutcome(outcome, this.#limits)
    try {
      this.#publish(subject, Buffer.from(text), code === undefined ? [] : [ERROR_FIELD, code])
    } catch (error) {
      if (!(error instanceof LuciliusError) || error.code !== 'LUC_TOO_LARGE') throw error
      const refusal = bareError(new LuciliusError('LUC_REPLY_INVALID', `The reply cannot be carried: ${error.message}`))
      this.#publish(subject, Buffer.from(refusal.text), [ERROR_FIELD, 'LUC_REPLY_INVALID'])
    }
  }

  #publish(subject: string, data: Uint8Array, fields: string[], reply?: string): void {
    const { nats, isUp } = this.#lease
    if (!isUp) throw this.#broker.unreachable()
    const encoded = toHeaders(fields)
    const most = nats.info?.max_payload ?? this.#limits.maxBytes
    if (data.length + (encoded?.bytes ?? 0) > most) {
      const cure = `Send less, or raise max_payload of the server.`
      throw new LuciliusError('LUC_TOO_LARGE', `The NATS server takes at most ${most} bytes. ${cure}`)
    }
    const options: { reply?: string; headers?: MsgHdrs } = {}
    if (reply !== undefined) options.reply = reply
    if (encoded !== undefined) options.headers = encoded.headers
    nats.publish(subject, data, options)
  }

  #takeAct(message: Msg): void {
    const origin = this.#originOf(message.reply)
    if (origin === undefined) return
    const { from, line, id } = origin
    try {
      const envelope = readPeerAct(readMessage(message.data, this.#limits), readHeaders(message))
      this.#recipient.take(from, { kind: 'act', line, id, envelope })
    } catch (error) {
      // It is the LuciliusError that says what cannot be read.
      this.#tryReply(message.reply as string, { error: toWireError(error) })
    }
  }

  #takeReply(message: Msg): void {
    const place = readPlace(message.subject.slice(this.#replies.length))
    if (place === undefined) return
    const { line, id } = place
    if (isUndelivered(message)) {
      this.#recipient.undelivered(line, id)
      return
    }
    const failed = readHeaders(message)[ERROR_FIELD] !== undefined
    this.#recipient.take('', { kind: 'reply', line, id, outcome: readOutcome(message.data, failed, this.#limits) })
  }

  #takeLine(message: Msg): void {
    const line = lastToken(message.subject)
    if (isUndelivered(message)) {
      this.#recipient.undelivered(line)
      return
    }
    const from = this.#subjects.readMailbox(message.reply ?? '')
    if (from === undefined || from.rest !== `line.${line}`) return
    const parcel = lineParcel(line, message.data)
    if (parcel !== undefined) this.#recipient.take(from.mailbox, parcel)
  }

  #takeEvent(message: Msg): void {
    try {
      const envelope = readPeerEvent(readMessage(message.data, this.#limits), readHeaders(message))
      this.#recipient.take('', { kind: 'event', line: lastToken(message.subject), envelope })
    } catch {
      // Nobody waits for an answer.
    }
  }

  /** Who sent an act, as its reply subject tells. */
  #originOf(reply: string | undefined): { from: string; line: string; id: number } | undefined {
    const parts = reply === undefined ? undefined : this.#subjects.readMailbox(reply)
    if (parts === undefined || !parts.rest.startsWith(REPLY)) return undefined
    const place = readPlace(parts.rest.slice(REPLY.length))
    return place === undefined ? undefined : { from: parts.mailbox, ...place }
  }

  #tryReply(subject: string, outcome: Outcome): void {
    try {
      this.#reply(subject, outcome)
    } catch {
      // The broker is lost: whoever waits for it hears that.
    }
  }

  /** A line that may not be opened there is refused; of others the server does not say which message it means. */
  #forbidden(subject: string): void {
    const parts = this.#subjects.readMailbox(subject)
    if (parts === undefined || !parts.rest.startsWith(LINE)) return
    const what = `The NATS server does not permit to publish to ${subject}: docs/nats.md has the permissions.`
    const error = toWireError(new LuciliusError('LUC_FORBIDDEN', what))
    this.#recipient.take(parts.mailbox, { kind: 'close', line: parts.rest.slice(LINE.length), error })
  }
}

const REPLY = 'reply.'
const LINE = 'line.'

/** Reads `<line>.<id>`. */
function readPlace(text: string): { readonly line: string; readonly id: number } | undefined {
  const dot = text.lastIndexOf('.')
  if (dot < 1) return undefined
  const id = Number(text.slice(dot + 1))
  return Number.isSafeInteger(id) && id >= 0 ? { line: text.slice(0, dot), id } : undefined
}

function lastToken(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1)
}
