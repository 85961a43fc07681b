import { distance } from 'fastest-levenshtein'

const longest = 256 // characters; what is longer is cut, it is a hint only
const most = 10_000 // candidates looked at, so that a hint never costs more than the error it goes with

/**
 * The known words that a mistyped word most likely meant, best first, at most `max` (3).
 *
 * A word is plausible if at most two characters, or two fifths of the longer of both, differ.
 */
export function nearest(word: string, known: Iterable<string>, max = 3): string[] {
  const wanted = word.slice(0, longest)
  const found: { readonly text: string; readonly apart: number }[] = []
  let seen = 0
  for (const text of known) {
    if (++seen > most) break
    const apart = distance(wanted, text.slice(0, longest))
    if (apart <= plausible(wanted.length, text.length)) found.push({ text, apart })
  }
  found.sort((a, b) => a.apart - b.apart || (a.text < b.text ? -1 : 1))
  return found.slice(0, max).map(({ text }) => text)
}

function plausible(one: number, other: number): number {
  return Math.max(2, Math.floor(Math.min(longest, Math.max(one, other)) * 0.4))
}
