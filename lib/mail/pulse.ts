import { BEAT_MS } from './lines.js'

/** Beats between two pings of a line on which somebody waits, and of one that is idle. */
const BUSY_BEATS = 500 / BEAT_MS
const IDLE_BEATS = 5_000 / BEAT_MS

/** Pings in a row that may go unanswered. */
const MISSES = 2

/**
 * Asks the other end of a line for signs of life. Time is counted in beats, not by the clock: a process that was held up
 * would otherwise take the answers that it has not read for missing.
 */
export class Pulse {
  readonly #ping: (id: number) => void
  readonly #mostSilent: number
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  #crossing: { readonly id: number; readonly resolve: () => void } | undefined
  #count = 0
  #heard = true
  /** Beats since the last ping or sign of life. */
  #quiet = 0
  /** Beats since the first ping that was not answered; -1 if there is none. */
  #silent = -1

  /** `ping` sends one; the other end has `pingMs` to answer, and as long again for the next one. */
  constructor(ping: (id: number) => void, pingMs: number) {
    this.#ping = ping
    this.#mostSilent = (MISSES * pingMs) / BEAT_MS
  }

  /** Something came from the other end. */
  heard(): void {
    this.#heard = true
    if (this.#waiting.length === 0) return
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  /** A pong came. */
  pong(id: number): void {
    if (this.#crossing?.id === id) this.#crossing.resolve()
  }

  /** Asks now. Resolves with the next sign of life, rejects when there can be none any more. */
  ask(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#send()
    })
  }

  /** Resolves when the other end has had all that was sent before, and what it had sent by then is here; or at the end. */
  crossed(): Promise<void> {
    return new Promise((resolve) => {
      this.#crossing = { id: this.#count, resolve }
      this.#send()
    })
  }

  /** Pings if it is time to; false if the other end has been silent for too long. */
  beat(isBusy: boolean): boolean {
    if (this.#heard) {
      this.#heard = false
      this.#quiet = 0
      this.#silent = -1
      return true
    }
    this.#quiet++
    if (this.#silent !== -1 && ++this.#silent > this.#mostSilent) return false
    if (this.#quiet >= (isBusy ? BUSY_BEATS : IDLE_BEATS)) this.#send()
    return true
  }

  stop(): void {
    this.#crossing?.resolve()
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('The line was lost.'))
  }

  #send(): void {
    this.#quiet = 0
    if (this.#silent === -1) this.#silent = 0
    this.#ping(this.#count++)
  }
}
