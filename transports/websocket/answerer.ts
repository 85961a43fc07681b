import {
  type DirectCall,
  encodeOutcome,
  isDeeper,
  LuciliusError,
  type Message,
  type Observer,
  type Outcome,
  toEnvelope,
} from '../../lib/transport-kit.js'
import { type FrameId, isFrameId, replyText } from './frame-text.js'
import { isLonger } from './length.js'
import type { Outbox } from './outbox.js'
import { receive } from './receive.js'
import type { Limits } from './settings.js'

/** Bytes of an outcome around its reply. */
const OUTCOME_BYTES = '{"reply":}'.length

/** An act of the other end that runs here. */
class Running implements DirectCall {
  readonly id: FrameId
  readonly #answerer: Answerer
  onCancel: (() => void) | undefined = undefined

  constructor(id: FrameId, answerer: Answerer) {
    this.id = id
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
  readonly #running = new Map<FrameId, Running>()
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
    const { id } = frame
    if (!isFrameId(id)) {
      this.refuse(undefined, new LuciliusError('LUC_WIRE_INVALID', "The act has no 'id': a number or a short text."))
      return true
    }
    if (this.#running.has(id)) return false
    try {
      this.#start(id, frame)
    } catch (error) {
      // toEnvelope throws nothing but the LuciliusError that says what is wrong.
      this.refuse(id, error as LuciliusError)
    }
    return true
  }

  /** Answers what cannot be taken. */
  refuse(id: unknown, { code, message, handled }: LuciliusError): void {
    const known = isFrameId(id) ? id : undefined
    this.#outbox.push(replyText(known, encodeOutcome({ error: { code, message, handled } })), this.idle)
  }

  /** The other end gives an act up. It still gets its one answer. An id that is not in use is ignored. */
  cancel(id: unknown): void {
    const running = isFrameId(id) ? this.#running.get(id) : undefined
    if (running === undefined) return
    this.#running.delete(running.id)
    running.onCancel?.()
  }

  /** The connection is gone: nobody waits for an answer any more. */
  lost(): void {
    const all = [...this.#running.values()]
    this.#running.clear()
    for (const running of all) running.onCancel?.()
  }

  #start(id: FrameId, frame: Message): void {
    const envelope = toEnvelope(frame)
    const { maxInFlight } = this.#limits
    if (this.#running.size >= maxInFlight) {
      throw new LuciliusError('LUC_OVERLOADED', `${maxInFlight} acts of this connection are running already.`)
    }
    const running = new Running(id, this)
    this.#running.set(id, running)
    receive(this.#observer, envelope, running)
  }

  /** Writes down the answer to an act. */
  answer(running: Running, outcome: Outcome): void {
    const { id } = running
    if (this.#running.get(id) === running) this.#running.delete(id)
    // A Map that has grown leaves its old table to the collector, with all that hangs on it: a tenth of the CPU.
    running.onCancel = undefined
    const text = encodeOutcome(outcome)
    const { maxBytes, maxDepth } = this.#limits
    if (isLonger(text, maxBytes + OUTCOME_BYTES)) this.#tooMuch(id, `more than ${maxBytes} bytes`)
    else if (isDeeper(text, maxDepth + 1))
      this.#tooMuch(id, `more than ${maxDepth} objects and arrays inside each other`)
    else this.#outbox.push(replyText(id, text), this.idle)
    if (this.idle) this.onIdle?.()
  }

  #tooMuch(id: FrameId, what: string): void {
    this.refuse(id, new LuciliusError('LUC_REPLY_INVALID', `The reply has ${what}.`))
  }
}
