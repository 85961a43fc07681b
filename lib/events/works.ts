import type { Call, Waiter } from '../dispatch/call.js'
import type { Delivery } from '../handler.js'
import { thrownError } from '../hook.js'
import type { Failure, StoreDelivery, StoredEvent, Verdict } from '../store.js'
import { backoffMs } from './backoff.js'
import type { Durable } from './durable.js'
import { orderKey } from './event-key.js'
import type { OpenDeliveries } from './open-deliveries.js'
import { OrderedKeys } from './ordered-keys.js'
import type { SeenIds } from './seen-ids.js'

/**
 * How many times `maxDeliveries` an ordered event may be delivered without an end: a store counts a delivery for all that
 * are in hand when a process dies, whether they had their turn or not.
 */
const ORDERED_PATIENCE = 10

/** The longest text of a failure that is kept. */
const LONGEST = 2000

const DONE: Verdict = Object.freeze({ kind: 'done' })
const BACK: Verdict = Object.freeze({ kind: 'back' })

/** What runs handlers. */
export interface HandlerRunner {
  /** The id of this one process of the app. */
  readonly instance: string
  /** Starts a handler on an event; the waiter is told its end, perhaps before this returns. */
  run(durable: Durable, event: StoredEvent, delivery: Delivery, waiter: Waiter, started: (call: Call) => void): void
}

/** An event at work, from its delivery until it is ended. */
interface Work {
  readonly delivery: StoreDelivery
  readonly key: string
  /** The same event once more, since the store took the first delivery for lost: it ends as that does. */
  readonly twins: StoreDelivery[]
  /** What failed in this process; an ordered store is told at the end. */
  readonly failures: Failure[]
  /** How often it was delivered says how often it was tried: of one that waited behind others it does not. */
  readonly counts: boolean
  call: Call | undefined
  timer: NodeJS.Timeout | undefined
}

/** The events of one durable subscription that are at work here: runs its handler, and decides what becomes of each. */
export class Works {
  readonly #durable: Durable
  readonly #runner: HandlerRunner
  readonly #deliveries: OpenDeliveries
  /** Events that this instance has handled. */
  readonly #seen: SeenIds
  readonly #works = new Map<string, Work>()
  readonly #lanes: OrderedKeys<Work> | undefined
  #isStopped = false
  #isAborted = false

  constructor(durable: Durable, runner: HandlerRunner, deliveries: OpenDeliveries, seen: SeenIds) {
    this.#durable = durable
    this.#runner = runner
    this.#deliveries = deliveries
    this.#seen = seen
    const { orderBy, concurrency } = durable
    this.#lanes = orderBy && new OrderedKeys<Work>(concurrency, (work) => this.#start(work))
  }

