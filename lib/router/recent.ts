import type { Message } from '../message.js'
import type { Router } from './router.js'

/** With more keys it is faster to look again. */
const MOST_KEYS = 8

/**
 * What was found for the last message: events of one kind come one after the other.
 *
 * What a router finds depends on nothing but the values of the keys that its patterns have. To compare these takes less
 * than half the time of a look-up (`npm run bench -- remote --only E:lucilius#websocket`). Messages are plain data here.
 */
export class Recent<R> {
  readonly #router: Router<unknown>
  readonly #find: (message: Message) => R
  #version = -1
  #keys: readonly string[] = []
  #values: unknown[] = []
  #last: { readonly found: R } | undefined

  /** `find` looks up a message in the router, and makes something of what it finds. */
  constructor(router: Router<unknown>, find: (message: Message) => R) {
    this.#router = router
    this.#find = find
  }

  /** What `find` gives for a message. */
  find(message: Message): R {
    if (this.#version !== this.#router.version) this.#renew()
    else if (this.#last !== undefined && this.#isAlike(message)) return this.#last.found
    const found = this.#find(message)
    this.#last = this.#note(message) ? { found } : undefined
    return found
  }

  #renew(): void {
    this.#version = this.#router.version
    this.#keys = this.#router.keys
    this.#values = []
    this.#last = undefined
  }

  #isAlike(message: Message): boolean {
    const keys = this.#keys
    for (let at = 0; at < keys.length; at++) {
      // The index is within bounds.
      const key = keys[at] as string
      const value = message[key]
      if (value !== this.#values[at] || (value !== undefined && !Object.hasOwn(message, key))) return false
    }
    return true
  }

  /** Keeps the values of a message, if they are few and none of them holds on to more than itself. */
  #note(message: Message): boolean {
    const keys = this.#keys
    if (keys.length > MOST_KEYS) return false
    for (let at = 0; at < keys.length; at++) {
      const key = keys[at] as string
      const value = Object.hasOwn(message, key) ? message[key] : undefined
      if (typeof value === 'object' || typeof value === 'function') return false
      this.#values[at] = value
    }
    return true
  }
}
