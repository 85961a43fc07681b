import type { DurableSubscription, Message, StoreDelivery, StoredEvent, Verdict } from '../../lib/transport-kit.js'
import { Backlog } from './backlog.js'
import type { Batch } from './batch.js'
import { Consumer, Consumers } from './consumers.js'
import { addDeadLetter } from './dead-letters.js'
import { Delivery } from './delivery.js'
import type { Disk } from './disk.js'
import type { Ends } from './ends.js'
import { type Entry, historyText, untouched } from './entry.js'
import { releaseEvent } from './kept-events.js'
import { runningKey } from './keys.js'
import type { Writer } from './writer.js'

/** What is known of a subscription, and kept. */
export type Row = Pick<DurableSubscription, 'pattern' | 'ordered'>

/** How many events are read ahead, at most: of so many the text is in memory. */
const READ_AHEAD = 64
/** A timer that is set for longer would fire at once. */
const LONGEST_MS = 2 ** 31 - 1

/** One subscription: what waits for it, and the instances that serve it. */
export class Queue {
  readonly name: string
  #row: Row
  #matches: (message: Message) => boolean
  readonly #writer: Writer
  readonly #ends: Ends
  readonly #backlog: Backlog
  readonly #consumers = new Consumers()
  /** What is to be delivered next. */
  readonly #soon: Entry[] = []
  /** How many of them were taken for somebody, and have yet to be written as taken. */
  #starting = 0
  #isReading = false
  #isClosed = false
  #timer: NodeJS.Timeout | undefined

  constructor({ database, writer, ends }: Disk, name: string, row: Row, matches: (message: Message) => boolean) {
    this.name = name
    this.#writer = writer
    this.#ends = ends
    this.#backlog = new Backlog(database, name)
    this.#row = row
    this.#matches = matches
  }

  get row(): Row {
    return this.#row
  }

  get running(): number {
    return this.#consumers.running
  }

  get isServed(): boolean {
    return this.#consumers.isServed
  }

  matches(message: Message): boolean {
    return this.#matches(message)
  }

  /** The subscription as it is by now. */
  change(row: Row, matches: (message: Message) => boolean): void {
    this.#row = row
    this.#matches = matches
  }

  /** Delivers to one more instance. */
  add(concurrency: number, deliver: (delivery: StoreDelivery) => void): Consumer {
    const consumer = new Consumer(concurrency, deliver)
    this.#consumers.add(consumer)
    this.#pump()
    return consumer
  }

  /** It gets nothing more, and may end what it has. */
  stop(consumer: Consumer): void {
    consumer.stop()
    this.#consumers.retire(consumer)
    this.#pump()
  }

  /** It is gone: what it has goes to others. */
  leave(consumer: Consumer): void {
    consumer.stop()
    for (const entry of consumer.running) this.#comesAgain(entry)
    consumer.running.clear()
    this.#consumers.retire(consumer)
    this.#pump()
  }

