import type { Pattern } from '../../pattern.js'
import type { Deployment, Group, System } from '../system.js'
import { areLinked } from '../topology.js'
import type { Offers } from './offers.js'

/** An action or a subscription, and whose it is. */
export interface Owned {
  readonly pattern: Pattern
  /** The service of the description that registers it, or the plugin. */
  readonly owner: string
}

/** Who registers what in which group of a deployment. */
export interface Layout {
  readonly system: System
  readonly deployment: Deployment
  readonly offers: Offers
  readonly groups: readonly Group[]
  readonly actions: readonly Owned[]
  readonly subscriptions: readonly Owned[]
  /** The groups in whose processes a service or plugin is loaded. A plugin is in all. */
  groupsOf(owner: string): readonly Group[]
  /** The actions that run in a group's processes, in the order in which they are added. */
  actionsIn(group: Group): readonly Owned[]
}

/** Lays the services of a system out over the groups of a deployment. */
export function layoutOf(system: System, deployment: Deployment, offers: Offers): Layout {
  const groups = [...deployment.groups.values()]
  const plugins = [...offers.plugins]
  const all = [...plugins, ...offers.services]
  const actions = all.flatMap(([owner, offer]) => offer.actions.map((pattern) => ({ pattern, owner })))
  const homes = new Map(
    all.map(([owner]) => [
      owner,
      groups.filter(({ services }) => offers.plugins.has(owner) || services.includes(owner)),
    ]),
  )
  return {
    system,
    deployment,
    offers,
    groups,
    actions,
    subscriptions: all.flatMap(([owner, offer]) => offer.subscriptions.map((pattern) => ({ pattern, owner }))),
    groupsOf: (owner) => homes.get(owner) ?? [],
    actionsIn: (group) => {
      const loaded = [...offers.plugins.keys(), ...group.services]
      return actions
        .filter(({ owner }) => loaded.includes(owner))
        .sort((a, b) => loaded.indexOf(a.owner) - loaded.indexOf(b.owner))
    },
  }
}

/** The groups where something of an owner takes what a group sends: the own one alone, if it is there. */
export function reachedFrom(from: Group, { owner }: Owned, layout: Layout): readonly Group[] {
  const homes = layout.groupsOf(owner)
  return homes.includes(from) ? [from] : homes.filter((group) => areLinked(from, group))
}
