import { LuciliusError } from '../errors.js'
import type { DirectCall, Outcome } from '../transport.js'
import { Pending } from './pending.js'

/** How acts leave over one connection. `A` is an act as it is sent there. */
export interface Departure<A> {
  /**
   * Sends an act under an id, while so many others wait for their answers. Gives its place in what leaves, see
   * {@link Outgoing.lost}. Throws if it certainly did not leave.
   */
  send(id: number, act: A, others: number): number
  /** Lets the other end know that nobody waits for an act any more. Throws nothing. */
  cancel(id: number): void
  /** An act as it is now: whoever sends it may change its message while it waits. Throws what speaks against it. */
  keep(act: A): Kept<A>
}

/** An act that nothing changes any more. */
export interface Kept<A> {
  /** The act. */
  readonly act: A
  /** How long its text is. */
  readonly chars: number
}

/** What may be under way. */
export interface OutgoingLimits {
  /** Acts that wait for an answer at the same time. Those beyond it wait to be sent. */
  readonly maxInFlight: number
  /** Characters of acts that wait to be sent. */
  readonly maxBuffered: number
}

/** An act for which there is no room yet. */
interface Held<A> extends Kept<A> {
  readonly call: DirectCall
}

/** The acts that go over one connection: sends them, and matches the answers to them. */
export class Outgoing<A> {
  readonly #departure: Departure<A>
  readonly #maxBuffered: number
  #maxInFlight: number
  #pending: Pending
  readonly #held = new Set<Held<A>>()
  #heldChars = 0

  constructor(departure: Departure<A>, { maxInFlight, maxBuffered }: OutgoingLimits) {
    this.#departure = departure
    this.#maxBuffered = maxBuffered
    this.#maxInFlight = maxInFlight
    this.#pending = new Pending(maxInFlight)
  }

  /** How many acts wait for an answer. */
  get waiting(): number {
    return this.#pending.size
  }

  /** The other end takes so many at the same time. */
  fit(maxInFlight: number): void {
    this.#maxInFlight = maxInFlight
    // The ids of what waits already are as they are.
    if (this.#pending.unused) this.#pending = new Pending(maxInFlight)
    this.#sendHeld()
  }

  /**
   * Sends an act, or keeps it until there is room. The hot path: one closure to cancel with. Throws what speaks against it,
   * and `LUC_OVERLOADED`.
   */
  act(act: A, call: DirectCall): void {
    if (this.#held.size === 0 && this.#hasRoom()) this.#send(act, call)
    else this.#hold(act, call)
  }

  /** Whether somebody waits for an answer under this id. */
  awaits(id: unknown): boolean {
    return this.#pending.find(id) !== undefined
  }

  /** Takes an answer. One that nobody waits for, after a cancellation for instance, is ignored. */
  settle(id: unknown, outcome: Outcome): void {
    const slot = this.#pending.find(id)
    if (slot === undefined) return
    const call = this.#pending.release(slot)
    if (this.#held.size > 0) this.#sendHeld()
    call.settle(outcome)
  }

  /** There is no answer that could be taken, for this reason. */
  fail(id: unknown, error: unknown): void {
    const slot = this.#pending.find(id)
    if (slot === undefined) return
    const call = this.#pending.release(slot)
    if (this.#held.size > 0) this.#sendHeld()
    call.fail(error)
  }

  /** The other end takes nothing new: what was not sent may go elsewhere. */
  refuseHeld(error: LuciliusError): void {
    for (const { call } of this.#held) call.fail(error)
    this.#held.clear()
    this.#heldChars = 0
  }

  /** The connection is gone, and with it all answers. Of acts whose place is beyond the last that left nothing arrived. */
  lost(lastLeft = Number.POSITIVE_INFINITY): void {
    for (const slot of this.#pending.all()) {
      const hasLeft = slot.at <= lastLeft
      this.#pending.release(slot).fail(hasLeft ? replyLost() : unreachable())
    }
    this.refuseHeld(unreachable())
  }

  #hasRoom(): boolean {
    return this.#pending.size < this.#maxInFlight && !this.#pending.full
  }

  #send(act: A, call: DirectCall): void {
    const slot = this.#pending.take(call)
    const { id } = slot
    call.onCancel = () => this.#cancel(id)
    try {
      slot.at = this.#departure.send(id, act, this.#pending.size - 1)
    } catch (error) {
      this.#pending.release(slot)
      throw error
    }
  }

  #cancel(id: number): void {
    const slot = this.#pending.find(id)
    if (slot === undefined) return
    const call = this.#pending.release(slot)
    this.#departure.cancel(id)
    call.fail(new LuciliusError('LUC_CANCELLED', 'The caller cancelled.'))
    this.#sendHeld()
  }

  #hold(act: A, call: DirectCall): void {
    const kept = this.#departure.keep(act)
    if (this.#heldChars + kept.chars > this.#maxBuffered) {
      throw new LuciliusError('LUC_OVERLOADED', 'The peer does not answer as fast as it is sent to.')
    }
    const held = { ...kept, call }
    this.#held.add(held)
    this.#heldChars += held.chars
    call.onCancel = () => {
      if (!this.#held.delete(held)) return
      this.#heldChars -= held.chars
      call.fail(new LuciliusError('LUC_CANCELLED', 'The caller cancelled before it was sent.', { handled: 'no' }))
    }
  }

  #sendHeld(): void {
    for (const held of this.#held) {
      if (!this.#hasRoom()) return
      this.#held.delete(held)
      this.#heldChars -= held.chars
      try {
        this.#send(held.act, held.call)
      } catch (error) {
        held.call.fail(error)
      }
    }
  }
}

/** Nothing of the message can have arrived. */
export function unreachable(what = 'The connection is closed.'): LuciliusError {
  return new LuciliusError('LUC_UNREACHABLE', what)
}

function replyLost(): LuciliusError {
  return new LuciliusError('LUC_REPLY_LOST', 'The connection was lost before there was an answer.')
}
