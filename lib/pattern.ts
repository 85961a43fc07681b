import { BoundedMemo } from './bounded-memo.js'
import { LuciliusError } from './errors.js'
import { collapseStars, isGlob } from './glob.js'
import { parseJsonicText } from './jsonic-text.js'
import { isMessage, type Scalar } from './message.js'
import { echo, escapeCharacter, scalarText } from './scalars.js'

/** The scalar `key:value` pairs an action asks for. Frozen. */
export interface Pattern {
  /** Canonical text: pairs sorted by key (UTF-16 code units), joined by commas. Two patterns are the same if it is. */
  readonly text: string
  /** The pairs as they were given. Use `keys` for their order: JavaScript moves keys such as `10` to the front. */
  readonly pairs: Readonly<Record<string, Scalar>>
  /** The keys, sorted by UTF-16 code units. */
  readonly keys: readonly string[]
  /** The text of each key's value, runs of stars as one. */
  readonly values: readonly string[]
  /** How many of the values are globs. */
  readonly globs: number
}

const longest = 4096 // characters of the text as given, and of the canonical text
const mostStars = 8
const allowed = 'Use a non-empty string, a finite number or a boolean.'
const remembered = new BoundedMemo<Pattern>(1000)

/**
 * Reads a pattern from its text or from an object of scalars.
 *
 * The empty text is the catch-all. Key order and spacing mean nothing. Texts are remembered, so the same text gives the
 * same object; an object is read once, later changes of it have no effect. Never build the text from outside data: use
 * an object. Throws `LUC_PATTERN_INVALID`.
 */
export function toPattern(input: string | Readonly<Record<string, unknown>>): Pattern {
  if (typeof input !== 'string') return fromObject(input)
  return remembered.get(input) ?? fromText(input)
}

function fromText(text: string): Pattern {
  const says = `Pattern ${echo(text)}`
  if (text.length > longest)
    throw invalid(
      says,
      `it has ${text.length} characters, and at most ${longest} are allowed. Use fewer or shorter pairs.`,
    )
  const pairs = text === '' ? [] : Object.entries(parseJsonicText(text, 'Pattern'))
  if (pairs.length === 0 && text !== '') throw invalid(says, "it holds no pair. The catch-all is the empty text: ''.")
  const pattern = makePattern(says, pairs)
  remembered.set(text, pattern)
  return pattern
}

function fromObject(input: unknown): Pattern {
  if (!isMessage(input))
    throw invalid('Pattern', `it is ${nameOf(input)}. Pass a text such as role:convert,cmd:rate, or a plain object.`)
  const says = 'Pattern object'
  const pairs: [string, unknown][] = []
  try {
    const keys = Reflect.ownKeys(input)
    if (keys.length > longest) throw invalid(says, `it has ${keys.length} keys. Use fewer.`)
    for (const key of keys) {
      if (typeof key === 'symbol') throw invalid(says, 'it has a symbol as key. Use names only.')
      pairs.push([key, input[key]])
    }
  } catch (cause) {
    if (cause instanceof LuciliusError) throw cause
    throw invalid(says, 'reading it failed. Pass a plain object without accessors.', cause)
  }
  return makePattern(says, pairs)
}

function makePattern(says: string, unsorted: (readonly [string, unknown])[]): Pattern {
  const pairs: Record<string, Scalar> = {}
  const keys: string[] = []
  const values: string[] = []
  const texts: string[] = []
  let globs = 0
  for (const [key, value] of unsorted.toSorted(byKey)) {
    const text = checkPair(says, key, value)
    pairs[key] = value as Scalar // checkPair refuses everything else, and keys that assignment would treat specially
    keys.push(key)
    values.push(text)
    texts.push(`${canonicalKey(key)}:${canonicalValue(text)}`)
    if (isGlob(text)) globs++
  }
  const text = texts.join(',')
  if (text.length > longest)
    throw invalid(
      says,
      `its canonical text has ${text.length} characters, and at most ${longest} are allowed. Use fewer or shorter pairs.`,
    )
  return Object.freeze({
    text,
    pairs: Object.freeze(pairs),
    keys: Object.freeze(keys),
    values: Object.freeze(values),
    globs,
  })
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}

/** The text of a pair's value, if a pattern may hold the pair. */
function checkPair(says: string, key: string, value: unknown): string {
  if (key === '') throw invalid(says, 'a key is empty. Give it a name.')
  if (hasControl(key)) throw invalid(says, `the key ${echo(key)} holds a control character. Remove it.`)
  if (isForbidden(key))
    throw invalid(says, `the key ${echo(key)} is a name that plain objects come with. Use another one.`)
  const text = scalarText(value)
  if (text === undefined) throw invalid(says, `the value of ${echo(key)} is ${nameOf(value)}. ${allowed}`)
  if (text === '') throw invalid(says, `the value of ${echo(key)} is empty. ${allowed}`)
  if (text.length > longest) throw invalid(says, `the value of ${echo(key)} has ${text.length} characters. Shorten it.`)
  if (hasControl(text)) throw invalid(says, `the value of ${echo(key)} holds a control character. Remove it.`)
  if (isForbidden(text))
    throw invalid(
      says,
      `the value of ${echo(key)} is ${echo(text)}, a name that plain objects come with. Use another one.`,
    )
  const collapsed = collapseStars(text)
  const stars = collapsed.split('*').length - 1
  if (stars > mostStars)
    throw invalid(
      says,
      `the value of ${echo(key)} has ${stars} stars, and at most ${mostStars} are allowed. Use fewer.`,
    )
  return collapsed
}

/** Names that plain objects have without being given them: patrun keeps values as keys of plain objects. */
function isForbidden(name: string): boolean {
  return name in Object.prototype || name === 'prototype' || name === '__proto__'
}

function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text)
}

function canonicalKey(key: string): string {
  return needsQuotes(key) ? quote(key) : key
}

/** `null` in quotes is a text, so it keeps them; `'1'` and `1` match the same messages and are both written `1`. */
function canonicalValue(text: string): string {
  return needsQuotes(text) || text === 'null' ? quote(text) : text
}

/** What the parser would read otherwise, and what looks like something else: invisible or decomposed characters. */
function needsQuotes(text: string): boolean {
  return /^['"`]|[\s{}[\]:,\p{Cf}\p{Cs}]/u.test(text) || text.normalize('NFC') !== text
}

function quote(text: string): string {
  const deceptive = /[\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text) || text.normalize('NFC') !== text
  const json = JSON.stringify(text)
  return deceptive ? json.replace(/[^\p{ASCII}]/gu, escapeCharacter) : json
}

function nameOf(value: unknown): string {
  if (value === null) return 'null'
  if (typeof value === 'number') return String(value)
  if (typeof value === 'object') return isList(value) ? 'a list' : 'an object'
  return value === undefined ? 'undefined' : `a ${typeof value}`
}

function isList(value: object): boolean {
  try {
    return Array.isArray(value)
  } catch {
    return false // a revoked Proxy throws here
  }
}

function invalid(says: string, reason: string, cause?: unknown): LuciliusError {
  return new LuciliusError('LUC_PATTERN_INVALID', `${says}: ${reason}`, cause === undefined ? {} : { cause })
}
