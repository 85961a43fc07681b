import { covers } from '../covers.js'
import { LuciliusError } from '../errors.js'
import type { Inventory } from '../host.js'
import { toPattern } from '../pattern.js'
import { toExposure } from '../peers/exposure.js'
import type { Outside, Service } from './system.js'

/**
 * Refuses a process whose doors would let somebody from outside act on what a service, or a plugin within it, calls
 * internal. Throws `LUC_OPTIONS_INVALID`.
 */
export function checkInternal(
  group: string,
  outside: readonly Outside[],
  services: ReadonlyMap<string, Service>,
  { actions }: Pick<Inventory, 'actions'>,
  ownerOf: (plugin: string) => string,
): void {
  for (const { transport, expose, services: own } of outside) {
    const exposure = toExposure(`outside.${transport}`, expose, {})
    for (const action of actions) {
      const owner = ownerOf(action.service)
      if (own !== undefined && !own.includes(owner)) continue
      const internal = services.get(owner)?.internal ?? []
      const pattern = toPattern(action.pattern)
      if (!internal.some((one) => covers(one, pattern)) || !exposure.action(pattern)) continue
      throw new LuciliusError(
        'LUC_OPTIONS_INVALID',
        `The ${transport} door of '${group}' would let in ${action.pattern}, which '${owner}' calls internal: expose patterns that leave it out.`,
      )
    }
  }
}
