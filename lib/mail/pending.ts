import type { DirectCall } from '../transport.js'

/** The most acts that can wait on one line. */
const MOST_SLOTS = 65_536

/** An act that was sent and has not been answered. */
export interface Slot {
  id: number
  call: DirectCall | undefined
}

/**
 * The acts that wait for an answer, in slots that are used again: a third of the cost of a map. Each use has an id of
 * its own, so that a late answer to a cancelled act finds nobody.
 */
export class Pending {
  readonly #slots: Slot[] = []
  readonly #free: Slot[] = []
  readonly #most: number
  readonly #stride: number

  constructor(most: number) {
    this.#most = Math.min(most, MOST_SLOTS)
    this.#stride = 2 ** Math.ceil(Math.log2(this.#most))
  }

  get size(): number {
    return this.#slots.length - this.#free.length
  }

  /** Whether as many wait as may. */
  get full(): boolean {
    return this.#free.length === 0 && this.#slots.length === this.#most
  }

  take(call: DirectCall): Slot {
    const free = this.#free.pop()
    if (free === undefined) {
      const slot: Slot = { id: this.#slots.length, call }
      this.#slots.push(slot)
      return slot
    }
    free.call = call
    return free
  }

  /** The act of that id, if it still waits. */
  find(id: number): Slot | undefined {
    const slot = this.#slots[id % this.#stride]
    return slot?.id === id && slot.call !== undefined ? slot : undefined
  }

  /** The act is over: its slot may be used again, and its call is told the end by whoever asks. */
  release(slot: Slot): DirectCall {
    // A slot that was found or taken has one.
    const call = slot.call as DirectCall
    slot.id += this.#stride
    slot.call = undefined
    this.#free.push(slot)
    return call
  }

  /** All that wait. */
  all(): Slot[] {
    return this.#slots.filter((slot) => slot.call !== undefined)
  }
}
