import type { Message } from '../message.js'
import type { Pattern } from '../pattern.js'
import { Router } from '../router/router.js'

/** That the events which a pattern matches are kept. */
export interface Declared {
  readonly pattern: Pattern
  readonly service: string
  /** Durable subscriptions get them. */
  readonly durable: boolean
  /** The last one of each key is kept. */
  readonly retain: boolean
  /** The properties that make the key. */
  readonly key: readonly string[]
  /** Position in the order of registration. */
  readonly order: number
}

/** What is declared of the events that an app emits. Of equal patterns the one that was registered last counts. */
export class Declarations {
  readonly #router = new Router<readonly Declared[]>()
  #size = 0

  /** How many there are: without any nothing is looked up. */
  get size(): number {
    return this.#size
  }

  add(declared: Declared): void {
    const list = this.#router.get(declared.pattern.text) ?? []
    const at = list.findLastIndex(({ order }) => order < declared.order) + 1
    this.#router.set(declared.pattern, list.toSpliced(at, 0, declared))
    this.#size++
  }

  remove(declared: Declared): void {
    const list = this.#router.get(declared.pattern.text)
    if (list === undefined || !list.includes(declared)) return
    const rest = list.filter((one) => one !== declared)
    if (rest.length > 0) this.#router.set(declared.pattern, rest)
    else this.#router.delete(declared.pattern.text)
    this.#size--
  }

  /** What is declared of an event, by the most specific pattern; undefined if nothing, or that it is not kept. */
  of(message: Message): Declared | undefined {
    const declared = this.#router.find(message)?.at(-1)
    return declared?.durable === true || declared?.retain === true ? declared : undefined
  }

  *all(): Iterable<Declared> {
    for (const [, list] of this.#router.entries()) yield* list
  }
}
