/**
 * Tells whether a JSON text has more than `maxDepth` objects and arrays inside each other, before anything is parsed.
 *
 * Few brackets cannot be deep, and most texts have few: those are only counted. A text that is not JSON may get either
 * answer.
 */
export function isDeeper(json: string, maxDepth: number): boolean {
  return hasMoreOpenings(json, maxDepth) && deepest(json, maxDepth) > maxDepth
}

function hasMoreOpenings(json: string, max: number): boolean {
  let found = 0
  for (const bracket of ['{', '[']) {
    for (let at = json.indexOf(bracket); at !== -1; at = json.indexOf(bracket, at + 1)) {
      found += 1
      if (found > max) return true
    }
  }
  return false
}

/** Counts brackets outside strings, and stops beyond `max`. */
function deepest(json: string, max: number): number {
  let depth = 0
  let most = 0
  for (let at = 0; at < json.length && most <= max; at += 1) {
    const code = json.charCodeAt(at)
    if (code === quote) at = endOfString(json, at)
    else if (code === openBrace || code === openBracket) most = Math.max(most, ++depth)
    else if (code === closeBrace || code === closeBracket) depth -= 1
  }
  return most
}

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

/** Where the string that starts at `start` ends: at the next quote that no backslash escapes. */
function endOfString(json: string, start: number): number {
  let at = start + 1
  while (at < json.length && json.charCodeAt(at) !== quote) at += json.charCodeAt(at) === backslash ? 2 : 1
  return at
}
