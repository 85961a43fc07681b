import type { Pattern } from '../pattern.js'
import { compareKeyLists, compareSpecificity } from '../specificity.js'
import type { Entry } from './entry.js'
import { type Found, withEntry } from './found.js'
import { KeySet } from './key-set.js'
import { makePlan, type Plan } from './plan.js'

type Properties = Record<string, unknown>

const fewSets = 16 // up to so many sets of keys are tried in turn; beyond, the message's own keys say which
const mostWatched = 8

/**
 * Finds what is kept for the most specific pattern that matches a message.
 *
 * One index for each set of keys, the sets ranked by the matching rule, patterns with globs apart. The time depends on
 * the patterns. Of the message only its matching keys are read; with more than 16 sets of keys its keys are listed
 * once. No message makes it throw: a property that cannot be read is one that does not match.
 */
export class Router<T> {
  readonly #entries = new Map<string, Entry<T>>()
  readonly #sets = new Map<string, KeySet<T>>()
  readonly #catchAll = new KeySet<T>([])
  #catchAllEntry: Entry<T> | undefined
  #plan: Plan<T> | undefined
  #version = 0
  #unlisted = 0 // messages whose keys will not be listed

  /** Goes up whenever `find` may answer something else than before. */
  get version(): number {
    return this.#version
  }

  /** The keys that any pattern has: on nothing else of a message depends what is found. */
  get keys(): readonly string[] {
    return [...new Set([...this.#sets.values()].flatMap(({ keys }) => keys))]
  }

  /** Keeps a value for a pattern, instead of the one that was kept for the same canonical text. */
  set(pattern: Pattern, value: T): void {
    this.#version++
    const known = this.#entries.get(pattern.text)
    if (known !== undefined) {
      known.value = value
      return
    }
    const home = this.#homeOf(pattern)
    const entry: Entry<T> = { pattern, place: home, value }
    this.#entries.set(pattern.text, entry)
    if (home === this.#catchAll) this.#catchAllEntry = entry
    else home.add(entry)
  }

  /** The value kept for the pattern with this canonical text. */
  get(text: string): T | undefined {
    return this.#entries.get(text)?.value
  }

  /** Forgets the pattern with this canonical text, and tells whether there was one. */
  delete(text: string): boolean {
    const entry = this.#entries.get(text)
    if (entry === undefined) return false
    this.#version++
    this.#entries.delete(text)
    if (entry === this.#catchAllEntry) this.#catchAllEntry = undefined
    else this.#leaveHome(entry)
    return true
  }

  /** The value of the most specific pattern that matches. Takes 50 to 100 ns for a few sets of keys (`npm run bench router`). */
  find(message: object): T | undefined {
    return this.#findEntry(message)?.value
  }

  /** The values of all patterns that match, most specific first. */
  collect(message: object): T[] {
    if (!isObject(message)) return []
    let found: Found<T>
    try {
      found = this.#collect(message)
    } catch {
      found = this.#collect(readable(message))
    }
    if (found === undefined) return []
    const [only, second] = found
    if (only !== undefined && second === undefined) return [only.value]
    return found.sort((a, b) => compareSpecificity(a.pattern, b.pattern)).map(({ value }) => value)
  }

  /** The patterns with their values, in the order in which they were first set. */
  *entries(): Generator<readonly [Pattern, T]> {
    for (const { pattern, value } of this.#entries.values()) yield [pattern, value]
  }

  /**
   * The keys to look for in the rest of a message that is known to hold the scalar pairs of `head`: without any of them
   * as own property, `find` gives the same for the whole message as for `head` alone.
   *
   * None of them is a key of `head`. More of them than needed may be named, never too few. `undefined` if it would be
   * more than eight: then every message has to be looked up. Takes a time that grows with the number of sets of keys,
   * not with that of the patterns; it holds until `version` changes.
   */
  watch(head: object): readonly string[] | undefined {
    const properties = head as Properties
    const winner = this.#findEntry(head)
    const watched: string[] = []
    const { ranked } = this.#currentPlan()
    for (let at = ranked.length - 1; at >= 0; at--) {
      const set = ranked[at] as KeySet<T>
      if (winner !== undefined && !mayWin(set, winner)) continue
      const missing = set.keys.filter((key) => !Object.hasOwn(head, key))
      if (missing.length === 0 || missing.some((key) => watched.includes(key)) || !set.mayMatch(properties)) continue
      if (watched.length === mostWatched) return undefined
      watched.push(missing[0] as string) // one is enough: without it the whole set cannot match
    }
    return watched
  }

  #findEntry(message: object): Entry<T> | undefined {
    if (!isObject(message)) return undefined
    try {
      return this.#search(message)
    } catch {
      return this.#search(readable(message))
    }
  }

  #search(message: Properties): Entry<T> | undefined {
    const { ranked, anchors, byAnchor } = this.#currentPlan()
    if (ranked.length <= fewSets) return searchSets(ranked, message, undefined) ?? this.#catchAllEntry
    const keys = this.#keysToTry(message, anchors)
    let best: Entry<T> | undefined
    for (let at = 0; at < keys.length; at++) {
      const sets = byAnchor.get(keys[at] as string)
      if (sets !== undefined) best = searchSets(sets, message, best)
    }
    return best ?? this.#catchAllEntry
  }

  #collect(message: Properties): Found<T> {
    const { ranked, anchors, byAnchor } = this.#currentPlan()
    let found: Found<T>
    if (ranked.length <= fewSets) {
      for (let at = 0; at < ranked.length; at++) found = (ranked[at] as KeySet<T>).collect(message, found)
    } else {
      for (const key of this.#keysToTry(message, anchors)) {
        for (const set of byAnchor.get(key) ?? []) found = set.collect(message, found)
      }
    }
    return this.#catchAllEntry === undefined ? found : withEntry(found, this.#catchAllEntry)
  }

  /**
   * The keys of a message, or the anchors where these are fewer. Listing 10,000 keys takes 0.8 ms, and how many there are
   * is known only then: so after a wide message the anchors are tried for as many messages as its listing would pay for.
   */
  #keysToTry(message: Properties, anchors: readonly string[]): readonly string[] {
    if (anchors.length === 0) return anchors
    if (this.#unlisted > 0) {
      this.#unlisted--
      return anchors
    }
    const keys = Object.getOwnPropertyNames(message)
    if (keys.length <= anchors.length) return keys
    this.#unlisted = Math.floor(keys.length / anchors.length)
    return anchors
  }

  #currentPlan(): Plan<T> {
    this.#plan ??= makePlan(this.#sets.values())
    return this.#plan
  }

  #homeOf({ keys }: Pattern): KeySet<T> {
    if (keys.length === 0) return this.#catchAll
    const name = setName(keys)
    const known = this.#sets.get(name)
    if (known !== undefined) return known
    const made = new KeySet<T>(keys)
    this.#sets.set(name, made)
    this.#plan = undefined
    return made
  }