  /** Takes a delivery that was made known to the open ones. Once this is stopped it is given back. */
  admit(delivery: StoreDelivery): void {
    const { id, message } = delivery.event
    if (this.#isStopped) {
      void this.#deliveries.end([delivery], BACK)
      return
    }
    if (this.#seen.has(id)) {
      void this.#deliveries.end([delivery], DONE)
      return
    }
    const twin = this.#works.get(id)
    if (twin !== undefined) {
      twin.twins.push(delivery)
      return
    }
    const lanes = this.#lanes
    const key = orderKey(message, this.#durable.orderBy ?? [])
    const counts = lanes?.isFree(key) ?? true
    const work: Work = { delivery, key, twins: [], failures: [], counts, call: undefined, timer: undefined }
    this.#works.set(id, work)
    if (lanes === undefined) this.#start(work)
    else lanes.enter(key, work)
  }

  /** Gives back what has not started; what is behind a running one of its key once that has ended. */
  stop(): void {
    this.#isStopped = true
    this.#giveBack(this.#lanes?.close() ?? [])
  }

  /** Gives up what still runs: it is given back. */
  abort(): void {
    this.#isAborted = true
    for (const { call } of [...this.#works.values()]) {
      call?.cancel('LUC_CANCELLED', `The app closed before the subscription '${this.#durable.name}' was done.`)
    }
  }

  #giveBack(works: readonly Work[]): void {
    for (const { delivery, twins, timer } of works) {
      clearTimeout(timer)
      this.#works.delete(delivery.event.id)
      void this.#deliveries.end([delivery, ...twins], BACK)
    }
  }

  #start(work: Work): void {
    const { delivery, failures, counts } = work
    const { event, attempt, firstAt } = delivery
    const { maxDeliveries } = this.#durable
    const mostUnended = this.#lanes === undefined ? maxDeliveries : ORDERED_PATIENCE * maxDeliveries
    if (counts && attempt > mostUnended && failures.length === 0) {
      this.#bury(work, this.#failure(attempt, `It was delivered ${attempt} times, and no delivery was ended.`))
      return
    }
    const tried = attempt + failures.length
    const waiter: Waiter = {
      resolve: () => {
        this.#seen.add(event.id)
        void this.#finish(work, DONE)
      },
      reject: (error) => this.#fail(work, error, tried),
    }
    try {
      this.#runner.run(this.#durable, event, { id: event.id, attempt: tried, firstAt }, waiter, (call) => {
        work.call = call
      })
    } catch (error) {
      // What is stored cannot be made a message of this app.
      this.#fail(work, thrownError(error), tried)
    }
  }

  #fail(work: Work, error: Error, attempt: number): void {
    work.call = undefined
    if (this.#isAborted) {
      void this.#finish(work, BACK)
      return
    }
    this.#durable.failures++
    const { code } = error as { code?: unknown }
    const failure = this.#failure(attempt, error.message, typeof code === 'string' ? code : undefined)
    const lanes = this.#lanes
    // What is ordered may have been delivered often while it waited behind others: only its own failures count.
    const tries = lanes === undefined ? attempt : work.failures.length + 1
    if (tries >= this.#durable.maxDeliveries) {
      this.#bury(work, failure, error)
      return
    }
    if (lanes !== undefined && this.#isStopped) {
      void this.#finish(work, BACK)
      return
    }
    const afterMs = backoffMs(tries, this.#durable.backoff)
    const { id } = work.delivery.event
    this.#log('warn', { id, attempt, afterMs, err: error }, 'a durable subscription failed: the event comes again')
    if (lanes === undefined) {
      void this.#finish(work, { kind: 'again', afterMs, failure })
      return
    }
    work.failures.push(failure)
    lanes.rest(work.key)
    work.timer = setTimeout(() => lanes.wake(work.key), afterMs)
  }

  /** It goes to the dead letters. */
  #bury(work: Work, last: Failure, error?: Error): void {
    const failures = [...work.delivery.failures, ...work.failures, last]
    const { id } = work.delivery.event
    const why = error === undefined ? { why: last.message } : { err: error }
    const facts = { id, attempt: last.attempt, ...why }
    this.#log('error', facts, 'a durable subscription failed: the event is a dead letter')
    void this.#finish(work, { kind: 'dead', failures })
  }

  async #finish(work: Work, verdict: Verdict): Promise<void> {
    work.call = undefined
    this.#works.delete(work.delivery.event.id)
    await this.#deliveries.end([work.delivery, ...work.twins], verdict)
    // Only now: what comes after it in order must not be handled before it is in writing that this need not come again.
    if (this.#lanes !== undefined) this.#giveBack(this.#lanes.leave(work.key))
  }

  #failure(attempt: number, message: string, code?: string): Failure {
    const { instance } = this.#runner
    const coded = code === undefined ? {} : { code }
    return { at: Date.now(), attempt, ...coded, message: message.slice(0, LONGEST), instance }
  }

  #log(level: 'warn' | 'error', facts: object, text: string): void {
    const { action, name } = this.#durable
    action.log[level]({ subscription: name, ...facts }, text)
  }
}
