import type { Msg, Subscription } from '@nats-io/transport-node'
import type { Link } from './link.js'
import { pause } from './on-abort.js'
import { toNanos } from './streams.js'
import { Refused, refusals, Unanswered } from './unanswered.js'

/** What a puller fetches from, and whom it serves. */
export interface Pulling {
  readonly stream: string
  readonly consumer: string
  /** How many more messages may be taken now. */
  room(): number
  /** A message came. Never throws. */
  take(message: Msg): void
  /** The consumer is not there any more, and the puller has stopped. */
  gone(): void
  /**
   * The consumer never delivers again what got lost: nothing but a new one helps whenever something may have, and so it is
   * `gone` then.
   */
  readonly isForgetful?: boolean
  /** For how long a request waits at the broker, in ms: less than half of the ack wait, see {@link Puller.stop}. */
  readonly requestMs: number
}

const longestRequestMs = 2_000
/** How much later than its time a request may end. */
const lateMs = 1_000
const pauseMs = 250
/** How long to wait for an answer that only tidies up. */
const sweepMs = 500

/**
 * Fetches messages from a pull consumer, no more than there is room for: what the broker has delivered is under way, and
 * nothing waits in between while other instances are idle.
 *
 * The client's `consume` fetches ahead of whoever handles the messages, and its `fetch` makes a subscription for each batch.
 */
export class Puller {
  readonly #link: Link
  readonly #pulling: Pulling
  readonly #subject: string
  readonly #unfollow: () => void
  readonly #watch: ReturnType<typeof setInterval>
  #inbox = ''
  #subscription: Subscription | undefined
  #asked = 0
  #askedAt = 0
  #isRefilling = false
  #isBeginning = false
  #isStopped = false

  constructor(link: Link, pulling: Pulling) {
    this.#link = link
    this.#pulling = pulling
    this.#subject = `$JS.API.CONSUMER.MSG.NEXT.${pulling.stream}.${pulling.consumer}`
    // After a lost connection requests may be forgotten, or answered to nobody: they begin anew, at an inbox of their own.
    this.#unfollow = link.follow({ lost: () => this.#forget(), back: () => this.#begin(0) })
    this.#watch = setInterval(() => this.#checkLife(), pulling.requestMs).unref()
    if (link.isUp) this.#listen()
    else this.#begin(0)
  }

  /** There may be room again: asks for more, soon. */
  refill(): void {
    if (this.#isRefilling) return
    this.#isRefilling = true
    // What ends together is asked for together.
    setImmediate(() => {
      this.#isRefilling = false
      this.#ask()
    })
  }

  /**
   * Asks for nothing more. What was sent already is still taken; resolves when nothing more can come, and the broker knows.
   *
   * As long as the broker has requests of somebody who has left, nats-server 2.9 mistakes them for somebody who waits when a
   * message is to be delivered again: it forgets that message until the ack wait is over, and delivers its latest one once
   * more instead. So nothing may be handed back before they are gone: another request makes it look. Those of a crashed
   * instance are out of time before the ack wait of what it had is over.
   */
  async stop(): Promise<void> {
    this.#end()
    const subscription = this.#subscription
    if (subscription === undefined) return
    // Rejects when the connection is lost meanwhile: then nothing more comes either.
    await subscription.drain().catch(() => {})
    await this.#sweep()
  }

  #ask(): void {
    if (this.#isStopped || this.#inbox === '' || !this.#link.isUp) return
    const room = this.#pulling.room() - this.#asked
    // Few requests for several messages each, rather than one for each message.
    if (room <= 0 || room * 4 < this.#asked) return
    this.#asked += room
    this.#askedAt = performance.now()
    this.#request(room, this.#pulling.requestMs, this.#inbox)
  }

  #request(batch: number, ms: number, inbox: string): void {
    this.#link.say(this.#subject, JSON.stringify({ batch, expires: toNanos(ms) }), inbox)
  }

  #sweep(): Promise<void> {
    if (!this.#link.isUp) return Promise.resolve()
    const inbox = this.#link.inbox()
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        subscription.unsubscribe()
        resolve()
      }
      const timer = setTimeout(end, sweepMs)
      const subscription = this.#link.nats.subscribe(inbox, {
        callback: (error, message) => {
          if (error === null && message.subject !== inbox) this.#pulling.take(message)
          end()
        },
      })
      this.#request(1, 1, inbox)
    })
  }

  #listen(): void {
    const inbox = this.#link.inbox()
    this.#inbox = inbox
    this.#asked = 0
    this.#subscription = this.#link.nats.subscribe(inbox, {
      callback: (error, message) => {
        if (error === null && inbox === this.#inbox) this.#hear(message)
      },
    })
    this.#ask()
  }

  #hear(message: Msg): void {
    const isStatus = message.subject === this.#inbox
    if (isStatus && message.headers?.code !== 408) {
      this.#begin(pauseMs)
      return
    }
    // A request that ends says how many are not to come any more.
    const settled = isStatus ? Number(message.headers?.get('Nats-Pending-Messages') ?? 0) : 1
    this.#asked = Math.max(0, this.#asked - settled)
    if (!isStatus) this.#pulling.take(message)
    this.refill()
  }

  #checkLife(): void {
    const isOver = performance.now() - this.#askedAt > this.#pulling.requestMs + lateMs
    if (isOver && this.#asked > 0 && this.#link.isUp) this.#begin(0)
  }

  #forget(): void {
    this.#subscription?.unsubscribe()
    this.#subscription = undefined
    this.#inbox = ''
    this.#asked = 0
  }

  #begin(afterMs: number): void {
    if (this.#isStopped || this.#isBeginning) return
    this.#isBeginning = true
    this.#forget()
    if (this.#pulling.isForgetful) this.#leave()
    else void this.#beginAnew(afterMs)
  }

  async #beginAnew(afterMs: number): Promise<void> {
    for (let waitMs = afterMs; ; waitMs = pauseMs) {
      if (waitMs > 0) await pause(waitMs)
      const state = await this.#look()
      if (this.#isStopped || state === 'closed') return
      if (state === 'unknown') continue
      this.#isBeginning = false
      return state === 'gone' ? this.#leave() : this.#listen()
    }
  }

  async #look(): Promise<'there' | 'gone' | 'closed' | 'unknown'> {
    const { stream, consumer } = this.#pulling
    try {
      await this.#link.whenUp()
      await this.#link.manage(stream, (manager) => manager.consumers.info(stream, consumer))
      return this.#link.isUp ? 'there' : 'unknown'
    } catch (error) {
      if (isMissing(error)) return 'gone'
      return error instanceof Unanswered && error.why === 'closed' ? 'closed' : 'unknown'
    }
  }

  #leave(): void {
    this.#end()
    queueMicrotask(() => this.#pulling.gone()) // Not while whoever makes a puller has not got it yet.
  }

  #end(): void {
    this.#isStopped = true
    this.#unfollow()
    clearInterval(this.#watch)
  }
}

/** For how long requests wait at the broker, given its ack wait. */
export function requestMs(ackWaitMs: number): number {
  return Math.min(longestRequestMs, Math.floor(ackWaitMs * 0.4))
}

/** Whether a stream or consumer is not there. */
export function isMissing(error: unknown): boolean {
  if (!(error instanceof Refused)) return false
  return error.code === refusals.consumerNotFound || error.code === refusals.streamNotFound
}
