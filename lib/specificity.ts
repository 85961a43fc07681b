import { isGlob, literalLength } from './glob.js'
import type { Pattern } from './pattern.js'

/**
 * Orders patterns that match the same message: negative if `a` is more specific and wins, 0 only for the same pattern.
 *
 * 1. more keys, 2. more exact values, 3. the sorted key lists compared alphabetically, first difference decides, 4. more
 * literal characters in the glob values, 5. the canonical text that sorts first. All texts by UTF-16 code units.
 */
export function compareSpecificity(a: Pattern, b: Pattern): number {
  return (
    b.keys.length - a.keys.length ||
    a.globs - b.globs ||
    compareKeyLists(a.keys, b.keys) ||
    literals(b) - literals(a) ||
    compareText(a.text, b.text)
  )
}

/** Compares two sorted key lists of the same length, first difference decides. */
export function compareKeyLists(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < a.length; at++) {
    const order = compareText(a[at] as string, b[at] ?? '')
    if (order !== 0) return order
  }
  return 0
}

/** Why the one of two matching patterns lost, in a sentence that names the rule which decided. */
export function lostBecause(loser: Pattern, winner: Pattern): string {
  const both = `"${loser.text}" loses to "${winner.text}"`
  if (loser.keys.length !== winner.keys.length) {
    return `${both}: it has fewer keys, ${loser.keys.length} against ${winner.keys.length}.`
  }
  if (loser.globs !== winner.globs) {
    return `${both}: it has fewer exact values, ${exact(loser)} against ${exact(winner)}.`
  }
  const at = loser.keys.findIndex((key, index) => key !== winner.keys[index])
  if (at >= 0) return `${both}: its key "${loser.keys[at]}" sorts after "${winner.keys[at]}".`
  if (literals(loser) !== literals(winner)) {
    return `${both}: its globs have fewer literal characters, ${literals(loser)} against ${literals(winner)}.`
  }
  if (loser.text !== winner.text) return `${both}: its canonical text sorts after.`
  return `"${loser.text}" is the same pattern: the action added last stands in front.`
}

function exact(pattern: Pattern): number {
  return pattern.keys.length - pattern.globs
}

function literals(pattern: Pattern): number {
  let sum = 0
  for (const value of pattern.values) if (isGlob(value)) sum += literalLength(value)
  return sum
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
