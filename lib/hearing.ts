import { isMessage } from './message.js'
import { News } from './news.js'

/** Milliseconds between two announcements that are taken, in the long run. */
const EVERY_MS = 100

/** How far ahead of that a peer may be: it starts, drains or learns in a few steps, and none of them should wait. */
const AHEAD_MS = 9 * EVERY_MS

/**
 * Takes what a peer tells of itself, at once as a rule. What it tells again is no news; and as an announcement of 10,000
 * patterns takes half a second, one that changes again and again is taken ten times a second at most, and for no more than
 * half of the time: then the newest counts. That it takes no new work is always heard at once.
 */
export class Hearing {
  readonly #take: (announcement: unknown) => void
  readonly #news = new News()
  /** When all that was taken so far is paid for. */
  #paidAt = 0
  #isDraining = false
  #newest: unknown
  #timer: NodeJS.Timeout | undefined

  /** `take` throws nothing. */
  constructor(take: (announcement: unknown) => void) {
    this.#take = take
  }

  /** Takes an announcement now, later, or not at all. */
  hear(announcement: unknown): void {
    if (!this.#news.isNew(JSON.stringify(announcement) ?? '')) return
    const early = this.#paidAt - AHEAD_MS - performance.now()
    if (early <= 0 || (isDraining(announcement) && !this.#isDraining)) {
      this.#takeNow(announcement)
      return
    }
    this.#newest = announcement
    this.#timer ??= setTimeout(() => this.#takeNow(this.#newest), early)
  }

  /** The connection is gone. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#newest = undefined
  }

  #takeNow(announcement: unknown): void {
    this.stop()
    this.#isDraining = isDraining(announcement)
    const began = performance.now()
    this.#take(announcement)
    const now = performance.now()
    this.#paidAt = Math.max(this.#paidAt, began) + Math.max(EVERY_MS, 2 * (now - began))
  }
}

function isDraining(announcement: unknown): boolean {
  return isMessage(announcement) && announcement.draining === true
}