  /** An event is being stored for it: is given at once to somebody who is free, so that it is written once and not twice. */
  accept(batch: Batch, number: number, text: string): void {
    const isNext = this.#soon.length + this.#starting === 0 && !this.#isReading && this.#backlog.isRead
    const consumer = isNext ? this.#consumers.free(this.#row.ordered) : undefined
    if (consumer === undefined) {
      this.#backlog.add(batch, number)
      batch.onceWritten(() => this.#pump())
      return
    }
    this.#backlog.skip(number)
    const entry: Entry = { number, text, home: runningKey(this.name, number), history: untouched }
    consumer.running.add(entry)
    this.#start(batch, entry, consumer)
  }

  /** Reads and delivers nothing more; what is under way is ended in vain. */
  close(): void {
    this.#isClosed = true
    this.#consumers.dismiss()
    clearTimeout(this.#timer)
  }

  /** Gives what is in memory to who is free, and sees to it that there is more. */
  #pump(): void {
    const taken: [Entry, Consumer][] = []
    while (this.#soon.length > 0) {
      const consumer = this.#consumers.free(this.#row.ordered)
      if (consumer === undefined) break
      const entry = this.#soon.shift() as Entry // there is one
      consumer.running.add(entry)
      taken.push([entry, consumer])
    }
    if (taken.length > 0) void this.#startAll(taken)
    // One moment for both: what is due after the one and before the other would be seen by neither.
    const now = Date.now()
    if (!this.#isReading && this.#isHungry(now)) void this.#read()
    this.#setTimer(now)
  }

  #isHungry(now: number): boolean {
    return this.isServed && this.#soon.length < READ_AHEAD / 2 && this.#backlog.hasMore(now)
  }

  async #read(): Promise<void> {
    this.#isReading = true
    try {
      this.#soon.push(...(await this.#backlog.read(READ_AHEAD - this.#soon.length)))
    } catch (error) {
      if (!this.#isClosed) this.#writer.fail(error) // otherwise the events are gone, or the store is closed
      return
    }
    this.#isReading = false
    this.#pump()
  }

  #setTimer(now: number): void {
    clearTimeout(this.#timer)
    const ms = this.#backlog.dueAt - now
    if (ms <= 0 || !Number.isFinite(ms) || !this.isServed) return
    this.#timer = setTimeout(() => this.#pump(), Math.min(ms, LONGEST_MS))
  }

  #startAll(taken: readonly (readonly [Entry, Consumer])[]): Promise<void> {
    this.#starting += taken.length
    return this.#write((batch) => {
      this.#starting -= taken.length
      for (const [entry, consumer] of taken) this.#start(batch, entry, consumer)
    })
  }

  /** The attempt is counted before the handler runs: an event that ends the process is not tried for ever. */
  #start(batch: Batch, entry: Entry, consumer: Consumer): void {
    this.#backlog.leave(batch, entry.home)
    const { attempt, firstAt, failures } = entry.history
    entry.history = { attempt: attempt + 1, firstAt: firstAt || Date.now(), failures }
    this.#keepRunning(batch, entry)
    batch.onceWritten(() => this.#hand(entry, consumer))
  }

  #keepRunning(batch: Batch, entry: Entry): void {
    entry.home = runningKey(this.name, entry.number)
    batch.put(entry.home, historyText(entry.history))
  }

  #hand(entry: Entry, consumer: Consumer): void {
    if (consumer.isStopped) return void this.#end(entry, consumer, { kind: 'back' })
    const event = JSON.parse(entry.text) as StoredEvent // we wrote it
    // The pattern may have changed since it was stored.
    if (!this.#matches(event.message)) return void this.#end(entry, consumer, { kind: 'done' })
    consumer.deliver(new Delivery(event, entry, (verdict) => this.#end(entry, consumer, verdict)))
  }

  #end(entry: Entry, consumer: Consumer, verdict: Verdict): Promise<void> {
    if (!consumer.running.has(entry)) return Promise.resolve() // it has left
    if (verdict.kind === 'back') return this.#write((batch) => this.#giveBack(batch, entry, consumer))
    // Now, in the turn in which it ended: a process that is killed before the batch is written must not handle it again.
    const noted = verdict.kind === 'again' ? undefined : this.#note(entry, verdict)
    const written = this.#write((batch) => {
      this.#settle(batch, entry, verdict)
      if (noted !== undefined) batch.onceWritten(noted)
    })
    this.#isOver(entry, consumer)
    return written
  }

  #note({ number }: Entry, verdict: Verdict): () => void {
    return verdict.kind === 'dead'
      ? this.#ends.note(this.name, number, verdict.failures)
      : this.#ends.note(this.name, number)
  }

  #settle(batch: Batch, entry: Entry, verdict: Exclude<Verdict, { kind: 'back' }>): void {
    batch.delete(entry.home)
    if (verdict.kind === 'again') {
      entry.history = { ...entry.history, failures: [...entry.history.failures, verdict.failure] }
      this.#backlog.delay(batch, entry, verdict.afterMs)
      batch.onceWritten(() => this.#pump())
      return
    }
    if (verdict.kind === 'dead') addDeadLetter(batch, this.name, entry, verdict.failures)
    releaseEvent(batch, entry.number)
  }

  /** It stays under way until that is written, so that in an ordered subscription none overtakes it. */
  #giveBack(batch: Batch, entry: Entry, consumer: Consumer): void {
    entry.history = { ...entry.history, attempt: entry.history.attempt - 1 }
    this.#keepRunning(batch, entry)
    batch.onceWritten(() => {
      if (!consumer.running.has(entry)) return // it has left meanwhile
      this.#comesAgain(entry)
      this.#isOver(entry, consumer)
    })
  }

  #isOver(entry: Entry, consumer: Consumer): void {
    consumer.running.delete(entry)
    this.#consumers.retire(consumer)
    this.#pump()
  }

  /** Before what was stored later. */
  #comesAgain(entry: Entry): void {
    const at = this.#soon.findIndex(({ number }) => number > entry.number)
    this.#soon.splice(at < 0 ? this.#soon.length : at, 0, entry)
  }

  /** A store that failed says so by itself. */
  #write(fill: (batch: Batch) => void): Promise<void> {
    return this.#writer.write(fill).catch(() => {})
  }
}
