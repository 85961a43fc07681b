import {
  type ActEnvelope,
  type DirectCall,
  encodeJson,
  flatJson,
  isDeeper,
  LuciliusError,
  type Message,
  type Outcome,
  toOutcome,
} from '../../lib/transport-kit.js'
import { ACT, actBody, cancelText, type Room } from './frame-text.js'
import { isLonger } from './length.js'
import type { Outbox } from './outbox.js'
import { Pending } from './pending.js'
import { actRowBody, type Row } from './row.js'
import type { Limits } from './settings.js'

/** An act for which the other end has no room yet. */
interface Held {
  readonly start: string
  readonly body: string
  readonly call: DirectCall
}

/** Sends acts over one connection and matches the answers to them. */
export class Caller {
  readonly #outbox: Outbox
  readonly #limits: Limits
  #pending: Pending
  readonly #held = new Set<Held>()
  #heldChars = 0
  #room: Room

  constructor(outbox: Outbox, limits: Limits) {
    this.#outbox = outbox
    this.#limits = limits
    this.#room = { ...limits, rows: false, tables: false }
    this.#pending = new Pending(limits.maxInFlight)
  }

  /** What the other end said it takes. Keeping to it saves a refusal there, which would cost the whole frame. */
  fit(room: Room): void {
    this.#room = { ...room, maxBytes: Math.min(this.#limits.maxBytes, room.maxBytes) }
    // The ids of what waits already are as they are.
    if (this.#pending.unused) this.#pending = new Pending(room.maxInFlight)
    this.#sendHeld()
  }

  /** What the other end takes. */
  get room(): Room {
    return this.#room
  }

  /** Sends an act. The hot path: one closure to cancel with. Throws what speaks against the message. */
  act(envelope: ActEnvelope, call: DirectCall): void {
    const flat = flatJson(envelope.message)
    const message = flat ?? encodeJson(envelope.message)
    this.#check(message, flat === undefined)
    const row = this.#room.rows ? actRowBody(message, envelope) : undefined
    const start = row === undefined ? ACT : '['
    const body = row ?? actBody(message, envelope)
    if (this.#held.size === 0 && this.#hasRoom()) this.#send(start, body, call)
    else this.#hold({ start, body, call })
  }

  /** Takes an answer that came as a row. */
  settleRow([id, reply]: Row): void {
    const slot = this.#pending.find(id)
    if (slot === undefined) return
    const call = this.#pending.release(slot)
    if (this.#held.size > 0) this.#sendHeld()
    call.settle({ reply })
  }

  /** Takes an answer. One that nobody waits for, after a cancellation for instance, is ignored. */
  settle(frame: Message): void {
    const slot = this.#pending.find(frame.id)
    if (slot === undefined) return
    const call = this.#pending.release(slot)
    let outcome: Outcome
    try {
      outcome = toOutcome(frame)
    } catch (error) {
      call.fail(error)
      return
    } finally {
      if (this.#held.size > 0) this.#sendHeld()
    }
    call.settle(outcome)
  }

  /** The other end takes nothing new: what was not sent may go elsewhere. */
  refuseHeld(error: LuciliusError): void {
    for (const { call } of this.#held) call.fail(error)
    this.#held.clear()
    this.#heldChars = 0
  }

  /** The connection is gone, and with it all answers. */
  lost(): void {
    for (const slot of this.#pending.all()) {
      const written = slot.at <= this.#outbox.written
      this.#pending.release(slot).fail(written ? replyLost() : unreachable())
    }
    this.refuseHeld(unreachable())
  }

  #check(message: string, mayBeDeep: boolean): void {
    const { maxBytes } = this.#room
    if (isLonger(message, maxBytes)) {
      throw new LuciliusError('LUC_TOO_LARGE', `The message has more than ${maxBytes} bytes. Send it in parts.`)
    }
    if (mayBeDeep && isDeeper(message, this.#limits.maxDepth)) {
      const what = `The message has more than ${this.#limits.maxDepth} objects and arrays inside each other.`
      throw new LuciliusError('LUC_MESSAGE_INVALID', `${what} Make it flatter.`)
    }
    if (this.#outbox.full || this.#heldChars > this.#limits.maxBuffered) {
      throw new LuciliusError('LUC_OVERLOADED', 'The peer does not read as fast as it is sent to.')
    }
  }

  #hasRoom(): boolean {
    return this.#pending.size < this.#room.maxInFlight && !this.#pending.full
  }

  #send(start: string, body: string, call: DirectCall): void {
    const slot = this.#pending.take(call)
    const { id } = slot
    call.onCancel = () => this.#cancel(id)
    this.#outbox.push(start + id + body, this.#pending.size - 1)
    slot.at = this.#outbox.given
  }

  #cancel(id: number): void {
    const slot = this.#pending.find(id)
    if (slot === undefined) return
    const call = this.#pending.giveUp(slot)
    this.#outbox.pushIdle(cancelText(id))
    call.fail(new LuciliusError('LUC_CANCELLED', 'The caller cancelled.'))
    this.#sendHeld()
  }

  #hold(held: Held): void {
    this.#held.add(held)
    this.#heldChars += held.body.length
    held.call.onCancel = () => {
      if (!this.#held.delete(held)) return
      this.#heldChars -= held.body.length
      held.call.fail(new LuciliusError('LUC_CANCELLED', 'The caller cancelled before it was sent.', { handled: 'no' }))
    }
  }

  #sendHeld(): void {
    for (const held of this.#held) {
      if (!this.#hasRoom()) return
      this.#held.delete(held)
      this.#heldChars -= held.body.length
      this.#send(held.start, held.body, held.call)
    }
  }
}

/** Nothing of the message can have arrived. */
export function unreachable(): LuciliusError {
  return new LuciliusError('LUC_UNREACHABLE', 'The connection is closed.')
}

function replyLost(): LuciliusError {
  return new LuciliusError('LUC_REPLY_LOST', 'The connection was lost before there was an answer.')
}
