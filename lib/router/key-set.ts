import { isGlob } from '../glob.js'
import { scalarText } from '../scalars.js'
import { compareKeyLists } from '../specificity.js'
import type { Entry, Place } from './entry.js'
import { ExactIndex } from './exact-index.js'
import { type Found, withEntry } from './found.js'
import { GlobIndex } from './glob-index.js'

/** All patterns of a router that have the same keys. */
export class KeySet<T> implements Place {
  readonly keys: readonly string[]
  readonly exact: ExactIndex<T>
  readonly globs = new GlobIndex<T>()
  /** Its place among the sets of the plan it is in: lower is more specific. */
  rank = 0
  /** The rank of the first set with fewer keys. */
  nextTier = 0
  /** The key of this set that the fewest other sets have: where it is missing, this set cannot match. */
  anchor = ''
  readonly #values: Map<string, number>[] // for each key, how many patterns have an exact value
  readonly #globsAt: number[] // for each key, how many patterns have a glob

  constructor(keys: readonly string[]) {
    this.keys = keys
    this.exact = new ExactIndex(keys)
    this.#values = keys.map(() => new Map())
    this.#globsAt = keys.map(() => 0)
  }

  /** How many patterns there are. */
  get size(): number {
    return this.exact.size + this.globs.size
  }

  add(entry: Entry<T>): void {
    this.#indexFor(entry).add(entry)
    this.#count(entry, 1)
  }

  remove(entry: Entry<T>): void {
    this.#indexFor(entry).remove(entry)
    this.#count(entry, -1)
  }

  /** The most specific entry with globs that matches a message. */
  findGlob(message: Record<string, unknown>): Entry<T> | undefined {
    const texts = this.#textsOf(message)
    return texts === undefined ? undefined : this.globs.find(texts)
  }

  /** A list with every entry that matches a message as well, in no order. */
  collect(message: Record<string, unknown>, list: Found<T>): Found<T> {
    const exact = this.exact.find(message)
    const found = exact === undefined ? list : withEntry(list, exact)
    const texts = this.globs.size > 0 ? this.#textsOf(message) : undefined
    return texts === undefined ? found : this.globs.collect(texts, found)
  }

  /** Whether some message with the properties of `head` may match here. Looks at each key alone, so it may err to yes. */
  mayMatch(head: Record<string, unknown>): boolean {
    return this.keys.every((key, at) => {
      if (!Object.hasOwn(head, key)) return true
      const text = scalarText(head[key])
      return (
        text !== undefined && ((this.#globsAt[at] as number) > 0 || (this.#values[at] as Map<string, number>).has(text))
      )
    })
  }

  #indexFor({ pattern }: Entry<T>): ExactIndex<T> | GlobIndex<T> {
    return pattern.globs === 0 ? this.exact : this.globs
  }

  #textsOf(message: Record<string, unknown>): string[] | undefined {
    const texts: string[] = []
    for (const key of this.keys) {
      const text = Object.hasOwn(message, key) ? scalarText(message[key]) : undefined
      if (text === undefined) return undefined
      texts.push(text)
    }
    return texts
  }

  #count({ pattern }: Entry<T>, by: 1 | -1): void {
    for (const [at, value] of pattern.values.entries()) {
      if (isGlob(value)) {
        this.#globsAt[at] = (this.#globsAt[at] as number) + by
        continue
      }
      const counts = this.#values[at] as Map<string, number>
      const count = (counts.get(value) ?? 0) + by
      if (count === 0) counts.delete(value)
      else counts.set(value, count)
    }
  }
}

/** Orders sets of keys as their exact patterns are: more keys first, then alphabetically. */
export function compareKeySets(a: KeySet<unknown>, b: KeySet<unknown>): number {
  return b.keys.length - a.keys.length || compareKeyLists(a.keys, b.keys)
}
