import type { DurableSubscription, StoredEvent } from '../../../lib/transport-kit.js'
import { type EventMessage, eventOf } from './event-of.js'
import { pause } from './on-abort.js'
import { OrderedReader } from './ordered-reader.js'
import type { OtherVersions } from './other-versions.js'
import type { Parts } from './parts.js'

/** What an intake serves. */
export interface Taking {
  /** The first sequence. */
  readonly from: number
  /** How many more events may be taken now. */
  room(): number
  /** The next of the stream; without an event, what lies there is for nobody here. */
  take(sequence: number, event: StoredEvent | undefined): void
  /** The next one is for an instance of another version: nothing more is taken. */
  leave(): void
}

/** What was read and not looked at yet. */
interface Arrival {
  readonly sequence: number
  readonly message: EventMessage
}

const pauseMs = 100

/** Finds the events of an ordered subscription among all that the stream has, in their order. */
export class OrderedIntake {
  readonly #parts: Parts
  readonly #subscription: DurableSubscription
  readonly #others: OtherVersions
  readonly #taking: Taking
  readonly #reader: OrderedReader
  readonly #stopped = new AbortController()
  /** Those that wait for what other versions want, in their order. */
  readonly #arrived: Arrival[] = []
  #isLooking = false

  constructor(parts: Parts, subscription: DurableSubscription, others: OtherVersions, taking: Taking) {
    this.#parts = parts
    this.#subscription = subscription
    this.#others = others
    this.#taking = taking
    this.#reader = new OrderedReader(parts.link, {
      stream: parts.names.streams.events,
      from: taking.from,
      room: () => (this.#isStopped ? 0 : taking.room() - this.#arrived.length),
      take: ({ sequence }, message) => {
        this.#arrived.push({ sequence, message })
        if (!this.#isLooking) void this.#look()
      },
    })
  }

  /** There may be room again. */
  refill(): void {
    this.#reader.refill()
  }

  /** Takes nothing more. */
  stop(): void {
    this.#stopped.abort()
    this.#reader.stop()
  }

  get #isStopped(): boolean {
    return this.#stopped.signal.aborted
  }

  /** Looks at what has arrived, in its order. */
  async #look(): Promise<void> {
    this.#isLooking = true
    while (!this.#isStopped) {
      const [next] = this.#arrived
      if (next === undefined) break
      const event = eventOf(this.#parts, this.#subscription, next.message)
      if (event === undefined && !this.#others.isFresh) {
        await this.#learnPattern()
        continue
      }
      this.#arrived.shift()
      if (event !== undefined || this.#others.wanted(next.message) === undefined) {
        this.#taking.take(next.sequence, event)
        continue
      }
      this.stop()
      this.#taking.leave()
    }
    this.#isLooking = false
    this.#reader.refill()
  }

  async #learnPattern(): Promise<void> {
    const { signal } = this.#stopped
    try {
      await this.#parts.link.whenUp(signal)
      await this.#others.read()
    } catch {
      await pause(pauseMs, signal)
    }
  }
}
