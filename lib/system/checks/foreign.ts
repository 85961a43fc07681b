import type { ForeignExchange, ForeignQueue } from '../description.js'
import type { Foreign } from '../system.js'
import { hasKeys } from './keys.js'
import { wholeNumber } from './number.js'
import { patternAt } from './patterns.js'
import type { Place } from './place.js'

/** What a group takes from and gives to programs of others; undefined if it does not say. */
export function foreignAt(place: Place): Foreign | undefined {
  if (place.value === undefined || !hasKeys(place, ['consume', 'publish'])) return undefined
  return Object.freeze({
    consume: listAt(place.at('consume'), ['queue', 'as', 'durable', 'exchange', 'key', 'prefetch'], queueAt),
    publish: listAt(place.at('publish'), ['match', 'exchange', 'key', 'durable'], exchangeAt),
  })
}

function listAt<T>(place: Place, known: readonly string[], read: (place: Place) => T): readonly T[] {
  if (place.value !== undefined && !Array.isArray(place.value)) place.expected('a list of objects')
  return Object.freeze(place.elements().flatMap((one) => (hasKeys(one, known) ? [read(one)] : [])))
}

function queueAt(place: Place): Foreign['consume'][number] {
  checkText(place.at('queue'))
  checkOptionalText(place.at('exchange'))
  for (const one of place.at('key').elements()) checkText(one)
  if (!Array.isArray(place.at('key').value)) checkOptionalText(place.at('key'))
  const durable = place.at('durable')
  if (durable.value !== undefined && typeof durable.value !== 'boolean') durable.expected('true or false')
  if (place.at('prefetch').value !== undefined) wholeNumber(place.at('prefetch'), 1, 1, 65_535)
  const as = patternAt(place.at('as'))
  if (as !== undefined && (as.globs > 0 || as.text === '')) place.at('as').wrong('one event, without globs')
  return Object.freeze({ ...(place.value as ForeignQueue), as: as?.text ?? '' })
}

function exchangeAt(place: Place): Foreign['publish'][number] {
  if (typeof place.at('exchange').value !== 'string') place.at('exchange').expected("the name of an exchange, or ''")
  checkText(place.at('key'))
  checkOptionalText(place.at('durable'))
  return Object.freeze({ ...(place.value as ForeignExchange), match: patternAt(place.at('match'))?.text ?? '' })
}

function checkText(place: Place): void {
  if (typeof place.value !== 'string' || place.value === '') place.expected('a text')
}

function checkOptionalText(place: Place): void {
  if (place.value !== undefined) checkText(place)
}
