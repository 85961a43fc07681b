import { randomBytes } from 'node:crypto'
import type { DurableSubscription, StoreDelivery, StoredEvent, Verdict } from '../../../lib/transport-kit.js'
import { bury } from './dead-letters.js'
import { type EventMessage, eventOf, type Matcher } from './event-of.js'
import { pause } from './on-abort.js'
import { OrderedDelivery, type OrderedHome } from './ordered-delivery.js'
import { type Open, type OrderedPlace, toPlace, toPlain } from './ordered-place.js'
import { OrderedReader } from './ordered-reader.js'
import type { Parts } from './parts.js'
import { Records, readMessage } from './records.js'
import { Refused, refusals, Unanswered } from './unanswered.js'
import type { WrittenPattern } from './written-pattern.js'

/** How a tenure ended: this instance gave it up, or another one has taken over, or there is nothing to hold any more. */
export type TenureEnd = 'released' | 'lost'

/** Where a tenure begins, and where that is written. */
export interface Claim {
  readonly place: OrderedPlace
  readonly sequence: number
}

/** An event that is to be delivered next; without it, it has to be read first. */
interface Due {
  readonly sequence: number
  readonly event?: StoredEvent
}

/** What was read and not looked at yet. */
interface Arrival {
  readonly sequence: number
  readonly message: EventMessage
}

const pauseMs = 100
/** How long a closing instance waits for it to be in writing that others may take over. */
const releaseMs = 2_000

/**
 * The time in which one instance has an ordered subscription.
 *
 * All that changes goes into one record, one write after the other, each only if nobody else has written since: so there
 * is one holder, and what a former one says has no effect. An event is delivered once it is in writing that it will be, and
 * ended once that is. What changes during a write goes into the next one: under load a write serves many events.
 */
export class Tenure implements OrderedHome {
  /** Resolves when it is over. */
  readonly over: Promise<TenureEnd>
  /** Resolves when it has begun: the claim is in writing; or when it is over before. */
  readonly begun: Promise<void>
  readonly #parts: Parts
  readonly #subscription: DurableSubscription
  readonly #deliver: (delivery: StoreDelivery) => void
  readonly #written: WrittenPattern
  readonly #records: Records
  readonly #subject: string
  readonly #holder = randomBytes(12).toString('base64url')
  readonly #ended = new AbortController()
  readonly #renewal: ReturnType<typeof setInterval>
  readonly #underWay = new Map<number, OrderedDelivery>()
  /** What was begun and not ended, by sequence. */
  readonly #open: Map<number, Open>
  /** Those of them that are not under way, in their order. */
  readonly #due: Due[]
  /** Those that wait for the written pattern, in their order. */
  readonly #arrived: Arrival[] = []
  #isLooking = false
  #reader: OrderedReader | undefined
  #sequence: number
  #upTo: number
  #waiting: (() => void)[] = []
  #writtenAt = 0
  #isChanged = true
  #isWriting = false
  #isStopping = false
  #isForced = false
  #setOver: (end: TenureEnd) => void = () => {}
  #setBegun: () => void = () => {}

  constructor(
    parts: Parts,
    subscription: DurableSubscription,
    deliver: (delivery: StoreDelivery) => void,
    written: WrittenPattern,
    { place, sequence }: Claim,
  ) {
    this.#parts = parts
    this.#subscription = subscription
    this.#deliver = deliver
    this.#written = written
    this.#records = new Records(parts.link, parts.names.streams.state)
    this.#subject = parts.names.ordered(subscription.name)
    this.#sequence = sequence
    this.#upTo = place.upTo
    this.#open = new Map(place.open)
    this.#due = [...place.open.keys()].map((each) => ({ sequence: each }))
    this.over = new Promise((resolve) => {
      this.#setOver = resolve
    })
    this.begun = new Promise((resolve) => {
      this.#setBegun = resolve
    })
    const signMs = parts.ackWaitMs / 5
    this.#renewal = setInterval(() => this.#renew(signMs), signMs / 2).unref()
    this.#change()
  }

