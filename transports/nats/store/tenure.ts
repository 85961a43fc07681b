import { randomBytes } from 'node:crypto'
import type { DurableSubscription, StoreDelivery, StoredEvent, Verdict } from '../../../lib/transport-kit.js'
import { bury } from './dead-letters.js'
import { eventOf } from './event-of.js'
import { HeldRecord } from './held-record.js'
import { pause } from './on-abort.js'
import { type Due, OrderedBacklog } from './ordered-backlog.js'
import { OrderedDelivery, type OrderedHome } from './ordered-delivery.js'
import { OrderedIntake } from './ordered-intake.js'
import type { OrderedPlace } from './ordered-place.js'
import type { OtherVersions } from './other-versions.js'
import type { Parts } from './parts.js'
import { readMessage } from './records.js'

/** How a tenure ended: this instance gave it up, or another one has taken over, or there is nothing to hold any more. */
export type TenureEnd = 'released' | 'lost'

/** Where a tenure begins, and where that is written. */
export interface Claim {
  readonly place: OrderedPlace
  readonly sequence: number
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
  readonly #others: OtherVersions
  readonly #holder = randomBytes(12).toString('base64url')
  readonly #record: HeldRecord
  readonly #backlog: OrderedBacklog
  readonly #ended = new AbortController()
  readonly #renewal: ReturnType<typeof setInterval>
  readonly #underWay = new Map<number, OrderedDelivery>()
  #intake: OrderedIntake | undefined
  #waiting: (() => void)[] = []
  #isChanged = true
  #isWriting = false
  #isStopping = false
  #isForced = false
  #isLeft = false
  #setOver: (end: TenureEnd) => void = () => {}
  #setBegun: () => void = () => {}

  constructor(
    parts: Parts,
    subscription: DurableSubscription,
    deliver: (delivery: StoreDelivery) => void,
    others: OtherVersions,
    { place, sequence }: Claim,
  ) {
    this.#parts = parts
    this.#subscription = subscription
    this.#deliver = deliver
    this.#others = others
    const subject = parts.names.ordered(subscription.name)
    this.#record = new HeldRecord(parts, subject, this.#holder, sequence, this.#ended.signal)
    this.#backlog = new OrderedBacklog(place)
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

  /** Whether it ends because the next event is for an instance of another version. */
  get isLeft(): boolean {
    return this.#isLeft
  }

  /** Takes nothing more, and gives the subscription up once all is ended that is under way. */
  stop(): void {
    if (this.#isStopping) return
    this.#isStopping = true
    this.#intake?.stop()
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
    if (isOut) this.#backlog.end(delivery.sequence)
    else this.#backlog.putBack(delivery, verdict.kind)
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
      const isWritten = await this.#record.write(this.#backlog.placeOf(isLast ? null : this.#holder))
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
      const due = this.#backlog.next()
      if (due === undefined) break
      const { sequence } = due
      const event = due.event ?? (await this.#load(due))
      if (event === undefined) this.#backlog.end(sequence)
      else admitted.push(new OrderedDelivery(this, event, sequence, this.#backlog.count(sequence)))
    }
    return admitted
  }

  #deliverAll(admitted: readonly OrderedDelivery[]): void {
    for (const delivery of admitted) {
      if (this.#isStopping) {
        this.#backlog.putBack(delivery, 'back')
        this.#isChanged = true
        continue
      }
      this.#underWay.set(delivery.sequence, delivery)
      this.#deliver(delivery)
    }
  }

  #read(): void {
    if (this.#isStopping) return
    this.#intake?.refill()
    this.#intake ??= new OrderedIntake(this.#parts, this.#subscription, this.#others, {
      from: this.#backlog.upTo + 1,
      room: () => this.#subscription.concurrency - this.#backlog.size,
      take: (sequence, event) => {
        this.#backlog.add(sequence, event)
        if (event !== undefined) this.#change() // What is for nobody here is written down with the next thing that is.
      },
      leave: () => {
        this.#isLeft = true
        this.stop()
      },
    })
  }

  /** Reads an event with which an earlier holder had begun. Undefined if it is out of age by now. */
  async #load({ sequence }: Due): Promise<StoredEvent | undefined> {
    const { link, names, host } = this.#parts
    const { name } = this.#subscription
    // What was once begun with is gone on with, also if the pattern has changed since.
    const anything = { name, matches: () => true }
    while (!this.#isOver) {
      try {
        await link.whenUp(this.#ended.signal)
        const message = await readMessage(link, names.streams.events, { seq: sequence })
        const event = message === undefined ? undefined : eventOf(this.#parts, anything, message)
        if (event === undefined) host.log('error', { sequence }, `An event of ${name} is gone.`)
        return event
      } catch {
        await pause(pauseMs, this.#ended.signal)
      }
    }
    return undefined
  }

  /** The sign of life: others take over if they do not hear it. */
  #renew(signMs: number): void {
    if (this.#record.ageMs >= signMs) this.#change()
  }

  #end(end: TenureEnd): void {
    if (this.#isOver) return
    this.#ended.abort()
    clearInterval(this.#renewal)
    this.#intake?.stop()
    for (const resolve of this.#waiting.splice(0)) resolve()
    this.#setBegun()
    this.#setOver(end)
  }
}
