import type { DirectCall } from '../../lib/transport-kit.js'

/** Ids that one slot has in a lifetime lie this far apart. */
const STRIDE = 65_536

/** An act that was sent and has not been answered. */
export interface Slot {
  id: number
  call: DirectCall | undefined
  /** The how-manieth text of its connection it is: tells whether it was written before the connection was lost. */
  at: number
}

/**
 * The acts that wait for an answer, in slots that are used again: a third of the cost of a map. Each use has an id of
 * its own, so that a late answer to a cancelled act finds nobody.
 */
export class Pending {
  readonly #slots: Slot[] = []
  readonly #free: Slot[] = []

  get size(): number {
    return this.#slots.length - this.#free.length
  }

  /** Whether there is an id for another act. */
  get full(): boolean {
    return this.#free.length === 0 && this.#slots.length === STRIDE
  }

  take(call: DirectCall): Slot {
    const free = this.#free.pop()
    if (free === undefined) {
      const slot: Slot = { id: this.#slots.length, call, at: 0 }
      this.#slots.push(slot)
      return slot
    }
    free.call = call
    return free
  }

  /** The act of that id, if it still waits. */
  find(id: unknown): Slot | undefined {
    if (typeof id !== 'number') return undefined
    const slot = this.#slots[id % STRIDE]
    return slot?.id === id && slot.call !== undefined ? slot : undefined
  }

  /** The act is over: its slot may be used again, and its call is told the end by whoever asks. */
  release(slot: Slot): DirectCall {
    // A slot that was found or taken has one.
    const call = slot.call as DirectCall
    slot.id += STRIDE
    slot.call = undefined
    this.#free.push(slot)
    return call
  }

  /** All that wait. */
  all(): Slot[] {
    return this.#slots.filter((slot) => slot.call !== undefined)
  }
}
