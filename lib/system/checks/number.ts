import { HIGHEST_PORT } from '../topology.js'
import type { Place } from './place.js'

/** The whole number at a place, or the preset if there is none. */
export function wholeNumber(
  place: Place,
  preset: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  const { value } = place
  if (value === undefined) return preset
  if (isBetween(value, least, most) && Number.isInteger(value)) return value
  place.expected(
    most === Number.MAX_SAFE_INTEGER
      ? `a whole number of at least ${least}`
      : `a whole number from ${least} to ${most}`,
  )
  return preset
}

/** The port at a place; 0, the preset, takes a free one. */
export function portAt(place: Place): number {
  return wholeNumber(place, 0, 0, HIGHEST_PORT)
}

/** Checks a number of at least 0, if there is one. */
export function checkShare(place: Place): void {
  if (place.value !== undefined && !isBetween(place.value, 0, Number.MAX_VALUE))
    place.expected('a number of at least 0')
}

/** Checks a duration, if there is one. */
export function checkDuration(place: Place): void {
  if (place.value !== undefined && !isBetween(place.value, Number.MIN_VALUE, Number.MAX_VALUE))
    place.expected('a number of milliseconds above 0')
}

function isBetween(value: unknown, least: number, most: number): value is number {
  return typeof value === 'number' && value >= least && value <= most
}
