import { receiveDirect } from '../direct.js'
import { LuciliusError } from '../errors.js'
import type { ActEnvelope, DirectCall, Observer, Outcome } from '../transport.js'
import { toWireError } from '../wire-error.js'
import { trySend } from './caller.js'
import type { MailLimits } from './limits.js'
import type { Post } from './parcel.js'

/** An act of the other end that runs here. */
class Running implements DirectCall {
  readonly id: number
  /** Where it stands among those that run; -1 once it was answered or given up. */
  place: number
  readonly #answerer: Answerer
  onCancel: (() => void) | undefined = undefined

  constructor(id: number, place: number, answerer: Answerer) {
    this.id = id
    this.place = place
    this.#answerer = answerer
  }

  settle(outcome: Outcome): void {
    this.#answerer.answer(this, outcome)
  }

  /** What the answering end is never told. */
  fail(): void {}
}

/** Answers the acts that come over one line. */
export class Answerer {
  readonly #observer: Observer
  readonly #post: Post
  readonly #to: string
  readonly #line: string
  readonly #limits: MailLimits
  /** In no order: they come and go without anything being allocated, and are looked for only by a cancellation. */
  readonly #running: Running[] = []
  #over = false
  /** Called when the last act that ran has been answered. */
  onIdle: (() => void) | undefined = undefined

  constructor(observer: Observer, post: Post, to: string, line: string, limits: MailLimits) {
    this.#observer = observer
    this.#post = post
    this.#to = to
    this.#line = line
    this.#limits = limits
  }

  /** Whether nothing runs. */
  get idle(): boolean {
    return this.#running.length === 0
  }

  /** Takes an act. */
  act(id: number, envelope: ActEnvelope): void {
    const { maxInFlight } = this.#limits
    if (this.#running.length >= maxInFlight) {
      const what = `${maxInFlight} acts of this line are running already.`
      this.#reply(id, { error: toWireError(new LuciliusError('LUC_OVERLOADED', what)) })
      return
    }
    const running = new Running(id, this.#running.length, this)
    this.#running.push(running)
    receiveDirect(this.#observer, envelope, running)
  }

  /** Sends the answer to an act. */
  answer(running: Running, outcome: Outcome): void {
    this.#remove(running)
    this.#reply(running.id, outcome)
    if (this.idle) this.onIdle?.()
  }

  /** The other end gives an act up. It still gets its one answer. An id that is not in use is ignored. */
  cancel(id: number): void {
    const running = this.#running.find((one) => one.id === id)
    if (running === undefined) return
    this.#remove(running)
    running.onCancel?.()
  }

  /** The line is gone: nobody waits for an answer any more. */
  lost(): void {
    this.#over = true
    for (const running of this.#running.splice(0)) {
      running.place = -1
      running.onCancel?.()
    }
  }

  #reply(id: number, outcome: Outcome): void {
    if (!this.#over) trySend(this.#post, this.#to, { kind: 'reply', line: this.#line, id, outcome })
  }

  #remove(running: Running): void {
    const { place } = running
    if (place === -1) return
    running.place = -1
    // The last one takes its place.
    const last = this.#running.pop()
    if (last === undefined || last === running) return
    last.place = place
    this.#running[place] = last
  }
}
