import {
  type ActEnvelope,
  type Call,
  encodeJson,
  isDeeper,
  LuciliusError,
  type Message,
  type Outcome,
  toOutcome,
} from '../../lib/transport-kit.js'
import { actBody, actText, cancelText, type Room } from './frame-text.js'
import { isLonger } from './length.js'
import type { Outbox } from './outbox.js'
import { Pending, type Slot } from './pending.js'
import type { Limits } from './settings.js'

/** An act for which the other end has no room yet. */
interface Held {
  readonly body: string
  readonly call: Call
  readonly resolve: Slot['resolve']
  readonly reject: Slot['reject']
}

/** Sends acts over one connection and matches the answers to them. */
export class Caller {
  readonly #outbox: Outbox
  readonly #limits: Limits
  readonly #pending = new Pending()
  readonly #held = new Set<Held>()
  #heldChars = 0
  #room: Room

  constructor(outbox: Outbox, limits: Limits) {
    this.#outbox = outbox
    this.#limits = limits
    this.#room = limits
  }

  /** What the other end said it takes. Keeping to it saves a refusal there, which would cost the whole frame. */
  fit(room: Room): void {
    this.#room = { maxBytes: Math.min(this.#limits.maxBytes, room.maxBytes), maxInFlight: room.maxInFlight }
    this.#sendHeld()
  }

  /** Sends an act. The hot path: one closure for the promise and one to cancel with. */
  act(envelope: ActEnvelope, call: Call): Promise<Outcome> {
    let message: string
    try {
      message = encodeJson(envelope.message)
    } catch (error) {
      // It is the error that names the field.
      return Promise.reject(error)
    }
    const refusal = this.#refusal(message)
    if (refusal !== undefined) return Promise.reject(refusal)
    const body = actBody(message, envelope)
    return new Promise((resolve, reject) => {
      if (this.#hasRoom() && this.#held.size === 0) this.#send(body, call, resolve, reject)
      else this.#hold({ body, call, resolve, reject })
    })
  }

  /** Takes an answer. One that nobody waits for, after a cancellation for instance, is ignored. */
  settle(frame: Message): void {
    const slot = this.#pending.find(frame.id)
    if (slot === undefined) return
    const { resolve, reject } = slot
    this.#pending.release(slot)
    try {
      resolve(toOutcome(frame))
    } catch (error) {
      reject(error)
    }
    if (this.#held.size > 0) this.#sendHeld()
  }

  /** The other end takes nothing new: what was not sent may go elsewhere. */
  refuseHeld(error: LuciliusError): void {
    for (const { reject } of this.#held) reject(error)
    this.#held.clear()
    this.#heldChars = 0
  }

  /** The connection is gone, and with it all answers. */
  lost(): void {
    for (const slot of this.#pending.all()) {
      const { reject } = slot
      const written = slot.at <= this.#outbox.written
      this.#pending.release(slot)
      reject(written ? replyLost() : unreachable())
    }
    this.refuseHeld(unreachable())
  }

  #refusal(message: string): LuciliusError | undefined {
    const { maxBytes } = this.#room
    if (isLonger(message, maxBytes)) {
      return new LuciliusError('LUC_TOO_LARGE', `The message has more than ${maxBytes} bytes. Send it in parts.`)
    }
    if (isDeeper(message, this.#limits.maxDepth)) {
      const what = `The message has more than ${this.#limits.maxDepth} objects and arrays inside each other.`
      return new LuciliusError('LUC_MESSAGE_INVALID', `${what} Make it flatter.`)
    }
    if (!this.#outbox.full && this.#heldChars <= this.#limits.maxBuffered) return undefined
    return new LuciliusError('LUC_OVERLOADED', 'The peer does not read as fast as it is sent to.')
  }

  #hasRoom(): boolean {
    return this.#pending.size < this.#room.maxInFlight && !this.#pending.full
  }

  #send(body: string, call: Call, resolve: Slot['resolve'], reject: Slot['reject']): void {
    const slot = this.#pending.take(call, resolve, reject)
    const { id } = slot
    call.onCancel = () => this.#cancel(id)
    this.#outbox.push(actText(id, body), this.#pending.size === 1)
    slot.at = this.#outbox.given
  }

  #cancel(id: number): void {
    const slot = this.#pending.find(id)
    if (slot === undefined) return
    const { reject } = slot
    this.#pending.release(slot)
    this.#outbox.push(cancelText(id), false)
    reject(new LuciliusError('LUC_CANCELLED', 'The caller cancelled.'))
    this.#sendHeld()
  }

  #hold(held: Held): void {
    this.#held.add(held)
    this.#heldChars += held.body.length
    held.call.onCancel = () => {
      if (!this.#held.delete(held)) return
      this.#heldChars -= held.body.length
      held.reject(new LuciliusError('LUC_CANCELLED', 'The caller cancelled before it was sent.', { handled: 'no' }))
    }
  }

  #sendHeld(): void {
    for (const held of this.#held) {
      if (!this.#hasRoom()) return
      this.#held.delete(held)
      this.#heldChars -= held.body.length
      this.#send(held.body, held.call, held.resolve, held.reject)
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
