import { LuciliusError } from '../errors.js'
import type { ActEnvelope, DirectCall, Outcome } from '../transport.js'
import { messageText } from './bare.js'
import type { MailLimits } from './limits.js'
import type { Post } from './parcel.js'
import { Pending } from './pending.js'

/** An act for which there is no room yet. */
interface Held {
  readonly envelope: ActEnvelope
  readonly chars: number
  readonly call: DirectCall
}

/** Sends the acts of one line and matches the answers to them. */
export class Caller {
  readonly #post: Post
  readonly #to: string
  readonly #line: string
  readonly #limits: MailLimits
  readonly #pending: Pending
  readonly #held = new Set<Held>()
  #heldChars = 0

  constructor(post: Post, to: string, line: string, limits: MailLimits) {
    this.#post = post
    this.#to = to
    this.#line = line
    this.#limits = limits
    this.#pending = new Pending(limits.maxInFlight)
  }

  /** How many acts wait for an answer. */
  get waiting(): number {
    return this.#pending.size
  }

  /** Sends an act. The hot path: one closure to cancel with. Throws what speaks against the message. */
  act(envelope: ActEnvelope, call: DirectCall): void {
    if (this.#held.size === 0 && !this.#pending.full) this.#send(envelope, call)
    else this.#hold(envelope, call)
  }

  /** Takes an answer. One that nobody waits for, after a cancellation for instance, is ignored. */
  settle(id: number, outcome: Outcome): void {
    const slot = this.#pending.find(id)
    if (slot === undefined) return
    const call = this.#pending.release(slot)
    if (this.#held.size > 0) this.#sendHeld()
    call.settle(outcome)
  }

  /** An act found nobody. */
  undelivered(id: number): void {
    const slot = this.#pending.find(id)
    if (slot !== undefined) this.#pending.release(slot).fail(unreachable())
  }

  /** The other end takes nothing new: what was not sent may go elsewhere. */
  refuseHeld(error: LuciliusError): void {
    for (const { call } of this.#held) call.fail(error)
    this.#held.clear()
    this.#heldChars = 0
  }

  /** The line is gone, and with it all answers. */
  lost(): void {
    for (const slot of this.#pending.all()) this.#pending.release(slot).fail(replyLost())
    this.refuseHeld(unreachable())
  }

  #send(envelope: ActEnvelope, call: DirectCall): void {
    const slot = this.#pending.take(call)
    const { id } = slot
    try {
      this.#post.send(this.#to, { kind: 'act', line: this.#line, id, envelope })
    } catch (error) {
      this.#pending.release(slot)
      throw error
    }
    call.onCancel = () => this.#cancel(id)
  }

  #cancel(id: number): void {
    const slot = this.#pending.find(id)
    if (slot === undefined) return
    const call = this.#pending.release(slot)
    trySend(this.#post, this.#to, { kind: 'cancel', line: this.#line, id })
    call.fail(new LuciliusError('LUC_CANCELLED', 'The caller cancelled.'))
    this.#sendHeld()
  }

  /** Keeps an act as it is now: whoever sends it may change its message meanwhile. */
  #hold(envelope: ActEnvelope, call: DirectCall): void {
    const text = messageText(envelope.message, this.#limits)
    if (this.#heldChars + text.length > this.#limits.maxBuffered) {
      throw new LuciliusError('LUC_OVERLOADED', 'The peer does not answer as fast as it is sent to.')
    }
    const held: Held = { envelope: { ...envelope, message: JSON.parse(text) }, chars: text.length, call }
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
      if (this.#pending.full) return
      this.#held.delete(held)
      this.#heldChars -= held.chars
      try {
        this.#send(held.envelope, held.call)
      } catch (error) {
        held.call.fail(error)
      }
    }
  }
}

/** Sends what is of no use to anybody if it cannot be sent. */
export function trySend(post: Post, ...[to, parcel]: Parameters<Post['send']>): void {
  try {
    post.send(to, parcel)
  } catch {
    // The broker is lost, and will be told so; or the parcel is too large, and nothing smaller would say the same.
  }
}

/** Nothing of the message can have arrived. */
export function unreachable(what = 'The line is closed.'): LuciliusError {
  return new LuciliusError('LUC_UNREACHABLE', what)
}

function replyLost(): LuciliusError {
  return new LuciliusError('LUC_REPLY_LOST', 'The line was lost before there was an answer.')
}
