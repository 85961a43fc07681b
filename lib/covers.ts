import { globCovers, globMatches, isGlob } from './glob.js'
import { type Pattern, toPattern } from './pattern.js'
import { scalarText } from './scalars.js'

/**
 * Tells whether a pattern matches every message that another one matches: wraps, lists, `accept` and priors use it.
 *
 * Each pair of the wide pattern is in the narrow one with the same text, or is a glob that matches it there. A pattern
 * covers itself.
 */
export function covers(wide: Pattern, narrow: Pattern): boolean {
  return wide.keys.every((key, at) => {
    const value = narrow.values[narrow.keys.indexOf(key)]
    return value !== undefined && valueCovers(wide.values[at] as string, value) // as long as its keys
  })
}

/** Tells whether some message may match both patterns. Two globs are not compared, so it may err to yes. */
export function mayMeet(a: Pattern, b: Pattern): boolean {
  return a.keys.every((key, at) => {
    const value = b.values[b.keys.indexOf(key)]
    return value === undefined || valuesMayMeet(a.values[at] as string, value) // as long as its keys
  })
}

function valuesMayMeet(a: string, b: string): boolean {
  return valueMatches(a, b) || valueMatches(b, a) || (isGlob(a) && isGlob(b))
}

function valueCovers(wide: string, narrow: string): boolean {
  return wide === narrow || (isGlob(wide) && globCovers(wide, narrow))
}

/**
 * Tells whether a pattern matches a message: every key of it is an own scalar property with the same text, or one that
 * its glob matches. Other properties never matter. The router answers the same for many patterns at once.
 */
export function patternMatches(pattern: Pattern, message: object): boolean {
  return pattern.keys.every((key, at) => {
    if (!Object.hasOwn(message, key)) return false
    const text = scalarText((message as Record<string, unknown>)[key])
    return text !== undefined && valueMatches(pattern.values[at] as string, text) // as long as its keys
  })
}

/**
 * What a pattern's text matches, as a function: for a store that knows a subscription which nobody runs at present.
 * Throws `LUC_PATTERN_INVALID`.
 */
export function matcherOf(text: string): (message: object) => boolean {
  const pattern = toPattern(text)
  return (message) => patternMatches(pattern, message)
}

function valueMatches(value: string, text: string): boolean {
  return value === text || (isGlob(value) && globMatches(value, text))
}
