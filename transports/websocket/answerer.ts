import {
  type ActEnvelope,
  type ActId,
  encodeReply,
  Incoming,
  LuciliusError,
  type Message,
  type Observer,
  type Outcome,
  toEnvelope,
} from '../../lib/transport-kit.js'
import { errorText, isFrameId, refusalText, replyText } from './frame-text.js'
import type { Outbox } from './outbox.js'
import { actOf, type Row, replyRow } from './row.js'
import type { Limits } from './settings.js'

/** Answers the acts that come over one connection, and writes down each answer. */
export class Answerer {
  readonly #outbox: Outbox
  readonly #limits: Limits
  readonly #incoming: Incoming<ActId, boolean>
  readonly #stray: (error: LuciliusError) => void

  /** `stray` is told what is wrong with an act that has no id to answer it with. */
  constructor(observer: Observer, outbox: Outbox, limits: Limits, stray: (error: LuciliusError) => void) {
    this.#outbox = outbox
    this.#stray = stray
    this.#limits = limits
    this.#incoming = new Incoming(observer, limits.maxInFlight, (id, outcome, isRow, others) => {
      outbox.push(this.#textOf(id, isRow, outcome), others)
    })
  }

  /** Resolves when no act runs any more. */
  idle(): Promise<void> {
    return this.#incoming.idle()
  }

  /** Takes an act. Gives false if its id is in use: answers could no longer be told apart. */
  act(frame: Message): boolean {
    return this.#take(frame.id, frame)
  }

  /** The same for one that came as a row. */
  actRow(row: Row): boolean {
    return this.#take(row[0], row)
  }

  #take(id: unknown, frame: Message | Row): boolean {
    if (!isFrameId(id)) {
      this.#stray(new LuciliusError('LUC_WIRE_INVALID', "The act has no 'id': a number or a short text."))
      return true
    }
    if (this.#incoming.has(id)) return false
    const isRow = Array.isArray(frame)
    let envelope: ActEnvelope
    try {
      envelope = isRow ? actOf(frame) : (toEnvelope(frame) as ActEnvelope)
    } catch (error) {
      // Reading it throws nothing but the LuciliusError that says what is wrong.
      this.refuse(id, error as LuciliusError)
      return true
    }
    this.#incoming.take(id, envelope, isRow)
    return true
  }

  /** Answers what cannot be taken. */
  refuse(id: unknown, error: LuciliusError): void {
    this.#outbox.push(refusalText(isFrameId(id) ? id : undefined, error), this.#incoming.size)
  }

  /** The other end gives an act up. It still gets its one answer. An id that is not in use is ignored. */
  cancel(id: unknown): void {
    this.#incoming.cancel(id)
  }

  /** The connection is gone: nobody waits for an answer any more. */
  lost(): void {
    this.#incoming.lost()
  }

  /** The text of an answer; that of an error if it cannot be carried. */
  #textOf(id: ActId, isRow: boolean, outcome: Outcome): string {
    try {
      if (outcome.error !== undefined) return errorText(id, encodeReply(outcome.error, this.#limits))
      const reply = encodeReply(outcome.reply, this.#limits)
      return isRow && reply !== '' ? replyRow(id, reply) : replyText(id, reply)
    } catch (error) {
      // It is the LuciliusError that says why it cannot be carried.
      return refusalText(id, error as LuciliusError)
    }
  }
}
