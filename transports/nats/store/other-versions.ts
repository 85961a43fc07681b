import type { Subscription } from '@nats-io/transport-node'
import { type DurableSubscription, type Message, matcherOf, type StoredEvent } from '../../../lib/transport-kit.js'
import { type Entry, toEntry } from './entry.js'
import { type EventMessage, eventOf } from './event-of.js'
import type { Parts } from './parts.js'
import { jsonOf, Records } from './records.js'
import { Unanswered } from './unanswered.js'

/** For how long what was read last is believed: changes are heard, but nobody promises that they are. */
const believedMs = 1_000
/** How long an instance has to answer that it is there, in ms. One that is there and slow counts as there. */
const answerMs = 500

/**
 * What a subscription wants beyond the pattern of this instance, which must not put that behind it: events of the pattern
 * of the instance that started last, whether one of it is there or not, and of those with which instances serve it now,
 * whichever version started last.
 *
 * All patterns are written down. Who serves the subscription answers at a subject of its pattern: where nobody has done so
 * for as long as a broken instance is waited for, the pattern is taken out. Who finds its own taken out puts it in again.
 */
export class OtherVersions {
  readonly #parts: Parts
  readonly #own: DurableSubscription
  readonly #records: Records
  readonly #subject: string
  readonly #subscriptions: readonly Subscription[]
  readonly #unfollow: () => void
  readonly #matchers = new Map<string, (message: Message) => boolean>()
  /** Since when nobody answers for a pattern. */
  readonly #silent = new Map<string, number>()
  #readAt = Number.NEGATIVE_INFINITY
  #changes = 0
  #reading: Promise<void> | undefined
  #isClosed = false

  constructor(parts: Parts, own: DurableSubscription) {
    const { link, names } = parts
    this.#parts = parts
    this.#own = own
    this.#records = new Records(link, names.streams.state)
    this.#subject = names.subscription(own.name)
    this.#unfollow = link.follow({ lost: () => this.#doubt(), back: () => this.#lookAgain() })
    const heard = link.nats.subscribe(this.#subject, {
      callback: (error, message) => {
        this.#doubt()
        const entry = error === null ? toEntry(jsonOf(message.data)) : undefined
        if (entry === undefined) return
        this.#learn(entry)
        if (!this.#isWrittenIn(entry)) this.#lookAgain()
      },
    })
    const asked = link.nats.subscribe(names.serving(own.name, own.pattern), {
      queue: 'one',
      callback: (error, message) => void (error === null && message.respond()),
    })
    this.#subscriptions = [heard, asked]
  }

  /** Whether {@link wanted} can be asked without {@link read}. */
  get isFresh(): boolean {
    return performance.now() - this.#readAt < believedMs
  }

  /** What this instance does not want: as an event, if instances of another version do. */
  wanted(message: EventMessage): StoredEvent | undefined {
    if (this.#matchers.size === 0 || this.#parts.names.isReplay(message.subject)) return undefined
    const matchers = [...this.#matchers.values()]
    const matches = (event: Message) => matchers.some((one) => one(event))
    return eventOf(this.#parts, { name: this.#own.name, matches }, message)
  }

  /** Reads what is written. Rejects with `Unanswered` and `Refused`. */
  read(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    return this.#reading
  }

  close(): void {
    this.#isClosed = true
    this.#unfollow()
    for (const one of this.#subscriptions) one.unsubscribe()
  }

  async #read(): Promise<void> {
    for (;;) {
      const before = this.#changes
      const written = await this.#records.read(this.#subject)
      const entry = toEntry(written?.value)
      const gone = entry === undefined ? [] : await this.#goneOf(entry)
      if (before !== this.#changes) continue // It may be older than what was heard meanwhile.
      this.#learn(entry)
      this.#readAt = performance.now()
      if (written !== undefined && entry !== undefined) this.#mend(entry, gone, written.sequence)
      return
    }
  }

  /** Takes out what is gone, and puts this instance in. Everybody hears of it: who was overtaken looks again. */
  #mend(entry: Entry, gone: readonly string[], sequence: number): void {
    const isIn = this.#isWrittenIn(entry)
    if (this.#isClosed || (isIn && gone.length === 0)) return
    const rest = entry.also.filter((pattern) => !gone.includes(pattern))
    const also = isIn ? rest : [this.#own.pattern, ...rest]
    this.#records.write(this.#subject, { ...entry, also }, sequence).catch(() => {})
  }

  /** An entry of another kind is not ours to change. */
  #isWrittenIn({ pattern, also, ordered }: Entry): boolean {
    return ordered !== this.#own.ordered || pattern === this.#own.pattern || also.includes(this.#own.pattern)
  }

  async #goneOf({ also }: Entry): Promise<readonly string[]> {
    const others = also.filter((pattern) => pattern !== this.#own.pattern)
    const gone = await Promise.all(others.map((pattern) => this.#isGone(pattern)))
    return others.filter((_, n) => gone[n])
  }

  async #isGone(pattern: string): Promise<boolean> {
    const { link, names, ackWaitMs } = this.#parts
    try {
      await link.ask(names.serving(this.#own.name, pattern), '', { signal: AbortSignal.timeout(answerMs) })
    } catch (error) {
      if (error instanceof Unanswered && error.why === 'nobody') {
        const since = this.#silent.get(pattern) ?? performance.now()
        this.#silent.set(pattern, since)
        return performance.now() - since >= ackWaitMs
      }
    }
    this.#silent.delete(pattern)
    return false
  }

  #lookAgain(): void {
    this.#doubt()
    this.read().catch(() => {}) // The next event that is not for this instance is a reason to try again.
  }

  #doubt(): void {
    this.#changes++
    this.#readAt = Number.NEGATIVE_INFINITY
  }

  /** What is written nowhere is wanted by nobody else. */
  #learn(entry: Entry | undefined): void {
    const patterns = entry === undefined ? [] : [entry.pattern, ...entry.also]
    const others = new Set(patterns.filter((pattern) => pattern !== this.#own.pattern))
    for (const pattern of this.#matchers.keys()) if (!others.has(pattern)) this.#matchers.delete(pattern)
    for (const pattern of others) if (!this.#matchers.has(pattern)) this.#matchers.set(pattern, matching(pattern))
  }
}

/** What nobody can read here may well want everything. */
function matching(pattern: string): (message: Message) => boolean {
  try {
    return matcherOf(pattern)
  } catch {
    return () => true
  }
}
