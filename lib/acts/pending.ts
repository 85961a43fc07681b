import type { DirectCall } from '../transport.js'

/** The most acts that can wait on one connection. */
const MOST_SLOTS = 65_536

/** Ids are below this. V8 takes larger numbers for fractions: a tenth of an act more (`npm run bench -- remote`). */
const IDS = 2 ** 29

/** An act that was sent and has not been answered. */
export interface Slot {
  id: number
  call: DirectCall | undefined
  /** Where it stands in what leaves: tells whether it left before the connection was lost. */
  at: number
}

/**
 * The acts that wait for an answer, in slots that are used again: a third of the cost of a map.
 *
 * Each use of a slot has an id of its own, and the slots take turns, so that an id comes again only after half a billion
 * acts: an answer that is told twice, or comes however late, finds nobody.
 */
export class Pending {
  readonly #slots: Slot[] = []
  /** Those that are free, in a ring: the one that was freed first is used first. */
  readonly #free: Slot[] = []
  #firstFree = 0
  /** How many there can be, and how far the ids of a slot lie apart: a power of two, as the lengths of both rings are. */
  readonly #stride: number
  #size = 0

  /** Makes room for so many acts, and for those that make it a power of two. */
  constructor(most: number) {
    this.#stride = 2 ** Math.ceil(Math.log2(Math.min(most, MOST_SLOTS)))
  }

  /** Whether no act has ever waited here. */
  get unused(): boolean {
    return this.#slots.length === 0
  }

  get size(): number {
    return this.#size
  }

  /** Whether there is no slot for another act. */
  get full(): boolean {
    return this.#size === this.#stride
  }

  /** Takes in an act, if there is a slot for it. */
  take(call: DirectCall): Slot {
    this.#size++
    if (this.#slots.length < this.#stride) {
      const slot: Slot = { id: this.#slots.length, call, at: 0 }
      this.#slots.push(slot)
      return slot
    }
    // It is not full.
    const slot = this.#free[this.#firstFree] as Slot
    this.#firstFree = (this.#firstFree + 1) & (this.#stride - 1)
    slot.call = call
    return slot
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
    slot.id = (slot.id + this.#stride) & (IDS - 1)
    slot.call = undefined
    const free = this.#slots.length - this.#size--
    this.#free[(this.#firstFree + free) & (this.#stride - 1)] = slot
    return call
  }

  /** All that wait. */
  all(): Slot[] {
    return this.#slots.filter((slot) => slot.call !== undefined)
  }
}
