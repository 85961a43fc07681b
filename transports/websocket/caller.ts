import {
  type ActEnvelope,
  type DirectCall,
  encodeJson,
  flatJson,
  isDeeper,
  LuciliusError,
  type Message,
  type Outcome,
  Outgoing,
  toOutcome,
} from '../../lib/transport-kit.js'
import { type ActText, departureBy } from './departure.js'
import { ACT, actBody, type Room } from './frame-text.js'
import { isLonger } from './length.js'
import type { Outbox } from './outbox.js'
import { actRowBody, type Row } from './row.js'
import type { Limits } from './settings.js'

/** Sends acts over one connection and matches the answers to them. */
export class Caller {
  readonly #outbox: Outbox
  readonly #limits: Limits
  readonly #outgoing: Outgoing<ActText>
  #room: Room

  constructor(outbox: Outbox, limits: Limits) {
    this.#outbox = outbox
    this.#limits = limits
    this.#outgoing = new Outgoing(departureBy(outbox), limits)
    this.#room = { ...limits, rows: false, tables: false }
  }

  /** What the other end said it takes. Keeping to it saves a refusal there, which would cost the whole frame. */
  fit(room: Room): void {
    this.#room = { ...room, maxBytes: Math.min(this.#limits.maxBytes, room.maxBytes) }
    this.#outgoing.fit(room.maxInFlight)
  }

  /** What the other end takes. */
  get room(): Room {
    return this.#room
  }

  /** Sends an act. Throws what speaks against the message. */
  act(envelope: ActEnvelope, call: DirectCall): void {
    const flat = flatJson(envelope.message)
    const message = flat ?? encodeJson(envelope.message)
    this.#check(message, flat === undefined)
    const row = this.#room.rows ? actRowBody(message, envelope) : undefined
    const text = row === undefined ? { start: ACT, body: actBody(message, envelope) } : { start: '[', body: row }
    this.#outgoing.act(text, call)
  }

  /** Whether somebody waits for an answer under this id. */
  awaits(id: unknown): boolean {
    return this.#outgoing.awaits(id)
  }

  /** Takes an answer that came as a row. */
  settleRow([id, reply]: Row): void {
    this.#outgoing.settle(id, { reply })
  }

  /** Takes an answer. */
  settle(frame: Message): void {
    // What nobody waits for is not even read.
    if (!this.awaits(frame.id)) return
    let outcome: Outcome
    try {
      outcome = toOutcome(frame)
    } catch (error) {
      this.#outgoing.fail(frame.id, error)
      return
    }
    this.#outgoing.settle(frame.id, outcome)
  }

  /** The other end takes nothing new: what was not sent may go elsewhere. */
  refuseHeld(error: LuciliusError): void {
    this.#outgoing.refuseHeld(error)
  }

  /** The connection is gone, and with it all answers. */
  lost(): void {
    this.#outgoing.lost(this.#outbox.written)
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
    if (this.#outbox.full) {
      throw new LuciliusError('LUC_OVERLOADED', 'The peer does not read as fast as it is sent to.')
    }
  }
}
