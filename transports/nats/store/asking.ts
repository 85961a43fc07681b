import type { Msg, MsgHdrs, NatsConnection } from '@nats-io/transport-node'
import { onAbort } from './on-abort.js'
import { Unanswered } from './unanswered.js'

/** How long an answer may take while there is a connection. */
const answerMs = 5_000
const sweepMs = 500

/** What a question may say beyond its text. */
export interface Question {
  readonly headers?: MsgHdrs
  /** Gives up when it aborts. */
  readonly signal?: AbortSignal
}

interface Pending {
  readonly subject: string
  readonly until: number
  readonly settle: (answer: Msg | Unanswered) => void
}

/**
 * Questions that the broker answers, many at once, over one subscription.
 *
 * The client's own `request` learns of a lost connection only from its timer, and makes a timer for each: a store asks for
 * every event that is stored or ended, and must know at once when it has to ask again.
 */
export class Asking {
  readonly #nats: NatsConnection
  readonly #inbox: string
  readonly #pending = new Map<string, Pending>()
  readonly #stop: () => void
  #count = 0
  #isDeaf = false
  #sweep: ReturnType<typeof setInterval> | undefined

  /** The answers come to subjects below `inbox`. */
  constructor(nats: NatsConnection, inbox: string) {
    this.#nats = nats
    this.#inbox = `${inbox}.`
    const subscription = nats.subscribe(`${this.#inbox}*`, {
      callback: (error, answer) => (error === null ? this.#take(answer) : this.#deafen()),
    })
    this.#stop = () => subscription.unsubscribe()
  }

  /** Resolves with the answer. Rejects with {@link Unanswered}, and with what is wrong with the question itself. */
  ask(subject: string, text: string | Uint8Array, { headers, signal }: Question = {}): Promise<Msg> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new Unanswered('given-up', subject))
      if (this.#isDeaf) return reject(new Unanswered('forbidden', `${this.#inbox}*`))
      this.#count += 1
      const name = this.#count.toString(36)
      const giveUp = () => this.#settle(name, new Unanswered('given-up', subject))
      const forgetSignal = signal === undefined ? undefined : onAbort(signal, giveUp)
      const settle = (answer: Msg | Unanswered) => {
        forgetSignal?.()
        if (answer instanceof Unanswered) reject(answer)
        else resolve(answer)
      }
      this.#pending.set(name, { subject, until: performance.now() + answerMs, settle })
      this.#sweep ??= setInterval(() => this.#giveUpOld(), sweepMs).unref()
      try {
        this.#nats.publish(
          subject,
          text,
          headers === undefined ? { reply: this.#inbox + name } : { reply: this.#inbox + name, headers },
        )
      } catch (cause) {
        this.#settle(name, new Unanswered('closed', subject, { cause }))
      }
    })
  }

  /** The connection is lost: whatever was asked has to be asked again. */
  lost(): void {
    for (const [name, { subject }] of this.#pending) this.#settle(name, new Unanswered('lost', subject))
  }

  /** The broker does not permit to ask there. */
  forbidden(subject: string): void {
    for (const [name, pending] of this.#pending) {
      if (pending.subject === subject) this.#settle(name, new Unanswered('forbidden', subject))
    }
  }

  /** Nothing can be asked any more. */
  close(): void {
    for (const [name, { subject }] of this.#pending) this.#settle(name, new Unanswered('closed', subject))
    clearInterval(this.#sweep)
    this.#stop()
  }

  #take(answer: Msg): void {
    const name = answer.subject.slice(this.#inbox.length)
    const pending = this.#pending.get(name)
    if (pending === undefined) return
    const isNobody = answer.data.length === 0 && answer.headers?.code === 503
    this.#settle(name, isNobody ? new Unanswered('nobody', pending.subject) : answer)
  }

  /** We may not listen for answers. */
  #deafen(): void {
    this.#isDeaf = true
    for (const name of this.#pending.keys()) this.#settle(name, new Unanswered('forbidden', `${this.#inbox}*`))
  }

  #settle(name: string, answer: Msg | Unanswered): void {
    const pending = this.#pending.get(name)
    this.#pending.delete(name)
    pending?.settle(answer)
  }

  #giveUpOld(): void {
    const now = performance.now()
    for (const [name, { subject, until }] of this.#pending) {
      if (until > now) break // The oldest come first.
      this.#settle(name, new Unanswered('silent', subject))
    }
    if (this.#pending.size > 0) return
    clearInterval(this.#sweep)
    this.#sweep = undefined
  }
}
