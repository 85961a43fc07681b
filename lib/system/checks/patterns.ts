import { LuciliusError } from '../../errors.js'
import { isMessage } from '../../message.js'
import { type Pattern, toPattern } from '../../pattern.js'
import type { EventExposure, PatternList } from '../../peers/exposure.js'
import { hasKeys } from './keys.js'
import type { Place } from './place.js'

const example = "['role:convert,cmd:*']"

/** The patterns of a list; undefined if there is none. */
export function patternsAt(place: Place): readonly Pattern[] | undefined {
  if (place.value === undefined) return undefined
  if (!Array.isArray(place.value)) return place.expected(`a list of patterns such as ${example}`)
  return Object.freeze(place.elements().flatMap((one) => patternAt(one) ?? []))
}

/** What `expose` and `events` take: canonical patterns, or `'*'` for all. */
export function exposureAt(place: Place): PatternList {
  if (place.value === '*') return '*'
  if (!Array.isArray(place.value)) place.expected(`a list of patterns such as ${example}, or '*' for all`)
  const patterns = place.elements().flatMap((one) => listedPattern(one) ?? [])
  return Object.freeze(patterns.map(({ text }) => text))
}

/** The events that a door lets pass; undefined if it does not say. */
export function eventsAt(place: Place): EventExposure | undefined {
  if (place.value === undefined || !hasKeys(place, ['in', 'out'])) return undefined
  const events: { in?: PatternList; out?: PatternList } = {}
  for (const way of ['in', 'out'] as const) {
    if (place.at(way).value !== undefined) events[way] = exposureAt(place.at(way))
  }
  return Object.freeze(events)
}

function listedPattern(place: Place): Pattern | undefined {
  const pattern = patternAt(place)
  if (pattern?.text !== '') return pattern
  return place.wrong("the catch-all '' cannot be listed: name the patterns, or write '*' instead of the list")
}

/** The pattern at a place. */
export function patternAt(place: Place): Pattern | undefined {
  const { value } = place
  if (typeof value !== 'string' && !isMessage(value)) return place.expected('a pattern such as role:convert,cmd:rate')
  try {
    return toPattern(value)
  } catch (error) {
    if (error instanceof LuciliusError) return place.wrong(error.message)
    throw error
  }
}
