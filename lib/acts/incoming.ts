import { receiveDirect } from '../direct.js'
import { LuciliusError } from '../errors.js'
import type { ActEnvelope, DirectCall, Observer, Outcome } from '../transport.js'
import { toWireError } from '../wire-error.js'
import { type ActId, ById } from './by-id.js'

/**
 * Sends the answer to an act, while so many others run. `F` is whatever else of the act has a bearing on the form of its
 * answer. Throws nothing.
 */
export type Answer<I extends ActId, F> = (id: I, outcome: Outcome, form: F, others: number) => void

/** An act of the other end that runs here. */
class Running<I extends ActId, F> implements DirectCall {
  readonly id: I
  readonly form: F
  readonly #ended: (act: Running<I, F>, outcome: Outcome) => void
  onCancel: (() => void) | undefined = undefined

  constructor(id: I, form: F, ended: (act: Running<I, F>, outcome: Outcome) => void) {
    this.id = id
    this.form = form
    this.#ended = ended
  }

  settle(outcome: Outcome): void {
    this.#ended(this, outcome)
  }

  /** What the answering end is never told. */
  fail(): void {}
}

/** The acts that come over one connection: has them answered, not too many at a time. */
export class Incoming<I extends ActId = number, F = undefined> {
  readonly #observer: Observer
  readonly #most: number
  readonly #answer: Answer<I, F>
  readonly #running = new ById<Running<I, F>>()
  #isLost = false
  #waiting: (() => void)[] = []

  constructor(observer: Observer, most: number, answer: Answer<I, F>) {
    this.#observer = observer
    this.#most = most
    this.#answer = answer
  }

  /** How many run. */
  get size(): number {
    return this.#running.size
  }

  /** Whether an act of that id runs: with another one answers could no longer be told apart. */
  has(id: unknown): boolean {
    return this.#running.find(id) !== undefined
  }

  /** Takes an act whose id is not in use. */
  take(id: I, envelope: ActEnvelope, form: F): void {
    if (this.#running.size >= this.#most) {
      const what = `${this.#most} acts of this connection are running already.`
      this.#answer(id, { error: toWireError(new LuciliusError('LUC_OVERLOADED', what)) }, form, this.#running.size)
      return
    }
    const running = new Running(id, form, this.#ended)
    this.#running.add(running)
    receiveDirect(this.#observer, envelope, running)
  }

  /** The other end gives an act up. It still gets its one answer. An id that is not in use is ignored. */
  cancel(id: unknown): void {
    const running = this.#running.find(id)
    if (running === undefined) return
    this.#running.remove(running)
    running.onCancel?.()
  }

  /** Resolves when no act runs any more. */
  idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** The connection is gone: nobody waits for an answer any more. */
  lost(): void {
    this.#isLost = true
    for (const running of this.#running.clear()) running.onCancel?.()
    this.#tellIdle()
  }

  readonly #ended = (running: Running<I, F>, outcome: Outcome): void => {
    if (this.#isLost) return
    this.#running.remove(running)
    this.#answer(running.id, outcome, running.form, this.#running.size)
    if (this.#running.size === 0) this.#tellIdle()
  }

  #tellIdle(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
