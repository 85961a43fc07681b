import {
  type DirectCall,
  encodeReply,
  LuciliusError,
  type Message,
  type Observer,
  type Outcome,
  receiveDirect,
  toEnvelope,
} from '../../lib/transport-kit.js'
import { ById } from './by-id.js'
import { errorText, type FrameId, isFrameId, refusalText, replyText } from './frame-text.js'
import type { Outbox } from './outbox.js'
import { actOf, type Row, replyRow } from './row.js'
import type { Limits } from './settings.js'

/** An act of the other end that runs here. */
class Running implements DirectCall {
  readonly id: FrameId
  /** It came as a row, and so goes its reply. */
  readonly isRow: boolean
  readonly #answerer: Answerer
  onCancel: (() => void) | undefined = undefined

  constructor(id: FrameId, isRow: boolean, answerer: Answerer) {
    this.id = id
    this.isRow = isRow
    this.#answerer = answerer
  }

  settle(outcome: Outcome): void {
    this.#answerer.answer(this, outcome)
  }

  /** What the answering end is never told. */
  fail(): void {}
}

/** Answers the acts that come over one connection, and writes down each answer. */
export class Answerer {
  readonly #observer: Observer
  readonly #outbox: Outbox
  readonly #limits: Limits
  readonly #running = new ById<Running>()
  /** Called when the last act that ran has been answered. */
  onIdle: (() => void) | undefined = undefined

  constructor(observer: Observer, outbox: Outbox, limits: Limits) {
    this.#observer = observer
    this.#outbox = outbox
    this.#limits = limits
  }

  /** Whether nothing runs. */
  get idle(): boolean {
    return this.#running.size === 0
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
      this.refuse(undefined, new LuciliusError('LUC_WIRE_INVALID', "The act has no 'id': a number or a short text."))
      return true
    }
    if (this.#running.find(id) !== undefined) return false
    try {
      this.#start(id, frame)
    } catch (error) {
      // toEnvelope throws nothing but the LuciliusError that says what is wrong.
      this.refuse(id, error as LuciliusError)
    }
    return true
  }

  /** Answers what cannot be taken. */
  refuse(id: unknown, error: LuciliusError): void {
    this.#outbox.push(refusalText(isFrameId(id) ? id : undefined, error), this.#running.size)
  }

  /** The other end gives an act up. It still gets its one answer. An id that is not in use is ignored. */
  cancel(id: unknown): void {
    const running = this.#running.find(id)
    if (running === undefined) return
    this.#running.remove(running)
    running.onCancel?.()
  }

  /** The connection is gone: nobody waits for an answer any more. */
  lost(): void {
    for (const running of this.#running.clear()) running.onCancel?.()
  }

  #start(id: FrameId, frame: Message | Row): void {
    const isRow = Array.isArray(frame)
    const envelope = isRow ? actOf(frame) : toEnvelope(frame)
    const { maxInFlight } = this.#limits
    if (this.#running.size >= maxInFlight) {
      throw new LuciliusError('LUC_OVERLOADED', `${maxInFlight} acts of this connection are running already.`)
    }
    const running = new Running(id, isRow, this)
    this.#running.add(running)
    receiveDirect(this.#observer, envelope, running)
  }

  /** Writes down the answer to an act. */
  answer(running: Running, outcome: Outcome): void {
    const { id, isRow } = running
    this.#running.remove(running)
    this.#outbox.push(this.#textOf(id, isRow, outcome), this.#running.size)
    if (this.idle) this.onIdle?.()
  }

  /** The text of an answer; that of an error if it cannot be carried. */
  #textOf(id: FrameId, isRow: boolean, outcome: Outcome): string {
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
