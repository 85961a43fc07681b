import { LuciliusError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { Message } from '../message.js'
import { encodeJson } from '../wire-json.js'
import { LongWaits } from './long-waits.js'

/** A message that waits until `free` says that it may go on. */
export interface Ticket {
  /** Looked at in order of arrival whenever something changed. */
  readonly free: () => boolean
  /** Stops waiting; harmless when it is over. */
  leave(): void
}

interface Parked extends Ticket {
  readonly bytes: number
  readonly resume: () => void
  /** Ends the watch over how long it waits. */
  readonly ended: (() => void) | undefined
}

/** Holds messages that nobody can answer yet, within bounds and in order of arrival. */
export class Parking {
  readonly #max: number
  readonly #maxBytes: number
  readonly #parked = new Set<Parked>()
  readonly #waits: LongWaits
  #bytes = 0

  constructor({ max, maxBytes }: { readonly max: number; readonly maxBytes: number }, log: Logger) {
    this.#max = max
    this.#maxBytes = maxBytes
    this.#waits = new LongWaits(log)
  }

  /**
   * Parks a message; `resume` is called once when it is free. With `asked`, the pattern that nobody answers here, a long wait
   * is told. Throws `LUC_OVERLOADED` when a bound is reached, `LUC_NOT_PORTABLE`.
   */
  park(message: Message, free: () => boolean, resume: () => void, asked?: string): Ticket {
    const bytes = Buffer.byteLength(encodeJson(message))
    if (this.#parked.size >= this.#max || this.#bytes + bytes > this.#maxBytes) throw this.#full()
    const ended = asked === undefined ? undefined : this.#waits.begin(asked)
    const parked: Parked = { bytes, free, resume, ended, leave: () => this.#leave(parked) }
    this.#parked.add(parked)
    this.#bytes += bytes
    return parked
  }

  /** Something changed: lets go what is free, first come, first served. */
  wake(): void {
    for (const parked of [...this.#parked]) {
      if (!this.#parked.has(parked) || !parked.free()) continue
      this.#leave(parked)
      parked.resume()
    }
  }

  #leave(parked: Parked): void {
    if (!this.#parked.delete(parked)) return
    this.#bytes -= parked.bytes
    parked.ended?.()
  }

  #full(): LuciliusError {
    return new LuciliusError(
      'LUC_OVERLOADED',
      `Nobody can be reached who answers this, and ${this.#parked.size} messages wait already. Start what answers it, or raise park.max and park.maxBytes.`,
    )
  }
}
