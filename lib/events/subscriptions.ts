import type { Action } from '../dispatch/action.js'
import type { Message } from '../message.js'
import type { Pattern } from '../pattern.js'
import { Recent } from '../router/recent.js'
import { Router } from '../router/router.js'

/** A pattern and a handler that observes the events it matches. */
export interface Subscribed {
  readonly pattern: Pattern
  readonly service: string
  /** Runs in every instance of its service, not only in the one that is picked. */
  readonly each: boolean
  /** What a call runs: to the machinery an observer is an action whose reply nobody waits for. */
  readonly action: Action
  /** How often its handler failed. */
  failures: number
}

/** The subscriptions of one app. The list of a pattern is made anew with each change: an event keeps that of its time. */
export class Subscriptions {
  readonly #router = new Router<readonly Subscribed[]>()
  readonly #matching = new Recent(this.#router, (message) => this.#router.collect(message).flat())
  readonly #changed = new Set<() => void>()

  add(subscribed: Subscribed): void {
    const list = this.#router.get(subscribed.pattern.text)
    if (list === undefined) this.#router.set(subscribed.pattern, [subscribed])
    else {
      const at = list.findLastIndex(({ action }) => action.order < subscribed.action.order) + 1
      this.#router.set(subscribed.pattern, list.toSpliced(at, 0, subscribed))
    }
    for (const listener of this.#changed) listener()
  }

  remove(subscribed: Subscribed): void {
    const list = this.#router.get(subscribed.pattern.text)
    if (list === undefined || !list.includes(subscribed)) return
    const rest = list.filter((one) => one !== subscribed)
    if (rest.length > 0) this.#router.set(subscribed.pattern, rest)
    else this.#router.delete(subscribed.pattern.text)
    for (const listener of this.#changed) listener()
  }

  /** Those that a message matches, the most specific first, equal patterns in order of registration. */
  matching(message: Message): readonly Subscribed[] {
    return this.#matching.find(message)
  }

  *all(): Iterable<Subscribed> {
    for (const [, list] of this.#router.entries()) yield* list
  }

  /** Calls `listener` after each change, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#changed.add(listener)
    return () => void this.#changed.delete(listener)
  }
}
