import type { Pattern } from '../pattern.js'
import { toExposure } from '../peers/exposure.js'
import type { Group, Outside } from './system.js'

/** Tells whether a door lets in an action. */
export type LetsIn = (pattern: Pattern, owner: string) => boolean

/**
 * What a door of a process lets in: the actions that it exposes. Where one process opens the doors of several groups, each
 * leaves out those of services of the other groups, as it does when they run apart.
 */
export function letsIn(door: Outside, group: Group): LetsIn {
  const exposure = toExposure('outside', door.expose, {})
  const others = othersOf(door, group)
  return (pattern, owner) => !others.includes(owner) && exposure.action(pattern)
}

/** The services of a process that are none of the group whose door it is. */
export function othersOf({ services }: Outside, group: Group): readonly string[] {
  return services === undefined ? [] : group.services.filter((name) => !services.includes(name))
}
