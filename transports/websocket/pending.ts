import type { DirectCall } from '../../lib/transport-kit.js'

/** The most acts that can wait on one connection. */
const MOST_SLOTS = 65_536

/** An act that was sent and has not been answered. */
export interface Slot {
  id: number
  call: DirectCall | undefined
  /** The how-manieth text of its connection it is: tells whether it was written before the connection was lost. */
  at: number
}

/**
 * The acts that wait for an answer, in slots that are used again: a third of the cost of a map. Each use has an id of
 * its own, so that a late answer to a cancelled act finds nobody. The ids of a slot lie no farther apart than they must:
 * beyond 2³¹ a number is written and read so slowly that an act costs a tenth more (`npm run bench -- remote`).
 */
export class Pending {
  readonly #slots: Slot[] = []
  readonly #free: Slot[] = []
  readonly #stride: number

  /** Makes room for so many acts, and for those that make it a power of two. */
  constructor(most: number) {
    this.#stride = 2 ** Math.ceil(Math.log2(Math.min(most, MOST_SLOTS)))
  }

  /** Whether no act has ever waited here. */
  get unused(): boolean {
    return this.#slots.length === 0
  }

  get size(): number {
    return this.#slots.length - this.#free.length
  }

  /** Whether there is an id for another act. */
  get full(): boolean {
    return this.#free.length === 0 && this.#slots.length === this.#stride
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