  /** Takes nothing more, and gives the subscription up once all is ended that is under way. */
  stop(): void {
    if (this.#isStopping) return
    this.#isStopping = true
    this.#reader?.stop()
    this.#change()
  }

  /** Gives it up at once: what is under way is for the next holder. */
  async close(): Promise<void> {
    this.#isForced = true
    this.stop()
    this.#change()
    const released = this.#parts.link.isUp ? pause(releaseMs, this.#ended.signal) : Promise.resolve()
    await Promise.race([this.over, released])
    this.#end('released')
  }

  async end(delivery: OrderedDelivery, verdict: Verdict): Promise<void> {
    if (this.#isOver) return
    const isOut = verdict.kind === 'done' || (verdict.kind === 'dead' && (await this.#bury(delivery, verdict)))
    if (this.#isOver) return
    this.#underWay.delete(delivery.sequence)
    if (isOut) this.#open.delete(delivery.sequence)
    else this.#putBack(delivery, verdict)
    const written = new Promise<void>((resolve) => this.#waiting.push(resolve)) // first, so that this change is waited for
    this.#change()
    await written
  }

  get #isOver(): boolean {
    return this.#ended.signal.aborted
  }

  async #bury({ event, sequence }: OrderedDelivery, { failures }: Verdict & { kind: 'dead' }): Promise<boolean> {
    const death = { subscription: this.#subscription.name, event, failures, sequence }
    const isBuried = await bury(this.#parts, death, this.#ended.signal)
    if (!isBuried) await pause(this.#parts.ackWaitMs, this.#ended.signal) // It comes again, and not at once.
    return isBuried
  }

  /** It comes again, here or in the next holder. */
  #putBack({ event, sequence }: OrderedDelivery, { kind }: Verdict): void {
    if (kind === 'back') this.#count(sequence, -1)
    const at = this.#due.findIndex((due) => due.sequence > sequence)
    this.#due.splice(at === -1 ? this.#due.length : at, 0, { sequence, event })
  }

  #count(sequence: number, change: 1 | -1): void {
    const { deliveries, firstAt } = this.#open.get(sequence) ?? { deliveries: 0, firstAt: 0 }
    this.#open.set(sequence, { deliveries: deliveries + change, firstAt: firstAt === 0 ? Date.now() : firstAt })
  }

  #change(): void {
    this.#isChanged = true
    if (this.#isWriting || this.#isOver) return
    this.#isWriting = true
    void this.#writeAll()
  }

  async #writeAll(): Promise<void> {
    while (this.#isChanged && !this.#isOver) {
      this.#isChanged = false
      const waiting = this.#waiting.splice(0)
      const admitted = await this.#admit()
      const isLast = this.#isStopping && (this.#isForced || this.#underWay.size === 0) && admitted.length === 0
      const isWritten = await this.#write(isLast ? null : this.#holder)
      for (const resolve of waiting) resolve()
      if (!isWritten) return this.#end('lost')
      if (isLast) return this.#end('released')
      this.#setBegun()
      this.#deliverAll(admitted)
      this.#read()
    }
    this.#isWriting = false
  }

  /** Those that are due and for which there is room, counted as delivered. */
  async #admit(): Promise<OrderedDelivery[]> {
    const admitted: OrderedDelivery[] = []
    while (!this.#isStopping && this.#underWay.size + admitted.length < this.#subscription.concurrency) {
      const due = this.#due.shift()
      if (due === undefined) break
      const event = due.event ?? (await this.#load(due.sequence))
      if (event === undefined) {
        this.#open.delete(due.sequence)
        continue
      }
      this.#count(due.sequence, 1)
      admitted.push(new OrderedDelivery(this, event, due.sequence, this.#open.get(due.sequence) as Open)) // just counted
    }
    return admitted
  }

  #deliverAll(admitted: readonly OrderedDelivery[]): void {
    for (const delivery of admitted) {
      if (this.#isStopping) {
        this.#putBack(delivery, { kind: 'back' })
        this.#isChanged = true
        continue
      }
      this.#underWay.set(delivery.sequence, delivery)
      this.#deliver(delivery)
    }
  }

  #read(): void {
    if (this.#isStopping) return
    this.#reader?.refill()
    this.#reader ??= new OrderedReader(this.#parts.link, {
      stream: this.#parts.names.streams.events,
      from: this.#upTo + 1,
      room: () => (this.#isStopping ? 0 : this.#subscription.concurrency - this.#open.size - this.#arrived.length),
      take: ({ sequence }, message) => {
        this.#arrived.push({ sequence, message })
        if (!this.#isLooking) void this.#look()
      },
    })
  }

  /** Looks at what has arrived, in its order. */
  async #look(): Promise<void> {
    this.#isLooking = true
    for (
      let next = this.#arrived[0];
      next !== undefined && !this.#isStopping && !this.#isOver;
      next = this.#arrived[0]
    ) {
      const event = eventOf(this.#parts, this.#subscription, next.message)
      if (event === undefined && !this.#written.isFresh) {
        await this.#learnPattern()
        continue
      }
      this.#arrived.shift()
      if (event !== undefined || this.#written.wanted(next.message) === undefined) this.#take(next.sequence, event)
      else this.stop() // An instance of another version is to go on from here.
    }
    this.#arrived.length = 0
    this.#isLooking = false
    this.#reader?.refill()
  }

  async #learnPattern(): Promise<void> {
    try {
      await this.#parts.link.whenUp(this.#ended.signal)
      await this.#written.read()
    } catch {
      await pause(pauseMs, this.#ended.signal)
    }
  }

  /** What is not for this subscription is behind it at once, and written down with the next thing that is. */
  #take(sequence: number, event: StoredEvent | undefined): void {
    this.#upTo = sequence
    if (event === undefined) return
    this.#open.set(sequence, { deliveries: 0, firstAt: 0 })
    this.#due.push({ sequence, event })
    this.#change()
  }

  /** Reads an event with which an earlier holder had begun. Undefined if it is out of age by now. */
  async #load(sequence: number): Promise<StoredEvent | undefined> {
    const { link, names, host } = this.#parts
    while (!this.#isOver) {
      try {
        await link.whenUp(this.#ended.signal)
        const message = await readMessage(link, names.streams.events, { seq: sequence })
        const event = message === undefined ? undefined : eventOf(this.#parts, this.#anything, message)
        if (event === undefined) host.log('error', { sequence }, `An event of ${this.#subscription.name} is gone.`)
        return event
      } catch {
        await pause(pauseMs, this.#ended.signal)
      }
    }
    return undefined
  }

  /** What was once begun with is gone on with, also if the pattern has changed since. */
  get #anything(): Matcher {
    return { name: this.#subscription.name, matches: () => true }
  }

  /** Writes until it is written. False if somebody else has the subscription by now, or nobody can have it. */
  async #write(holder: string | null): Promise<boolean> {
    const { link, streams } = this.#parts
    const value = toPlain({ upTo: this.#upTo, open: this.#open, holder })
    while (!this.#isOver) {
      try {
        await link.whenUp(this.#ended.signal)
        this.#sequence = await this.#records.write(this.#subject, value, this.#sequence)
        this.#writtenAt = performance.now()
        return true
      } catch (error) {
        if (link.isClosed) return false
        if (error instanceof Refused && error.code === refusals.wrongSequence) {
          if (!(await this.#isStillOurs())) return false
          continue
        }
        if (error instanceof Unanswered && error.why === 'nobody') await streams.ensure().catch(() => {})
        await pause(pauseMs, this.#ended.signal)
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
      await pause(pauseMs, this.#ended.signal) // The next write asks the same again.
    }
    return true
  }

  /** The sign of life: others take over if they do not hear it. */
  #renew(signMs: number): void {
    if (performance.now() - this.#writtenAt >= signMs) this.#change()
  }

  #end(end: TenureEnd): void {
    if (this.#isOver) return
    this.#ended.abort()
    clearInterval(this.#renewal)
    this.#reader?.stop()
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.#setBegun()
    this.#setOver(end)
  }
}
