import { patternMatches } from '../covers.js'
import type { Call, Waiter } from '../dispatch/call.js'
import type { Delivery } from '../handler.js'
import { thrownError } from '../hook.js'
import type {
  DurableSubscription,
  Failure,
  OpenStore,
  ServedSubscription,
  StoreDelivery,
  StoredEvent,
  Verdict,
} from '../store.js'
import { backoffMs } from './backoff.js'
import type { Durable } from './durable.js'
import { orderKey } from './event-key.js'
import { OrderedKeys } from './ordered-keys.js'
import type { SeenIds } from './seen-ids.js'

/** How often a store is told that a delivery is still at work. */
const BEAT_MS = 1000

/** How many deliveries an ordered subscription has in hand at least: behind those of a key that waits are those of others. */
const ORDERED_WINDOW = 256

/**
 * How many times `maxDeliveries` an ordered event may be delivered without an end: a store counts a delivery for all that
 * are in hand when a process dies, whether they had their turn or not.
 */
const ORDERED_PATIENCE = 10

/** The longest text of a failure that is kept. */
const LONGEST = 2000

const DONE: Verdict = Object.freeze({ kind: 'done' })
const BACK: Verdict = Object.freeze({ kind: 'back' })

/** What serving needs of the app. */
export interface Runner {
  /** The id of this one process of the app. */
  readonly instance: string
  /** Starts a handler on an event; the waiter is told its end, perhaps before this returns. */
  run(durable: Durable, event: StoredEvent, delivery: Delivery, waiter: Waiter, started: (call: Call) => void): void
  /** A delivery is under way, and was ended: whoever drains waits for it. */
  began(): void
  ended(): void
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

/** One durable subscription, served by this instance: takes what the store delivers, and decides what becomes of it. */
export class Serving {
  readonly durable: Durable
  readonly #runner: Runner
  /** Events that this instance has handled. */
  readonly #seen: SeenIds
  readonly #works = new Map<string, Work>()
  readonly #lanes: OrderedKeys<Work> | undefined
  /** Deliveries that have not been ended. */
  readonly #open = new Set<StoreDelivery>()
  /** Deliveries that wait until handlers may run. */
  #held: StoreDelivery[] | undefined = []
  #served: ServedSubscription | undefined
  #beat: NodeJS.Timeout | undefined
  /** Deliveries of which the store has not got the end in writing. */
  #unended = 0
  #stopping: Promise<void> | undefined
  #onEnded: (() => void) | undefined
  #ended: Promise<void> | undefined
  #isServed = false
  #isStopped = false
  #isAborted = false

  constructor(durable: Durable, runner: Runner, seen: SeenIds) {
    this.durable = durable
    this.#runner = runner
    this.#seen = seen
    const { orderBy, concurrency } = durable
    this.#lanes = orderBy && new OrderedKeys<Work>(concurrency, (work) => this.#start(work))
  }

  get isStopped(): boolean {
    return this.#isStopped
  }

  /** What the store is told of it. */
  get subscription(): DurableSubscription {
    const { name, pattern, orderBy, concurrency } = this.durable
    return {
      name,
      pattern: pattern.text,
      matches: (message) => patternMatches(pattern, message),
      ordered: orderBy !== undefined,
      concurrency: orderBy === undefined ? concurrency : Math.max(concurrency, ORDERED_WINDOW),
    }
  }

  /** Begins to take deliveries. They wait until `go`. */
  async serve(store: OpenStore): Promise<void> {
    if (this.#isStopped || this.#isServed) return
    this.#isServed = true
    try {
      this.#served = await store.serve(this.subscription, (delivery) => this.#take(delivery))
    } catch (error) {
      this.#isServed = false
      throw error
    }
    if (this.#isStopped) await this.#stopServed()
  }

  /** Handlers may run. */
  go(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const delivery of held) this.#admit(delivery)
  }

  /**
   * Takes no more, and gives back what has not started; what is behind a running one of its key once that has ended, so
   * that no other instance overtakes it. Resolves when nothing new will come.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** Stops, and resolves when nothing is under way any more. */
  ended(): Promise<void> {
    this.#ended ??= this.#untilEnded()
    return this.#ended
  }

  /** Gives up what still runs: it goes to another instance. */
  abort(): void {
    this.#isAborted = true
    for (const { call } of [...this.#works.values()]) {
      call?.cancel('LUC_CANCELLED', `The app closed before the subscription '${this.durable.name}' was done.`)
    }
  }

  async #untilEnded(): Promise<void> {
    await this.stop()
    if (this.#unended === 0) return
    await new Promise<void>((resolve) => {
      this.#onEnded = resolve
    })
  }

  async #stop(): Promise<void> {
    this.#isStopped = true
    for (const delivery of this.#held ?? []) void this.#end([delivery], BACK)
    this.#held = undefined
    this.#giveBack(this.#lanes?.close() ?? [])
    await this.#stopServed()
  }

  async #stopServed(): Promise<void> {
    try {
      await this.#served?.stop()
    } catch (error) {
      this.#log('warn', { err: error }, 'the store failed to stop a subscription')
    }
  }

  #giveBack(works: readonly Work[]): void {
    for (const { delivery, twins, timer } of works) {
      clearTimeout(timer)
      this.#works.delete(delivery.event.id)
      void this.#end([delivery, ...twins], BACK)
    }
  }

