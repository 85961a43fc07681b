import { isMessage } from '../../message.js'
import { nearest } from '../../nearest.js'
import { isName, nameRule } from './name.js'
import type { Place } from './place.js'

/** Checks that a place holds an object with no other keys than these; notes every other one, with the nearest known. */
export function hasKeys(place: Place, known: readonly string[], what = 'an object'): boolean {
  if (!isMessage(place.value)) {
    place.expected(`${what} with ${known.join(', ')}`)
    return false
  }
  for (const key of Object.keys(place.value)) {
    if (!known.includes(key)) place.at(key).wrong(unknown('there is no such key', key, known))
  }
  return true
}

/** The entries of an object whose keys are names that the author chose; notes names that cannot be used. */
export function namedPlaces(place: Place, what: string): readonly (readonly [string, Place])[] {
  if (!isMessage(place.value)) {
    place.expected(`an object with ${what} by name`)
    return []
  }
  const names = Object.keys(place.value)
  for (const name of names) if (!isName(name)) place.at(name).wrong(nameRule)
  return names.filter(isName).map((name) => [name, place.at(name)])
}

/** Says that something is unknown: what is nearest, or what there is. */
export function unknown(what: string, word: string, known: readonly string[]): string {
  const [near] = nearest(word, known)
  if (near !== undefined) return `${what}: did you mean '${near}'?`
  return known.length === 0 ? what : `${what}: known are ${known.join(', ')}`
}
