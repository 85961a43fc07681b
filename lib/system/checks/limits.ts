import type { Limits } from '../description.js'
import { hasKeys } from './keys.js'
import { checkDuration, checkShare, wholeNumber } from './number.js'
import type { Place } from './place.js'

type Check = (place: Place) => void

const atLeast = (least: number) => (place: Place) => void wholeNumber(place, least, least)

const park = {
  max: atLeast(0),
  maxBytes: atLeast(0),
  unknown: checkYesOrNo,
} satisfies Record<keyof NonNullable<Limits['park']>, Check>

const retry = {
  attempts: atLeast(1),
  ratio: checkShare,
  perSecond: checkShare,
} satisfies Record<keyof NonNullable<Limits['retry']>, Check>

const limits = {
  timeoutMs: checkDuration,
  maxTimeoutMs: checkDuration,
  maxHops: atLeast(1),
  maxAbandoned: atLeast(1),
  maxClientEvents: atLeast(1),
  park: (place: Place) => checkAll(place, park),
  retry: (place: Place) => checkAll(place, retry),
  drainMs: checkDuration,
  forgetMs: checkDuration,
} satisfies Record<keyof Limits, Check>

/** The limits of a description: options of an app, checked by the same rules. */
export function limitsAt(place: Place): Limits {
  checkAll(place, limits)
  return Object.freeze({ ...(place.value as Limits | undefined) })
}

function checkAll(place: Place, checks: Readonly<Record<string, Check>>): void {
  if (place.value === undefined || !hasKeys(place, Object.keys(checks))) return
  for (const [key, check] of Object.entries(checks)) check(place.at(key))
}

function checkYesOrNo(place: Place): void {
  if (place.value !== undefined && typeof place.value !== 'boolean') place.expected('true or false')
}
