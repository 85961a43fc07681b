import { LuciliusError } from '../errors.js'
import { thrownError } from '../hook.js'
import type { Logger } from '../logger.js'
import { Patience } from '../patience.js'
import type { EventStore, OpenStore, StoredEvent, StoreHost } from '../store.js'
import { withLastWords } from './last-words.js'

/** How long a store may take to open, and for what is asked of it when an app starts, in ms. */
const ANSWER_MS = 10_000

/** How long a store may take to close, in ms. */
const CLOSE_MS = 5000

/** What the life of a store needs of its app. */
interface Keeper {
  readonly store: EventStore | undefined
  readonly name: string
  readonly instance: string
  readonly log: Logger
}

/** The store of one app: opened when it is first needed, closed with the app. */
export class StoreLife {
  readonly #keeper: Keeper
  readonly #closing = new AbortController()
  #opening: Promise<OpenStore> | undefined

  constructor(keeper: Keeper) {
    this.#keeper = keeper
  }

  /** Whether the app has one. */
  get isThere(): boolean {
    return this.#keeper.store !== undefined
  }

  /** Whether anything may be kept there by now. One that cannot tell, or is not heard from, is opened to find out. */
  async mayHold(): Promise<boolean> {
    const { store } = this.#keeper
    if (store?.isEmpty === undefined || this.#opening !== undefined) return store !== undefined
    const { signal, end } = timeLimit(ANSWER_MS, this.#closing.signal)
    try {
      return !(await withLastWords(signal, store.isEmpty(), () => this.#unanswered()))
    } catch {
      return true
    } finally {
      end()
    }
  }

  /**
   * Opens it, once; after a failure it is tried anew. Rejects within 10 s with `LUC_STORE_FAILED` or with what else the
   * store says, with `LUC_STORE_REQUIRED` or `LUC_SERVICE_CLOSED`.
   */
  open(): Promise<OpenStore> {
    if (this.#closing.signal.aborted) return Promise.reject(this.#closed())
    this.#opening ??= this.#open().catch((error) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  /**
   * Has the open store do something. Rejects within 10 s with `LUC_STORE_FAILED` or what the store says, and as `open`
   * does.
   */
  async ask<T>(question: (store: OpenStore) => Promise<T>): Promise<T> {
    const store = await this.open()
    const limit = timeLimit(ANSWER_MS, this.#closing.signal)
    try {
      return await withLastWords(limit.signal, question(store), () => this.#unanswered())
    } finally {
      limit.end()
    }
  }

  /**
   * Keeps an event, behind `first`. Rejects within the time limit with `LUC_STORE_FAILED`, with `LUC_TOO_LARGE`, and as
   * `open` does.
   */
  async append(event: StoredEvent, timeoutMs: number, first: () => Promise<unknown> | undefined): Promise<void> {
    const controller = new AbortController()
    const patience = new Patience(timeoutMs, () => controller.abort())
    const signal = AbortSignal.any([controller.signal, this.#closing.signal])
    let isHanded = false
    const work = async () => {
      const store = await this.open()
      await first()
      if (signal.aborted) throw this.#late(event, timeoutMs)
      isHanded = true
      await store.append(event, signal)
    }
    try {
      await withLastWords(signal, work(), () => this.#late(event, timeoutMs))
    } catch (error) {
      throw isHanded ? error : notStored(error)
    } finally {
      patience.end()
    }
  }

  /** The app closes: nobody waits any more for it to open. */
  giveUp(): void {
    this.#closing.abort()
  }

  /** Closes it, if it was opened. Resolves within 5 s: what it has not been told by then it delivers again. */
  async close(): Promise<void> {
    this.giveUp()
    const store = await this.#opening?.catch(() => undefined)
    if (store === undefined) return
    const { signal, end } = timeLimit(CLOSE_MS)
    const late = () => new Error(`The store did not close within ${CLOSE_MS / 1000} s.`)
    try {
      await withLastWords(signal, store.close(), late)
    } catch (error) {
      this.#keeper.log.warn({ store: this.#keeper.store?.name, err: error }, 'the store did not close well')
    } finally {
      end()
    }
  }

  async #open(): Promise<OpenStore> {
    const { store, name, instance, log } = this.#keeper
    if (store === undefined) throw new LuciliusError('LUC_STORE_REQUIRED', `${name} has no store. ${STORES}`)
    const { signal, end } = timeLimit(ANSWER_MS, this.#closing.signal)
    const host: StoreHost = { name, instance, signal, log: (level, facts, text) => log[level](facts, text) }
    const opening = store.openStore(host)
    try {
      return await withLastWords(signal, opening, () => failedToOpen(store, `it did not within ${ANSWER_MS / 1000} s`))
    } catch (error) {
      // It may open yet, and nobody wants it then.
      opening.then((late) => late.close()).catch(() => {})
      if (this.#closing.signal.aborted) throw this.#closed()
      throw error instanceof LuciliusError ? error : failedToOpen(store, thrownError(error).message, error)
    } finally {
      end()
    }
  }

  #unanswered(): LuciliusError {
    if (this.#closing.signal.aborted) return this.#closed()
    const name = this.#keeper.store?.name
    return new LuciliusError('LUC_STORE_FAILED', `The store '${name}' did not answer within ${ANSWER_MS / 1000} s.`, {
      handled: 'no',
    })
  }

  #late({ declared }: StoredEvent, timeoutMs: number): LuciliusError {
    const store = this.#keeper.store?.name
    const why = this.#closing.signal.aborted ? 'the app closed' : `${Math.round(timeoutMs)} ms passed`
    return new LuciliusError(
      'LUC_STORE_FAILED',
      `The store '${store}' had not stored an event of ${declared} when ${why}.`,
    )
  }

  #closed(): LuciliusError {
    return new LuciliusError('LUC_SERVICE_CLOSED', `${this.#keeper.name} is closing, and its store with it.`)
  }
}

/** The choices of somebody who needs a store. */
export const STORES =
  "Give it one: lucilius({ store: embedded({ path: './events' }) }) from 'lucilius/transports/embedded' for one process, nats(…) from 'lucilius/transports/nats' or amqp(…) from 'lucilius/transports/amqp' for several; in a system, the deployment's 'store' says which."

/** A signal that aborts after so many ms, or with another one. `end` takes the timer away. */
function timeLimit(limitMs: number, ...others: AbortSignal[]): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), limitMs)
  return { signal: AbortSignal.any([controller.signal, ...others]), end: () => clearTimeout(timer) }
}

function failedToOpen({ name }: EventStore, why: string, cause?: unknown): LuciliusError {
  return new LuciliusError('LUC_STORE_FAILED', `The store '${name}' could not be opened: ${why}`, {
    handled: 'no',
    cause,
  })
}

/** Whatever the error says by itself: the event had not reached the store. */
function notStored(error: unknown): unknown {
  if (!(error instanceof LuciliusError) || error.handled === 'no') return error
  const { code, message, details, cause } = error
  return new LuciliusError(code, message, { handled: 'no', details, cause: cause ?? error })
}
