import {
  type DirectCall,
  type Envelope,
  type EventEnvelope,
  LuciliusError,
  type Message,
  type Observer,
  receiveDirect,
  toEnvelope,
} from '../../lib/transport-kit.js'
import { ENVELOPE_BYTES } from './frame-limits.js'
import { eventText, type Room } from './frame-text.js'
import type { Outbox } from './outbox.js'
import { eventOf, eventRow, plainEvent, type Row } from './row.js'
import { messagesOf } from './table.js'

/** The events of one connection, in both directions. */
export class Events {
  readonly #observer: Observer
  readonly #outbox: Outbox
  readonly #maxBytes: number
  readonly #refuse: (error: LuciliusError) => void
  /** How much the tables of this frame may still stand for. */
  #left = 0

  /** `refuse` is told what is wrong with those that cannot be read. */
  constructor(observer: Observer, outbox: Outbox, maxBytes: number, refuse: (error: LuciliusError) => void) {
    this.#observer = observer
    this.#outbox = outbox
    this.#maxBytes = maxBytes
    this.#refuse = refuse
  }

  /** Sends one, in a form that the other end takes. Throws `LUC_OVERLOADED`. */
  send(event: EventEnvelope, { rows, tables }: Room): void {
    if (this.#outbox.full) {
      const what = 'The peer does not read as fast as it is sent to: the event was dropped.'
      throw new LuciliusError('LUC_OVERLOADED', what)
    }
    const row = rows ? eventRow(event) : eventText(event)
    this.#outbox.pushIdle(tables || typeof row === 'string' ? row : row.text)
  }

  /** Another frame has come: its tables may stand for as much as it may have bytes. */
  renew(): void {
    this.#left = this.#maxBytes + ENVELOPE_BYTES
  }

  /** Takes one that came as an object; clients need not name services. */
  take(message: Message): void {
    this.#read(() => {
      this.#observe(toEnvelope(message.services === undefined ? { ...message, services: [] } : message))
    })
  }

  /** The same for one that came as a row. */
  takeRow(row: Row): void {
    this.#read(() => this.#observe(eventOf(row)))
  }

  /** Takes those that came as a table. */
  takeTable(table: Message): void {
    this.#read(() => {
      const { messages, count } = messagesOf(table, this.#left)
      this.#left -= count
      for (const message of messages) this.#observe(plainEvent(message))
    })
  }

  #observe(event: Envelope): void {
    receiveDirect(this.#observer, event, UNWATCHED)
  }

  #read(take: () => void): void {
    try {
      take()
    } catch (error) {
      // It is the LuciliusError that says what is wrong.
      this.#refuse(error as LuciliusError)
    }
  }
}

/** Nobody waits for what becomes of an event. */
const UNWATCHED: DirectCall = { onCancel: undefined, settle: () => {}, fail: () => {} }
