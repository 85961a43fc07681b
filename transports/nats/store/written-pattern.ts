import type { Subscription } from '@nats-io/transport-node'
import { type DurableSubscription, matcherOf, type StoredEvent } from '../../../lib/transport-kit.js'
import { toEntry } from './entry.js'
import { type EventMessage, eventOf } from './event-of.js'
import type { Parts } from './parts.js'
import { jsonOf, Records } from './records.js'

/** For how long what was read last is believed: changes are heard, but nobody promises that they are. */
const believedMs = 1_000

/**
 * The pattern that is written down for a subscription: the one of the instance that started last. While instances of two
 * versions run, it may want what another instance does not, and must not put behind the subscription.
 */
export class WrittenPattern {
  readonly #parts: Parts
  readonly #own: DurableSubscription
  readonly #records: Records
  readonly #subject: string
  readonly #hearing: Subscription
  readonly #unfollow: () => void
  #pattern: string
  /** Undefined for what nobody can read here. */
  #matches: DurableSubscription['matches'] | undefined
  #readAt = Number.NEGATIVE_INFINITY
  #changes = 0
  #reading: Promise<void> | undefined

  constructor(parts: Parts, own: DurableSubscription) {
    this.#parts = parts
    this.#own = own
    this.#records = new Records(parts.link, parts.names.streams.state)
    this.#subject = parts.names.subscription(own.name)
    this.#pattern = own.pattern
    this.#unfollow = parts.link.follow({ lost: () => this.#doubt(), back: () => this.#doubt() })
    this.#hearing = parts.link.nats.subscribe(this.#subject, {
      callback: (error, message) => {
        this.#doubt()
        if (error === null) this.#learn(jsonOf(message.data))
      },
    })
  }

  /** Whether {@link wanted} and {@link isOwn} can be asked without {@link read}. */
  get isFresh(): boolean {
    return performance.now() - this.#readAt < believedMs
  }

  /** Whether it is that of this instance. */
  get isOwn(): boolean {
    return this.#pattern === this.#own.pattern
  }

  /** What this instance does not want: as an event, if instances of another version do. */
  wanted(message: EventMessage): StoredEvent | undefined {
    if (this.isOwn || this.#parts.names.isReplay(message.subject)) return undefined
    const matches = this.#matches ?? (() => true)
    return eventOf(this.#parts, { name: this.#own.name, matches }, message)
  }

  /** Reads it. Rejects with `Unanswered` and `Refused`. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  close(): void {
    this.#unfollow()
    this.#hearing.unsubscribe()
  }

  async #read(): Promise<void> {
    for (;;) {
      const before = this.#changes
      const written = await this.#records.read(this.#subject)
      if (before !== this.#changes) continue // It may be older than what was heard meanwhile.
      this.#learn(written?.value)
      this.#readAt = performance.now()
      return
    }
  }

  #doubt(): void {
    this.#changes++
    this.#readAt = Number.NEGATIVE_INFINITY
  }

  /** What is written nowhere is wanted by nobody else. */
  #learn(value: unknown): void {
    const pattern = toEntry(value)?.pattern ?? this.#own.pattern
    if (pattern === this.#pattern) return
    this.#pattern = pattern
    try {
      this.#matches = matcherOf(pattern)
    } catch {
      this.#matches = undefined // It may well want everything.
    }
  }
}
