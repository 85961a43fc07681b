import { pause } from './on-abort.js'
import { type OrderedPlace, toPlace, toPlain } from './ordered-place.js'
import type { Parts } from './parts.js'
import { Records } from './records.js'
import { isOvertaken, Unanswered } from './unanswered.js'

const pauseMs = 100

/** The record of an ordered subscription, written by one holder: each time only if nobody else has written since. */
export class HeldRecord {
  readonly #parts: Parts
  readonly #records: Records
  readonly #subject: string
  readonly #holder: string
  readonly #ended: AbortSignal
  #sequence: number
  #writtenAt = 0

  /** `sequence` is that of what is to be written over; once `ended` aborts nothing more is tried. */
  constructor(parts: Parts, subject: string, holder: string, sequence: number, ended: AbortSignal) {
    this.#parts = parts
    this.#records = new Records(parts.link, parts.names.streams.state)
    this.#subject = subject
    this.#holder = holder
    this.#sequence = sequence
    this.#ended = ended
  }

  /** How long ago it was last written, in ms. */
  get ageMs(): number {
    return performance.now() - this.#writtenAt
  }

  /** Writes until it is written. False if somebody else has the subscription by now, or nobody can have it. */
  async write(place: OrderedPlace): Promise<boolean> {
    const { link, streams } = this.#parts
    const value = toPlain(place)
    while (!this.#ended.aborted) {
      try {
        await link.whenUp(this.#ended)
        this.#sequence = await this.#records.write(this.#subject, value, this.#sequence)
        this.#writtenAt = performance.now()
        return true
      } catch (error) {
        if (link.isClosed) return false
        if (isOvertaken(error)) {
          if (!(await this.#isStillOurs())) return false
          continue
        }
        if (error instanceof Unanswered && error.why === 'nobody') await streams.ensure().catch(() => {})
        await pause(pauseMs, this.#ended)
      }
    }
    return false
  }

  /** Somebody has written: it may have been ourselves, without hearing that it had arrived. */
  async #isStillOurs(): Promise<boolean> {
    try {
      const written = await this.#records.read(this.#subject)
      if (written === undefined || toPlace(written.value)?.holder !== this.#holder) return false
      this.#sequence = written.sequence
    } catch {
      await pause(pauseMs, this.#ended) // The next write asks the same again.
    }
    return true
  }
}