  #take(delivery: StoreDelivery): void {
    this.#runner.began()
    this.#unended++
    this.#open.add(delivery)
    this.#beat ??= setInterval(() => this.#extend(), BEAT_MS)
    if (this.#isStopped) void this.#end([delivery], BACK)
    else if (this.#held !== undefined) this.#held.push(delivery)
    else this.#admit(delivery)
  }

  #admit(delivery: StoreDelivery): void {
    const { id, message } = delivery.event
    if (this.#seen.has(id)) {
      void this.#end([delivery], DONE)
      return
    }
    const twin = this.#works.get(id)
    if (twin !== undefined) {
      twin.twins.push(delivery)
      return
    }
    const lanes = this.#lanes
    const key = orderKey(message, this.durable.orderBy ?? [])
    const counts = lanes?.isFree(key) ?? true
    const work: Work = { delivery, key, twins: [], failures: [], counts, call: undefined, timer: undefined }
    this.#works.set(id, work)
    if (lanes === undefined) this.#start(work)
    else lanes.enter(key, work)
  }

  #start(work: Work): void {
    const { delivery, failures, counts } = work
    const { event, attempt, firstAt } = delivery
    const { maxDeliveries } = this.durable
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
      this.#runner.run(this.durable, event, { id: event.id, attempt: tried, firstAt }, waiter, (call) => {
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
    this.durable.failures++
    const { code } = error as { code?: unknown }
    const failure = this.#failure(attempt, error.message, typeof code === 'string' ? code : undefined)
    const lanes = this.#lanes
    // What is ordered may have been delivered often while it waited behind others: only its own failures count.
    const tries = lanes === undefined ? attempt : work.failures.length + 1
    if (tries >= this.durable.maxDeliveries) {
      this.#bury(work, failure, error)
      return
    }
    if (lanes !== undefined && this.#isStopped) {
      void this.#finish(work, BACK)
      return
    }
    const afterMs = backoffMs(tries, this.durable.backoff)
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
    this.#log(
      'error',
      { id, attempt: last.attempt, ...why },
      'a durable subscription failed: the event is a dead letter',
    )
    void this.#finish(work, { kind: 'dead', failures })
  }

  async #finish(work: Work, verdict: Verdict): Promise<void> {
    work.call = undefined
    this.#works.delete(work.delivery.event.id)
    await this.#end([work.delivery, ...work.twins], verdict)
    // Only now: what comes after it in order must not be handled before it is in writing that this need not come again.
    if (this.#lanes !== undefined) this.#giveBack(this.#lanes.leave(work.key))
  }

  async #end(deliveries: readonly StoreDelivery[], verdict: Verdict): Promise<void> {
    for (const delivery of deliveries) this.#open.delete(delivery)
    if (this.#open.size === 0) {
      clearInterval(this.#beat)
      this.#beat = undefined
    }
    try {
      await Promise.all(deliveries.map((delivery) => delivery.end(verdict)))
    } catch (error) {
      // A store must not; what it cannot have in writing it delivers again.
      this.#log('error', { err: error }, 'the store failed to end a delivery')
    } finally {
      this.#unended -= deliveries.length
      for (const _ of deliveries) this.#runner.ended()
      if (this.#unended === 0) this.#onEnded?.()
    }
  }

  #extend(): void {
    for (const delivery of this.#open) delivery.extend()
  }

  #failure(attempt: number, message: string, code?: string): Failure {
    const { instance } = this.#runner
    return {
      at: Date.now(),
      attempt,
      ...(code === undefined ? {} : { code }),
      message: message.slice(0, LONGEST),
      instance,
    }
  }

  #log(level: 'warn' | 'error', facts: object, text: string): void {
    const { action, name } = this.durable
    action.log[level]({ subscription: name, ...facts }, text)
  }
}
