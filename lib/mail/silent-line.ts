import { promised } from '../direct.js'
import type { Call, Connection, DirectCall, Envelope, Observer, Outcome } from '../transport.js'
import { Caller, unreachable } from './caller.js'
import type { LinePlace } from './line.js'
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
  readonly #caller: Caller
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  #closed = false

  constructor(place: LinePlace, observer: Observer) {
    const { id, to, post, lines, limits } = place
    this.id = id
    this.to = to
    this.#place = place
    this.#observer = observer
    this.#caller = new Caller(post, to, id, limits)
    lines.set(this)
  }

  carry(envelope: Envelope, call: Call): Promise<Outcome> {
    return promised(call, (direct) => this.carryDirect(envelope, direct))
  }

  carryDirect(envelope: Envelope, call: DirectCall): void {
    try {
      if (this.#closed) throw unreachable()
      if (envelope.kind === 'event') throw unreachable('This service has not asked for events.')
      this.#caller.act(envelope, call)
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
    this.#caller.settle(parcel.id, parcel.outcome)
  }

  undelivered(id?: number): void {
    if (id !== undefined) this.#caller.undelivered(id)
    this.#retire()
  }

  lost(): void {
    this.#end()
  }

  /** One that takes nothing new stays until the last answer has come, or nobody waits for it any more. */
  beat(): void {
    if (this.#closed && this.#caller.waiting === 0) this.#place.lines.remove(this)
  }

  /** Takes nothing new and makes the core look again; what else was sent may still be answered. */
  #retire(): void {
    if (this.#closed) return
    this.#closed = true
    this.#caller.refuseHeld(unreachable())
    this.#refuseWaiting()
    this.#observer.lost()
  }

  #end(): void {
    this.#place.lines.remove(this)
    this.#caller.lost()
    this.#refuseWaiting()
    if (this.#closed) return
    this.#closed = true
    this.#observer.lost()
  }

  #refuseWaiting(): void {
    for (const { reject } of this.#waiting.splice(0)) reject(unreachable())
  }
}
