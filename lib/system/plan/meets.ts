import { mayMeet } from '../../covers.js'
import { isGlob } from '../../glob.js'
import type { Pattern } from '../../pattern.js'

/** Tells whether some message matches both patterns. Unlike {@link mayMeet} it also compares glob with glob. */
export function meets(a: Pattern, b: Pattern): boolean {
  return mayMeet(a, b) && a.keys.every((key, at) => valuesMeet(a.values[at], b.values[b.keys.indexOf(key)]))
}

function valuesMeet(a = '', b: string | undefined): boolean {
  return b === undefined || !isGlob(a) || !isGlob(b) || globsMeet(a, b)
}

/** Walks along the one glob and keeps the places in the other one that the same text leads to. */
function globsMeet(a: string, b: string): boolean {
  let places = skipStars(b, new Set([0]))
  for (const one of a.split('')) places = skipStars(b, one === '*' ? allFrom(places, b) : stepped(one, places, b))
  return places.has(b.length)
}

/** Where one character leads. */
function stepped(one: string, places: ReadonlySet<number>, text: string): Set<number> {
  const next = new Set<number>()
  for (const at of places) {
    const other = text[at]
    if (other === '*') next.add(at)
    else if (other !== undefined && (one === '?' || other === '?' || one === other)) next.add(at + 1)
  }
  return next
}

/** A star takes any part of the rest. */
function allFrom(places: ReadonlySet<number>, text: string): Set<number> {
  const first = Math.min(...places)
  return new Set(Array.from({ length: Math.max(0, text.length - first + 1) }, (_, index) => first + index))
}

/** A star may stand for nothing. */
function skipStars(text: string, places: ReadonlySet<number>): Set<number> {
  const all = new Set(places)
  for (const at of all) if (text[at] === '*') all.add(at + 1)
  return all
}
