import { type Envelope, encodeEnvelope, LuciliusError, type Outcome } from '../../../lib/transport-kit.js'

/** Posts a list of envelopes, as JSON text, and resolves with the outcome of all. */
export type Post = (list: string) => Promise<Outcome>

interface Waiting {
  readonly text: string
  readonly bytes: number
  resolve(outcome: Outcome): void
  reject(error: unknown): void
}

/** Bytes of events that may wait. */
const MOST_WAITING = 16 * 1024 * 1024

/**
 * Sends events one list after another: requests on several sockets would overtake each other, and those who observe see
 * the events of one emitter in its order.
 */
export class Outbox {
  readonly #post: Post
  readonly #maxBytes: number
  #waiting: Waiting[] = []
  #bytes = 0
  #posting = false
  #onIdle: (() => void) | undefined

  /** `maxBytes` bounds one event, and one list of them. */
  constructor(post: Post, maxBytes: number) {
    this.#post = post
    this.#maxBytes = maxBytes
  }

  /** Sends an event after those before it. */
  async send(envelope: Envelope): Promise<Outcome> {
    const text = encodeEnvelope(envelope)
    const bytes = Buffer.byteLength(text)
    if (bytes > this.#maxBytes)
      throw new LuciliusError('LUC_TOO_LARGE', `The event has more than ${this.#maxBytes} bytes.`)
    if (this.#bytes + bytes > MOST_WAITING) {
      throw new LuciliusError('LUC_OVERLOADED', 'The peer does not take events as fast as they come.')
    }
    return new Promise((resolve, reject) => {
      this.#bytes += bytes
      this.#waiting.push({ text, bytes, resolve, reject })
      if (!this.#posting) void this.#work()
    })
  }

  /** Resolves when all has been sent, or so many milliseconds later. */
  async idle(limitMs: number): Promise<void> {
    if (!this.#posting) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, limitMs)
      this.#onIdle = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async #work(): Promise<void> {
    this.#posting = true
    while (this.#waiting.length > 0) {
      const list = this.#next()
      const refused = await this.#postAll(list)
      // One that cannot be read must not take its neighbours with it.
      if (refused) for (const one of list) await this.#postAll([one])
    }
    this.#posting = false
    this.#onIdle?.()
  }

  /** Posts and settles. True, and nothing settled, if several were refused together and none was taken. */
  async #postAll(list: readonly Waiting[]): Promise<boolean> {
    try {
      const outcome = await this.#post(`[${list.map(({ text }) => text).join(',')}]`)
      if (outcome.error?.handled === 'no' && list.length > 1) return true
      for (const one of list) one.resolve(outcome)
    } catch (error) {
      for (const one of list) one.reject(error)
    }
    return false
  }

  /** As many as fit into one list, at least one. */
  #next(): Waiting[] {
    let bytes = 0
    let count = 0
    for (const one of this.#waiting) {
      bytes += one.bytes + 1
      if (count > 0 && bytes > this.#maxBytes) break
      count++
    }
    const list = this.#waiting.splice(0, count)
    for (const one of list) this.#bytes -= one.bytes
    return list
  }
}
