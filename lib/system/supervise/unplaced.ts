import type { Deployment, System } from '../system.js'

/** A warning for each service that no group of a deployment has. */
export function unplaced({ services }: System, { name, groups }: Deployment): string[] {
  const placed = new Set([...groups.values()].flatMap((group) => group.services))
  return [...services.keys()]
    .filter((service) => !placed.has(service))
    .map((service) => `'${service}' is in no group of '${name}': nobody runs it`)
}
