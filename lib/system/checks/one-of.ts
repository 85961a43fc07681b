import type { Place } from './place.js'
import { choice } from './shown-value.js'

/** The word at a place: one of the known ones, the preset if it is missing. Without a preset it has to be there. */
export function oneOf<W extends string>(place: Place, known: readonly [W, ...W[]], preset?: W): W {
  const [first] = known
  if (place.value === undefined && preset !== undefined) return preset
  const found = known.find((word) => word === place.value)
  if (found === undefined) place.expected(choice(known))
  return found ?? preset ?? first
}
