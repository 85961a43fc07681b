import type { MsgHdrs } from '@nats-io/transport-node'
import {
  bareError,
  bareOutcome,
  LuciliusError,
  messageText,
  type Outcome,
  type Parcel,
  writePeerAct,
  writePeerEvent,
} from '../../lib/transport-kit.js'
import type { Broker, Lease } from './broker.js'
import { ERROR_FIELD, toHeaders } from './fields.js'
import { lineText } from './line-text.js'
import { type Subjects, subjectsOf } from './subjects.js'

/** The start of the address of a clients' door: what follows is the name of its app. No mailbox has it. */
export const DOOR = 'act.'

/** Writes down what leaves a mailbox. */
export class Sender {
  readonly #broker: Broker
  readonly #lease: Lease
  readonly #subjects: Subjects
  /** Where answers to our acts go, and what belongs to our lines otherwise. */
  readonly #replies: string
  readonly #lines: string

  constructor(broker: Broker, lease: Lease, mailbox: string) {
    this.#broker = broker
    this.#lease = lease
    this.#subjects = subjectsOf(broker.settings.space)
    this.#replies = this.#subjects.reply(mailbox)
    this.#lines = this.#subjects.line(mailbox)
  }

  /** Throws `LUC_TOO_LARGE`, `LUC_MESSAGE_INVALID`, `LUC_NOT_PORTABLE` and `LUC_UNREACHABLE`. */
  send(to: string, parcel: Parcel): void {
    const { settings } = this.#broker
    const { kind, line } = parcel
    switch (kind) {
      case 'act': {
        const text = messageText(parcel.envelope.message, settings)
        const fields: string[] = []
        writePeerAct(fields, parcel.envelope)
        this.publish(this.actSubject(to), text, fields, `${this.#replies}.${line}.${parcel.id}`)
        return
      }
      case 'reply':
        this.reply(`${this.#subjects.reply(to)}.${line}.${parcel.id}`, parcel.outcome)
        return
      case 'event': {
        const text = messageText(parcel.envelope.message, settings)
        const fields: string[] = []
        writePeerEvent(fields, parcel.envelope)
        this.publish(`${this.#subjects.event(to)}.${line}`, text, fields)
        return
      }
      default:
        this.publish(`${this.#subjects.line(to)}.${line}`, lineText(parcel), [], `${this.#lines}.${line}`)
    }
  }

  /** Answers an act. One that is too large becomes the error that says so. */
  reply(subject: string, outcome: Outcome): void {
    const { text, code } = bareOutcome(outcome, this.#broker.settings)
    try {
      this.publish(subject, text, code === undefined ? [] : [ERROR_FIELD, code])
    } catch (error) {
      if (!(error instanceof LuciliusError) || error.code !== 'LUC_TOO_LARGE') throw error
      const refusal = bareError(new LuciliusError('LUC_REPLY_INVALID', `The reply cannot be carried: ${error.message}`))
      this.publish(subject, refusal.text, [ERROR_FIELD, 'LUC_REPLY_INVALID'])
    }
  }

  publish(subject: string, text: string, fields: string[], reply?: string): void {
    const { nats, isUp } = this.#lease
    if (!isUp) throw this.#broker.unreachable()
    const data = Buffer.from(text)
    const encoded = toHeaders(fields)
    const most = nats.info?.max_payload ?? this.#broker.settings.maxBytes
    if (data.length + (encoded?.bytes ?? 0) > most) {
      const cure = 'Send less, or raise max_payload of the server.'
      throw new LuciliusError('LUC_TOO_LARGE', `The NATS server takes at most ${most} bytes. ${cure}`)
    }
    const options: { reply?: string; headers?: MsgHdrs } = {}
    if (reply !== undefined) options.reply = reply
    if (encoded !== undefined) options.headers = encoded.headers
    nats.publish(subject, data, options)
  }

  /** Where acts for an address go. */
  actSubject(to: string): string {
    return to.startsWith(DOOR) ? this.#subjects.door(to.slice(DOOR.length)) : this.#subjects.act(to)
  }
}
