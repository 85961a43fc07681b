import type { Call, Outcome } from '../../lib/transport-kit.js'

/** Ids that one slot has in a lifetime lie this far apart. */
const STRIDE = 65_536

/** An act that was sent and has not been answered. */
export interface Slot {
  id: number
  call: Call | undefined
  resolve: (outcome: Outcome) => void
  reject: (error: unknown) => void
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

  take(call: Call, resolve: Slot['resolve'], reject: Slot['reject']): Slot {
    const free = this.#free.pop()
    if (free === undefined) {
      const slot: Slot = { id: this.#slots.length, call, resolve, reject, at: 0 }
      this.#slots.push(slot)
      return slot
    }
    free.call = call
    free.resolve = resolve
    free.reject = reject
    return free
  }

  /** The act of that id, if it still waits. */
  find(id: unknown): Slot | undefined {
    if (typeof id !== 'number') return undefined
    const slot = this.#slots[id % STRIDE]
    return slot?.id === id && slot.call !== undefined ? slot : undefined
  }

  /** The act is settled: its slot may be used again. */
  release(slot: Slot): void {
    slot.id += STRIDE
    slot.call = undefined
    this.#free.push(slot)
  }

  /** All that wait. */
  all(): Slot[] {
    return this.#slots.filter((slot) => slot.call !== undefined)
  }
}
