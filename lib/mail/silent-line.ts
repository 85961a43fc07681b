import { type Outgoing, unreachable } from '../acts/outgoing.js'
import { promised } from '../direct.js'
import type { ActEnvelope, Call, Connection, DirectCall, Envelope, Observer, Outcome } from '../transport.js'
import { outgoingOver } from './acts.js'
import type { LinePlace } from './line-place.js'
import type { LineEnd } from './lines.js'
import type { Parcel } from './parcel.js'

/**
 * A line to a service that tells nothing and only answers: a clients' door. Nobody says there that it is gone, so an act
 * that finds nobody is how one learns it.
 */
export class SilentLine implements Connection, LineEnd {
  readonly id: string
  readonly to: string
  readonly #place: LinePlace
  readonly #observer: Observer
  readonly #outgoing: Outgoing<ActEnvelope>
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  #closed = false

  constructor(place: LinePlace, observer: Observer) {
    this.id = place.id
    this.to = place.to
    this.#place = place
    this.#observer = observer
    this.#outgoing = outgoingOver(place)
    place.lines.set(this)
  }

  carry(envelope: Envelope, call: Call): Promise<Outcome> {
    return promised(call, (direct) => this.carryDirect(envelope, direct))
  }

  carryDirect(envelope: Envelope, call: DirectCall): void {
    try {
      if (this.#closed) throw unreachable()
      if (envelope.kind === 'event') throw unreachable('This service has not asked for events.')
      this.#outgoing.act(envelope, call)
    } catch (error) {
      call.fail(error)
    }
  }

  /** It cannot be asked: the next answer to whatever was sent is its sign of life. */
  ping(): Promise<void> {
    if (this.#closed) return Promise.reject(unreachable())
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  async close(): Promise<void> {
    this.#end()
    await this.#place.closed?.()
  }

  take(parcel: Parcel): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve()
    if (parcel.kind === 'close') this.#end()
    if (parcel.kind !== 'reply') return
    this.#outgoing.settle(parcel.id, parcel.outcome)
  }

  /** Takes nothing new and makes the core look again; what else was sent may still be answered. */
  undelivered(id?: number): void {
    const isFirst = !this.#closed
    this.#closed = true
    this.#outgoing.refuseHeld(unreachable())
    if (id !== undefined) this.#outgoing.fail(id, unreachable())
    if (!isFirst) return
    this.#refuseWaiting()
    this.#observer.lost()
  }

  lost(): void {
    this.#end()
  }

  /** One that takes nothing new stays until the last answer has come, or nobody waits for it any more. */
  beat(): void {
    if (this.#closed && this.#outgoing.waiting === 0) this.#place.lines.remove(this)
  }

  #end(): void {
    this.#place.lines.remove(this)
    this.#outgoing.lost()
    this.#refuseWaiting()
    if (this.#closed) return
    this.#closed = true
    this.#observer.lost()
  }

  #refuseWaiting(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(unreachable())
  }
}
