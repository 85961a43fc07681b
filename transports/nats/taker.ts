import type { Msg } from '@nats-io/transport-node'
import {
  type ActEnvelope,
  type EventEnvelope,
  type Outcome,
  type Recipient,
  readMessage,
  readOutcome,
  readPeerAct,
  readPeerEvent,
  toWireError,
} from '../../lib/transport-kit.js'
import { ERROR_FIELD, isUndelivered, readHeaders } from './fields.js'
import { KNOCK, type Knocks } from './knocks.js'
import { lineParcel } from './line-text.js'
import type { Settings } from './settings.js'
import { type Subjects, subjectsOf } from './subjects.js'
import type { Taking } from './subscribing.js'

/** Reads what comes to a mailbox. What cannot be read is ignored, but for an act: that is answered with what is wrong. */
export class Taker {
  readonly #settings: Settings
  readonly #mailbox: string
  readonly #recipient: Recipient
  readonly #knocks: Knocks
  readonly #reply: (subject: string, outcome: Outcome) => void
  readonly #subjects: Subjects

  /** `reply` answers an act that cannot be read. */
  constructor(
    settings: Settings,
    mailbox: string,
    recipient: Recipient,
    knocks: Knocks,
    reply: (subject: string, outcome: Outcome) => void,
  ) {
    this.#settings = settings
    this.#mailbox = mailbox
    this.#recipient = recipient
    this.#knocks = knocks
    this.#reply = reply
    this.#subjects = subjectsOf(settings.space)
  }

  /** Answers to what we act: one subscription for all of them. */
  get answers(): Taking {
    const subject = `${this.#subjects.reply(this.#mailbox)}.>`
    const skip = subject.length - 1
    return { subject, take: (message) => this.#takeReply(message, skip) }
  }

  /** What others send us. */
  get rest(): readonly Taking[] {
    const { act, line, event } = this.#subjects
    return [
      { subject: act(this.#mailbox), take: (message) => this.#takeAct(message) },
      { subject: `${line(this.#mailbox)}.*`, take: (message) => this.#takeLine(message) },
      { subject: `${event(this.#mailbox)}.*`, take: (message) => this.#takeEvent(message) },
    ]
  }

  #takeAct(message: Msg): void {
    const { reply = '' } = message
    const from = this.#subjects.readMailbox(reply)
    const place = from?.rest.startsWith(REPLY) ? readPlace(from.rest, REPLY.length) : undefined
    if (from === undefined || place === undefined) return
    let envelope: ActEnvelope
    try {
      envelope = readPeerAct(readMessage(message.data, this.#settings), readHeaders(message))
    } catch (error) {
      // It is the LuciliusError that says what cannot be read.
      this.#reply(reply, { error: toWireError(error) })
      return
    }
    this.#recipient.take(from.mailbox, { kind: 'act', line: place.line, id: place.id, envelope })
  }

  #takeReply(message: Msg, skip: number): void {
    const place = readPlace(message.subject, skip)
    if (place === undefined) return
    const { line, id } = place
    const nobody = isUndelivered(message)
    if (line === KNOCK) this.#knocks.answered(id, !nobody)
    else if (nobody) this.#recipient.undelivered(line, id)
    else {
      const failed = readHeaders(message)[ERROR_FIELD] !== undefined
      this.#recipient.take('', { kind: 'reply', line, id, outcome: readOutcome(message.data, failed, this.#settings) })
    }
  }

  #takeLine(message: Msg): void {
    const line = lastToken(message.subject)
    if (isUndelivered(message)) {
      this.#recipient.undelivered(line)
      return
    }
    const from = this.#subjects.readMailbox(message.reply ?? '')
    if (from === undefined || from.rest !== LINE + line) return
    const parcel = lineParcel(line, message.data)
    if (parcel !== undefined) this.#recipient.take(from.mailbox, parcel)
  }

  #takeEvent(message: Msg): void {
    let envelope: EventEnvelope
    try {
      envelope = readPeerEvent(readMessage(message.data, this.#settings), readHeaders(message))
    } catch {
      return // Nobody waits for an answer.
    }
    this.#recipient.take('', { kind: 'event', line: lastToken(message.subject), envelope })
  }
}

const REPLY = 'reply.'
const LINE = 'line.'

/** The line of a subject of a line at a mailbox, and the mailbox. */
export function lineOf(
  subjects: Subjects,
  subject: string,
): { readonly mailbox: string; readonly line: string } | undefined {
  const parts = subjects.readMailbox(subject)
  if (parts === undefined || !parts.rest.startsWith(LINE)) return undefined
  return { mailbox: parts.mailbox, line: parts.rest.slice(LINE.length) }
}

/** Reads `<line>.<id>` at the end of a subject. */
function readPlace(subject: string, start: number): { readonly line: string; readonly id: number } | undefined {
  const dot = subject.lastIndexOf('.')
  if (dot <= start) return undefined
  const id = Number(subject.slice(dot + 1))
  return Number.isSafeInteger(id) && id >= 0 ? { line: subject.slice(start, dot), id } : undefined
}

function lastToken(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1)
}
