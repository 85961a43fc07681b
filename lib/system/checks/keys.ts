import { didYouMean } from '../../did-you-mean.js'
import { isMessage } from '../../message.js'
import { isName, nameRule } from './name.js'
import type { Place } from './place.js'

/** Checks that a place holds an object with no other keys than these; notes every other one, with the nearest known. */
export function hasKeys(place: Place, known: readonly string[], what = 'an object'): boolean {
  if (!isMessage(place.value)) {
    place.expected(`${what} with ${known.join(', ')}`)
    return false
  }
  for (const key of Object.keys(place.value)) {
    if (!known.includes(key)) place.at(key).wrong(`there is no such key: ${didYouMean(key, known)}`)
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
