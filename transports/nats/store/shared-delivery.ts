import type { Failure, StoreDelivery, StoredEvent, Verdict } from '../../../lib/transport-kit.js'
import { confirm, words } from './confirming.js'
import { type Histories, type History, noHistory } from './history.js'
import type { Link } from './link.js'
import { pause } from './on-abort.js'
import type { PlaceInStream } from './place-in-stream.js'

/** Where a delivery is under way. */
export interface Home {
  readonly link: Link
  readonly histories: Histories
  readonly ackWaitMs: number
  /** Has it among the dead letters. Resolves with whether it could be written there. */
  bury(delivery: SharedDelivery, failures: readonly Failure[], signal: AbortSignal): Promise<boolean>
  /** It is under way no more; `forGood`, if the broker is not to deliver it again. */
  leave(delivery: SharedDelivery, forGood: boolean): void
}

const pauseMs = 100

/** An event that is under way in this instance. */
export class SharedDelivery implements StoreDelivery {
  readonly event: StoredEvent
  readonly #home: Home
  readonly #place: PlaceInStream
  readonly #deliveredAt = Date.now()
  #reply: string
  #history: History = noHistory
  #signAt = performance.now()
  #ending: Promise<void> | undefined

  constructor(home: Home, event: StoredEvent, place: PlaceInStream, reply: string) {
    this.event = event
    this.#home = home
    this.#place = place
    this.#reply = reply
  }

  /** Tells it from all other events. */
  get id(): string {
    return this.#place.id
  }

  /** Where the event lies in its stream. */
  get sequence(): number {
    return this.#place.sequence
  }

  get attempt(): number {
    const { backs, failures } = this.#history
    return Math.max(this.#place.deliveries - backs, failures.length + 1)
  }

  get firstAt(): number {
    return this.#history.firstAt ?? (this.#place.deliveries === 1 ? this.#deliveredAt : this.#place.storedAt)
  }

  get failures(): readonly Failure[] {
    return this.#history.failures
  }

  extend(): void {
    if (this.#ending !== undefined || !this.#home.link.isUp) return
    this.#signAt = performance.now()
    this.#home.link.say(this.#reply, words.atWork)
  }

  end(verdict: Verdict): Promise<void> {
    this.#ending ??= this.#end(verdict)
    return this.#ending
  }

  /** The store closes while it is under way. */
  abandon(): Promise<void> {
    this.#ending ??= this.#handBack()
    return this.#ending
  }

  /** Reads what is known of earlier deliveries. False if that could not be learnt before it is somebody else's. */
  async recall(): Promise<boolean> {
    return this.#untilLate(async () => {
      this.#history = await this.#home.histories.read(this.sequence)
    })
  }

  /** It is for an instance of another version: it comes again, to whichever, and not as an attempt. */
  handOn(afterMs: number): Promise<void> {
    this.#ending ??= this.#handOn(afterMs)
    return this.#ending
  }

  /** The broker has delivered it to this instance once more: it had not heard of it for too long. */
  renew(reply: string): void {
    this.#reply = reply
    this.extend()
  }

  async #end(verdict: Verdict): Promise<void> {
    switch (verdict.kind) {
      case 'done':
        return this.#leaveForGood(words.done)
      case 'dead':
        return this.#die(verdict.failures)
      case 'again': {
        const { afterMs, failure } = verdict
        await this.#write({ dueAt: Date.now() + afterMs, failures: [...this.failures, failure] })
        return this.#handBack(words.after(afterMs))
      }
      case 'back':
        await this.#write({ backs: this.#history.backs + 1 })
        return this.#handBack()
    }
  }

  async #handOn(afterMs: number): Promise<void> {
    if (!(await this.recall())) return this.#home.leave(this, false)
    await this.#write({ backs: this.#history.backs + 1, dueAt: Date.now() + afterMs })
    return this.#handBack(words.after(afterMs))
  }

  async #die(failures: readonly Failure[]): Promise<void> {
    const signal = AbortSignal.timeout(Math.ceil(this.#leftMs))
    if (await this.#home.bury(this, failures, signal)) return this.#leaveForGood(words.dead)
    this.#home.leave(this, false)
  }

  async #leaveForGood(word: string): Promise<void> {
    this.#home.leave(this, true)
    await this.#say(word, true)
    this.#home.histories.forget(this.#history)
  }

  async #handBack(word: string = words.back): Promise<void> {
    // First, for it may come again before the broker has confirmed anything.
    this.#home.leave(this, false)
    await this.#say(word, false)
  }

  #write(change: Partial<History>): Promise<boolean> {
    return this.#untilLate(() =>
      this.#home.histories.write(this.sequence, { ...this.#history, dueAt: 0, firstAt: this.firstAt, ...change }),
    )
  }

  async #say(word: string, stubborn: boolean): Promise<void> {
    const saying = { word, stubborn, reply: () => this.#reply, isLate: () => this.#isLate }
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#leftMs)
    })
    await Promise.race([confirm(this.#home.link, saying), late])
    clearTimeout(timer)
  }

  /** Tries again until the broker delivers the event to somebody else. */
  async #untilLate(work: () => Promise<void>): Promise<boolean> {
    for (;;) {
      try {
        await work()
        return true
      } catch {
        if (this.#isLate || this.#home.link.isClosed) return false
        await pause(pauseMs)
      }
    }
  }

  get #leftMs(): number {
    return Math.max(0, this.#signAt + this.#home.ackWaitMs - performance.now())
  }

  get #isLate(): boolean {
    return this.#leftMs === 0
  }
}
