import type { DirectCall } from '../../lib/transport-kit.js'

/** The most acts that can wait on one connection. */
const MOST_SLOTS = 65_536

/** How many ids of a slot take turns. 16 of them gave up a third of what is gained. */
const TURNS = 4

/** An act that was sent and has not been answered. */
export interface Slot {
  id: number
  call: DirectCall | undefined
  /** The how-manieth text of its connection it is: tells whether it was written before the connection was lost. */
  at: number
}

/**
 * The acts that wait for an answer, in slots that are used again: a third of the cost of a map.
 *
 * A slot has a few ids that take turns, so that an answer told twice in a row finds nobody. An act that is given up takes
 * all ids of its slot with it: however late its answer comes, it finds nobody. There are few because V8 remembers the
 * texts of numbers that come again: new ones cost both ends an eighth of an act (`npm run bench -- remote`).
 */
export class Pending {
  readonly #slots: Slot[] = []
  readonly #idle: Slot[] = []
  /** How far the ids of a slot lie apart. */
  readonly #stride: number
  /** How many ids the slots have together, until an act is given up. */
  readonly #ids: number

  /** Makes room for so many acts, and for those that make it a power of two. */
  constructor(most: number) {
    this.#stride = 2 ** Math.ceil(Math.log2(Math.min(most, MOST_SLOTS)))
    this.#ids = this.#stride * TURNS
  }

  /** Whether no act has ever waited here. */
  get unused(): boolean {
    return this.#slots.length === 0
  }

  get size(): number {
    return this.#slots.length - this.#idle.length
  }

  /** Whether there is an id for another act. */
  get full(): boolean {
    return this.#idle.length === 0 && this.#slots.length === this.#stride
  }

  take(call: DirectCall): Slot {
    const free = this.#idle.pop()
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

  /** The act was answered: its slot may be used again, and its call is told the end by whoever asks. */
  release(slot: Slot): DirectCall {
    const isLastTurn = (slot.id % this.#ids) + this.#stride >= this.#ids
    return this.#free(slot, isLastTurn ? this.#stride - this.#ids : this.#stride)
  }

  /** The same for an act whose answer may still come. */
  giveUp(slot: Slot): DirectCall {
    return this.#free(slot, this.#ids)
  }

  #free(slot: Slot, toNextId: number): DirectCall {
    // A slot that was found or taken has one.
    const call = slot.call as DirectCall
    slot.id += toNextId
    slot.call = undefined
    this.#idle.push(slot)
    return call
  }

  /** All that wait. */
  all(): Slot[] {
    return this.#slots.filter((slot) => slot.call !== undefined)
  }
}
