import { type Failure, isMessage, toFailures } from '../../../lib/transport-kit.js'
import type { Link } from './link.js'
import type { Names } from './names.js'
import { Records } from './records.js'

/** What is known of a delivery that came before. */
export interface History {
  /** When it was first delivered, ms since the epoch. */
  readonly firstAt: number | undefined
  /** How often it was handed back without being handled. */
  readonly backs: number
  /** Until when it is to wait, ms since the epoch. */
  readonly dueAt: number
  readonly failures: readonly Failure[]
  /** Where this is written; 0 if it is not. */
  readonly sequence: number
}

/** What is known of a delivery that nothing is written about. */
export const noHistory: History = { firstAt: undefined, backs: 0, dueAt: 0, failures: [], sequence: 0 }

/** What failed of the deliveries of one subscription, for as long as they are tried. */
export class Histories {
  readonly #link: Link
  readonly #records: Records
  readonly #subjectOf: (sequence: number) => string

  constructor(link: Link, names: Names, subscription: string) {
    this.#link = link
    this.#records = new Records(link, names.streams.failures)
    this.#subjectOf = (sequence) => names.failures(subscription, sequence)
  }

  /** What is written about an event. Rejects with `Unanswered` and `Refused`. */
  async read(sequence: number): Promise<History> {
    const written = await this.#records.read(this.#subjectOf(sequence))
    return written === undefined ? noHistory : toHistory(written.value, written.sequence)
  }

  /** Writes down what is known by now. Rejects with `Unanswered` and `Refused`. */
  async write(sequence: number, { firstAt, backs, dueAt, failures }: Omit<History, 'sequence'>): Promise<void> {
    const kept = shortened(failures, this.#link.maxPayload / 2)
    await this.#records.write(this.#subjectOf(sequence), { firstAt, backs, dueAt, failures: kept })
  }

  /** Nobody asks for it any more. If this is not heard, it goes with its age. */
  forget({ sequence }: History): void {
    if (sequence > 0) this.#records.remove(sequence).catch(() => {})
  }
}

/** Reads what {@link Histories.write} wrote. */
export function toHistory(value: unknown, sequence: number): History {
  if (!isMessage(value)) return noHistory
  const { firstAt, backs, dueAt, failures } = value
  return {
    firstAt: typeof firstAt === 'number' ? firstAt : undefined,
    backs: typeof backs === 'number' ? backs : 0,
    dueAt: typeof dueAt === 'number' ? dueAt : 0,
    failures: toFailures(failures),
    sequence,
  }
}

/** What a failure takes at least, and what stands around its message. */
const leastBytes = 400
const aroundBytes = 300
/** JSON writes a control character as six. */
const mostPerCharacter = 6

/** Failures in at most so many bytes of JSON: with shorter messages where they are too long, the last ones if too many. */
export function shortened(failures: readonly Failure[], bytes: number): readonly Failure[] {
  if (Buffer.byteLength(JSON.stringify(failures)) <= bytes) return failures
  const last = failures.slice(-Math.max(1, Math.floor(bytes / leastBytes)))
  const length = Math.floor((bytes / last.length - aroundBytes) / mostPerCharacter)
  return last.map((failure) => ({ ...failure, message: failure.message.slice(0, Math.max(0, length)) }))
}
