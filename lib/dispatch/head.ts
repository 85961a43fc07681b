import { BoundedMemo } from '../bounded-memo.js'
import { LuciliusError } from '../errors.js'
import { isMessage, type Message } from '../message.js'
import { parseMessage } from '../message-text.js'
import type { Router } from '../router/router.js'
import { scalarText } from '../scalars.js'

/** How many texts keep their parse and route. A text beyond costs a parse, nothing else. */
const REMEMBERED = 1000

/**
 * The text before a message in `act('role:convert,cmd:rate', message)`: parsed once, with the action it leads to.
 *
 * The route holds until the set of patterns changes, for every message without one of the few keys that could make a
 * more specific pattern win (`Router.watch`). This halves the cost of an act (`npm run bench -- local`).
 */
export class Head<T> {
  readonly message: Message
  readonly #keys: readonly string[]
  readonly #values: readonly unknown[]
  /** The shape of the last message: the keys of its data, and the message without the data. */
  #lastKeys: readonly string[] = []
  #last: Message
  #isReused = false
  #version = -1
  #target: T | undefined = undefined
  #watch: readonly string[] | undefined = undefined

  constructor(message: Message) {
    this.message = message
    const pairs = Object.entries(message).filter(([, value]) => value !== undefined)
    this.#keys = pairs.map(([key]) => key)
    this.#values = pairs.map(([, value]) => value)
    this.#last = Object.fromEntries(pairs)
  }

  /** Its scalar pairs as a message text, which is all that routing by it alone looks at. */
  get pairs(): string {
    const scalars = Object.entries(this.message).filter(([, value]) => scalarText(value) !== undefined)
    return JSON.stringify(Object.fromEntries(scalars))
  }

  /** The data with the text's own pairs over it, as a new object. */
  over(data: unknown): Message {
    if (data === undefined) return { ...this.message }
    if (!isMessage(data)) throw notAnObject(data)
    return this.#asLast(data) ?? this.#anew(data)
  }

  /**
   * Data with the keys of the last, in their order: most callers send the same shape again. A copy of the last message
   * has all keys already, and filling it in takes two thirds of the time of making one key after the other.
   */
  #asLast(data: Message): Message | undefined {
    const message: Record<string, unknown> = { ...this.#last }
    const { length } = this.#lastKeys
    let i = 0
    for (const key in data) {
      if (key !== this.#lastKeys[i++]) return undefined
      const value = data[key]
      if (value === undefined) return undefined
      message[key] = value
    }
    return i === length ? message : undefined
  }

  #anew(data: Message): Message {
    const message: Record<string, unknown> = {}
    // A loop: spreading two objects into one takes ten times as long, for the object changes its shape on the way.
    for (const key of Object.keys(data)) {
      if (key === '__proto__') throw forbiddenKey()
      const value = data[key]
      if (value !== undefined) message[key] = value
    }
    const keys = Object.keys(message)
    for (const [i, key] of this.#keys.entries()) message[key] = this.#values[i]
    // The head of an object is used once: what it has seen helps nobody.
    if (this.#isReused) this.#remember(keys, message)
    this.#isReused = true
    return message
  }

  /** Keeps the shape, and none of the data: what was sent must not be held. */
  #remember(keys: readonly string[], message: Message): void {
    if (keys.some((key) => this.#keys.includes(key))) return
    this.#lastKeys = keys
    const blank: Record<string, unknown> = { ...message }
    for (const key of keys) blank[key] = null
    this.#last = blank
  }

  /** What answers `message`, which is this text's pairs over some data. */
  route(router: Router<T>, message: Message): T | undefined {
    if (this.#version !== router.version) this.#learn(router)
    const watch = this.#watch
    if (watch === undefined) return router.find(message)
    for (let i = 0; i < watch.length; i++) if (Object.hasOwn(message, watch[i] as string)) return router.find(message)
    return this.#target
  }

  /** What answers the text alone, whatever the data says. */
  alone(router: Router<T>): T | undefined {
    if (this.#version !== router.version) this.#learn(router)
    return this.#target
  }

  #learn(router: Router<T>): void {
    this.#version = router.version
    this.#target = router.find(this.message)
    this.#watch = router.watch(this.message)
  }
}

/** Remembers the heads of the texts in use. */
export class Heads<T> {
  readonly #known = new BoundedMemo<Head<T>>(REMEMBERED)

  /**
   * The head of a text, or of an object, which is not remembered. Throws `LUC_PATTERN_INVALID` for a text that cannot be
   * understood, `LUC_MESSAGE_INVALID` for what is neither.
   */
  of(first: unknown): Head<T> {
    if (typeof first !== 'string') return new Head<T>(wholeMessage(first))
    const known = this.#known.get(first)
    if (known !== undefined) return known
    const head = new Head<T>(parseMessage(first))
    this.#known.set(first, head)
    return head
  }
}

/** A whole message given as an object, copied so that neither side sees what the other changes. */
export function wholeMessage(message: unknown): Message {
  if (!isMessage(message)) throw notAnObject(message)
  if (Object.hasOwn(message, '__proto__')) throw forbiddenKey()
  return { ...message }
}

function notAnObject(value: unknown): LuciliusError {
  const what =
    value === null
      ? 'null'
      : Array.isArray(value)
        ? 'an array'
        : typeof value === 'object'
          ? 'an instance of a class'
          : value === undefined
            ? 'undefined'
            : `a ${typeof value}`
  return new LuciliusError(
    'LUC_MESSAGE_INVALID',
    `A message is a plain object, this is ${what}: give an object such as { from: 'usd' }.`,
  )
}

function forbiddenKey(): LuciliusError {
  return new LuciliusError('LUC_MESSAGE_INVALID', "A message has no key '__proto__': rename it.", {
    details: { path: '__proto__' },
  })
}
