import { covers } from '../covers.js'
import type { ActionInfo } from '../explain.js'
import { type Pattern, toPattern } from '../pattern.js'
import type { Deployment, Group, Service } from './system.js'
import { areLinked } from './topology.js'

/**
 * The groups of a deployment in the order in which they drain, those in one list together: who asks drains before who is
 * asked, so that what runs can still ask.
 *
 * Who asks whom follows from the `uses` of services and from `answers`, what an app that is connected to all of them
 * lists. Groups that nobody asks, as far as that is known, drain first. Of groups that ask each other in a circle the one goes first that fewest others ask, then
 * the one whose name sorts first.
 */
export function drainOrder(
  deployment: Deployment,
  services: ReadonlyMap<string, Service>,
  answers: Iterable<ActionInfo>,
): string[][] {
  const all = [...answers].map(({ pattern, ...where }) => ({ pattern: toPattern(pattern), ...where }))
  const asked = askedBy([...deployment.groups.values()], services, all)
  const order: string[][] = []
  while (asked.size > 0) {
    const next = nextOf(asked)
    order.push(next)
    for (const name of next) asked.delete(name)
    for (const targets of asked.values()) for (const name of next) targets.delete(name)
  }
  return order
}

/** The groups that each group asks, itself left out. */
type Asked = Map<string, Set<string>>

interface Answer extends Pick<ActionInfo, 'service' | 'remote'> {
  readonly pattern: Pattern
}

function askedBy(groups: readonly Group[], services: ReadonlyMap<string, Service>, answers: readonly Answer[]): Asked {
  const asks = (from: Group, to: Group) => {
    const uses = from.services.flatMap((name) => services.get(name)?.uses ?? [])
    return answers
      .filter((answer) => isOf(answer, to) && !isOf(answer, from))
      .some(({ pattern }) => uses.some((use) => covers(pattern, use) || covers(use, pattern)))
  }
  return new Map(
    groups.map((from) => {
      const targets = groups.filter((to) => to !== from && areLinked(from, to) && asks(from, to))
      return [from.name, new Set(targets.map(({ name }) => name))]
    }),
  )
}

/**
 * Whether a group answers so. The peer that announced an action has the name of its group, and may be one of several; the
 * service says more, unless it is a plugin within one.
 */
function isOf({ service, remote }: Answer, { name, services }: Group): boolean {
  return remote === name || services.includes(service)
}

/** All that nobody asks; where all are asked, one of a circle that nobody outside of it asks. */
function nextOf(asked: Asked): string[] {
  const names = [...asked.keys()]
  const askers = (name: string) => names.filter((other) => asked.get(other)?.has(name))
  const free = names.filter((name) => askers(name).length === 0)
  if (free.length > 0) return free
  const first = names.filter((name) => {
    const below = reachable(asked, name)
    return names.every((other) => below.has(other) || !reachable(asked, other).has(name))
  })
  const [chosen = ''] = first.sort((a, b) => askers(a).length - askers(b).length || (a < b ? -1 : 1))
  return [chosen]
}

function reachable(asked: Asked, from: string): Set<string> {
  const found = new Set<string>()
  const open = [from]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const next of asked.get(name) ?? []) {
      if (found.has(next)) continue
      found.add(next)
      open.push(next)
    }
  }
  return found
}
