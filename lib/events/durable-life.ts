import { LuciliusError } from '../errors.js'
import type { Declared } from './declarations.js'
import type { Durable } from './durable.js'
import type { Events } from './events.js'
import { withLastWords } from './last-words.js'
import { STORES, type StoreLife } from './store-life.js'
import type { Subscribed } from './subscriptions.js'

/** How long a closing app waits until its store has taken the ends of what was aborted, in ms. */
const LAST_ENDS_MS = 2000

/** What durable events do in the course of an app's life. */
export class DurableLife {
  readonly #events: Events
  readonly #store: StoreLife
  #isStarted = false
  #isOpen = false
  #arrive: () => void = () => {}

  constructor(events: Events, store: StoreLife) {
    this.#events = events
    this.#store = store
  }

  /**
   * Before the services start: opens the store if something needs it, and makes the subscriptions known there, so that
   * they miss nothing. Rejects with `LUC_STORE_REQUIRED`, `LUC_STORE_FAILED`, or what the store says of its settings.
   */
  async prepare(): Promise<void> {
    const { durables, declarations } = this.#events
    this.#isStarted = true
    const [first] = [...durables.all(), ...declarations.all()]
    if (first !== undefined) {
      this.need(first)
      await this.#store.open()
    }
    await durables.know()
  }

  /** Once the services have started: has events delivered, which wait until `go`, and fetches what is retained. */
  async serve(): Promise<void> {
    const { durables, subscriptions } = this.#events
    await durables.serve()
    const observers = [...subscriptions.all()]
    if (observers.length > 0 && this.#store.isThere) this.#arrive = await this.#events.catchUp(observers)
  }

  /** The app is open: handlers may run. */
  go(): void {
    this.#isOpen = true
    this.#arrive()
    this.#events.durables.go()
  }

  /** A subscription came while the app is open: it gets what is retained first. */
  arrived(observers: readonly Subscribed[]): void {
    if (!this.#isOpen || !this.#store.isThere || observers.length === 0) return
    // It tells itself what went wrong.
    void this.#catchUp(observers)
  }

  /** Throws `LUC_STORE_REQUIRED` if something needs a store, and the app has none. Until it starts anything may be registered. */
  need(registered: Durable | Declared): void {
    if (this.#isStarted && !this.#store.isThere) throw storeRequired(registered)
  }

  /** Takes no more events. */
  drain(): void {
    this.#events.durables.drain()
  }

  /** Gives up the handlers that still run: what they are at goes to another instance. */
  abort(): void {
    this.#events.durables.abort()
  }

  /** The app closes while it starts. */
  giveUp(): void {
    this.#store.giveUp()
  }

  /** Closes the store, once it knows the end of everything, or will not. */
  async close(): Promise<void> {
    const { durables } = this.#events
    durables.drain()
    durables.abort()
    const late = new AbortController()
    const timer = setTimeout(() => late.abort(), LAST_ENDS_MS)
    await withLastWords(late.signal, durables.ended(), () => new Error('late')).catch(() => {}) // it is delivered again
    clearTimeout(timer)
    await this.#store.close()
  }

  async #catchUp(observers: readonly Subscribed[]): Promise<void> {
    try {
      const arrive = await this.#events.catchUp(observers)
      arrive()
    } catch (error) {
      const [first] = observers
      first?.action.log.error(
        { pattern: first.pattern.text, err: error },
        'a new subscription goes without what is retained',
      )
    }
  }
}

function storeRequired(registered: Durable | Declared): LuciliusError {
  const { pattern, service } = registered
  const what =
    'name' in registered
      ? `'${service}' observes ${pattern.text} durably, as '${registered.durable}'`
      : `'${service}' declares that events of ${pattern.text} are kept`
  return new LuciliusError('LUC_STORE_REQUIRED', `${what}, and the app has no store. ${STORES}`)
}
