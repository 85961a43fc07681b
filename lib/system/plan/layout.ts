import { type Pattern, toPattern } from '../../pattern.js'
import { foreignName } from '../foreign-exchanges.js'
import type { Deployment, Group, System } from '../system.js'
import { areLinked } from '../topology.js'
import type { OfferedEvent, Offers } from './offers.js'

/** An action or a subscription, and whose it is. */
export interface Owned {
  readonly pattern: Pattern
  /** The service of the description that registers it, or the plugin. */
  readonly owner: string
  /** The name of a durable subscription in the store. */
  readonly durable?: string | undefined
}

/** An event that is declared, and whose it is. */
export interface DeclaredEvent extends OfferedEvent {
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
  /** The events that are declared. */
  readonly events: readonly DeclaredEvent[]
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
  for (const group of groups) homes.set(foreignName(group), [group])
  return {
    system,
    deployment,
    offers,
    groups,
    actions,
    subscriptions: [
      ...all.flatMap(([owner, offer]) => offer.subscriptions.map((one) => ({ ...one, owner }))),
      ...groups.flatMap(published),
    ],
    events: [
      ...all.flatMap(([owner, offer]) => offer.events.map((one) => ({ ...one, owner }))),
      ...groups.flatMap(consumed),
    ],
    groupsOf: (owner) => homes.get(owner) ?? [],
    actionsIn: (group) => {
      const loaded = [...offers.plugins.keys(), ...group.services]
      return actions
        .filter(({ owner }) => loaded.includes(owner))
        .sort((a, b) => loaded.indexOf(a.owner) - loaded.indexOf(b.owner))
    },
  }
}

/** What a group takes from programs of others it declares, as a service would. */
function consumed(group: Group): DeclaredEvent[] {
  return (group.amqp?.consume ?? []).map(({ as, durable = false }) => ({
    pattern: toPattern(as),
    owner: foreignName(group),
    durable,
    retain: false,
  }))
}

/** What a group gives to programs of others it observes, as a service would. */
function published(group: Group): Owned[] {
  const owner = foreignName(group)
  return (group.amqp?.publish ?? []).map(({ match, durable }) => ({
    pattern: toPattern(match),
    owner,
    durable: durable === undefined ? undefined : `${owner}.${durable}`,
  }))
}

/**
 * The groups where something of an owner takes what a group sends: the own one alone, if it is there. Durable subscriptions
 * get it from the store, wherever they are.
 */
export function reachedFrom(from: Group, { owner, durable }: Owned, layout: Layout): readonly Group[] {
  const homes = layout.groupsOf(owner)
  if (durable !== undefined) return homes
  return homes.includes(from) ? [from] : homes.filter((group) => areLinked(from, group))
}
