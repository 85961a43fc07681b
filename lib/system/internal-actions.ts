import { covers } from '../covers.js'
import { LuciliusError } from '../errors.js'
import type { Inventory } from '../host.js'
import { toPattern } from '../pattern.js'
import { letsIn } from './lets-in.js'
import type { Group, Outside, Service } from './system.js'

/**
 * Refuses a process whose doors would let somebody from outside act on what a service, or a plugin within it, calls
 * internal. Throws `LUC_OPTIONS_INVALID`.
 */
export function checkInternal(
  group: Group,
  outside: readonly Outside[],
  services: ReadonlyMap<string, Service>,
  { actions }: Pick<Inventory, 'actions'>,
  ownerOf: (plugin: string) => string,
): void {
  for (const door of outside) {
    const lets = letsIn(door, group)
    for (const action of actions) {
      const owner = ownerOf(action.service)
      const internal = services.get(owner)?.internal ?? []
      const pattern = toPattern(action.pattern)
      if (!internal.some((one) => covers(one, pattern)) || !lets(pattern, owner)) continue
      throw new LuciliusError(
        'LUC_OPTIONS_INVALID',
        `The ${door.transport} door of '${group.name}' would let in ${action.pattern}, which '${owner}' calls internal: expose patterns that leave it out.`,
      )
    }
  }
}
