import type { Message } from '../message.js'
import type { StoredEvent } from '../store.js'
import type { Subscribed } from './subscriptions.js'

/**
 * Observers that came after events which are retained: they get those first. What is emitted meanwhile waits for them, up
 * to so many events; what is more gets lost, and told.
 */
export class Latecomers {
  /** What each of them is to start with once it has what was retained. */
  readonly #waiting = new Map<Subscribed, (() => void)[]>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#waiting.size
  }

  /** Keeps the start of an observer if it waits. */
  holds(observer: Subscribed, start: () => void): boolean {
    const starts = this.#waiting.get(observer)
    if (starts === undefined) return false
    if (starts.length < this.#most) starts.push(start)
    else observer.action.log.warn({ max: this.#most }, 'an event is lost: too many wait for a new subscription')
    return true
  }

  /**
   * Fetches the retained events that some observers match. Gives the function that hands them over, and then what has
   * waited; after a failure to fetch them what has waited goes on without.
   */
  async catchUp(
    observers: readonly Subscribed[],
    matching: (message: Message) => readonly Subscribed[],
    fetch: (matches: (message: Message) => boolean) => Promise<readonly StoredEvent[]>,
    observe: (observer: Subscribed, event: StoredEvent) => void,
  ): Promise<() => void> {
    const waiting = new Set(observers)
    for (const observer of waiting) this.#waiting.set(observer, [])
    const release = () => {
      for (const observer of waiting) {
        const starts = this.#waiting.get(observer) ?? []
        this.#waiting.delete(observer)
        for (const start of starts) start()
      }
    }
    const those = (message: Message) => matching(message).filter((observer) => waiting.has(observer))
    try {
      const events = await fetch((message) => those(message).length > 0)
      return () => {
        for (const event of events) for (const observer of those(event.message)) observe(observer, event)
        release()
      }
    } catch (error) {
      release()
      throw error
    }
  }
}