  #leaveHome(entry: Entry<T>): void {
    const home = this.#homeOf(entry.pattern)
    home.remove(entry)
    if (home.size > 0) return
    this.#sets.delete(setName(home.keys))
    this.#plan = undefined
  }
}

/** The best of `best` and the sets' entries that match. The sets are sorted by rank. Hot. */
function searchSets<T>(
  sets: readonly KeySet<T>[],
  message: Properties,
  best: Entry<T> | undefined,
): Entry<T> | undefined {
  let found = best
  let limit = found === undefined ? Number.POSITIVE_INFINITY : limitOf(found)
  for (let at = 0; at < sets.length; at++) {
    const set = sets[at] as KeySet<T>
    if (set.rank >= limit) return found
    if (message[set.anchor] === undefined) continue
    const exact = set.exact.find(message)
    if (exact !== undefined) return exact
    if (set.globs.size === 0) continue
    const glob = set.findGlob(message)
    if (glob === undefined || (found !== undefined && compareSpecificity(glob.pattern, found.pattern) > 0)) continue
    found = glob
    limit = limitOf(found)
  }
  return found
}

/** The rank from which on no set can do better: its own for an exact entry, else that of the first with fewer keys. */
function limitOf<T>({ pattern, place }: Entry<T>): number {
  return pattern.globs === 0 ? place.rank : place.nextTier
}

function mayWin<T>({ keys }: KeySet<T>, { pattern }: Entry<T>): boolean {
  if (keys.length !== pattern.keys.length) return keys.length > pattern.keys.length
  return pattern.globs > 0 || compareKeyLists(keys, pattern.keys) < 0
}

/** One text for a set of keys; patterns hold no NUL. */
function setName(keys: readonly string[]): string {
  return keys.join('\0')
}

function isObject(message: unknown): message is Properties {
  return typeof message === 'object' && message !== null
}

/** A copy with what can be read of a message whose accessors or Proxy traps throw. */
function readable(message: Properties): Properties {
  const copy: Properties = Object.create(null)
  try {
    for (const key of Object.getOwnPropertyNames(message)) copyProperty(message, key, copy)
  } catch {
    // the names cannot be listed either: nothing of it matches
  }
  return copy
}

function copyProperty(from: Properties, key: string, to: Properties): void {
  try {
    to[key] = from[key]
  } catch {
    // not readable, so not there
  }
}
