import { covers } from '../covers.js'
import { type Pattern, toPattern } from '../pattern.js'
import type { Deployment, Group, Service } from './system.js'
import { areLinked } from './topology.js'

/** A pattern that a service answers or observes: what an inventory and `list` give. */
export interface Answer {
  /** The pattern as text. */
  readonly pattern: string
  /** The service whose action or subscription it is. */
  readonly service: string
}

/**
 * The groups of a deployment in the order in which they drain, those in one list together: who asks drains before who is
 * asked, so that what runs can still ask.
 *
 * Who asks whom follows from the `uses` of services and from what the others answer. Groups that nobody asks, as far as
 * that is known, drain first. Of groups that ask each other in a circle the one goes first that fewest others ask, then
 * the one whose name sorts first.
 */
export function drainOrder(
  deployment: Deployment,
  services: ReadonlyMap<string, Service>,
  answers: Iterable<Answer>,
): string[][] {
  const asked = askedBy([...deployment.groups.values()], services, patternsByService(answers))
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

function askedBy(
  groups: readonly Group[],
  services: ReadonlyMap<string, Service>,
  answers: ReadonlyMap<string, readonly Pattern[]>,
): Asked {
  const asks = (from: Group, to: Group) =>
    from.services.some((name) =>
      services
        .get(name)
        ?.uses?.some((use) => to.services.some((other) => answersFor(other, use) && !from.services.includes(other))),
    )
  const answersFor = (name: string, use: Pattern) =>
    answers.get(name)?.some((pattern) => covers(pattern, use) || covers(use, pattern)) ?? false
  return new Map(
    groups.map((from) => {
      const targets = groups.filter((to) => to !== from && areLinked(from, to) && asks(from, to))
      return [from.name, new Set(targets.map(({ name }) => name))]
    }),
  )
}

function patternsByService(answers: Iterable<Answer>): Map<string, Pattern[]> {
  const found = new Map<string, Pattern[]>()
  for (const { pattern, service } of answers) {
    const patterns = found.get(service) ?? []
    patterns.push(toPattern(pattern))
    found.set(service, patterns)
  }
  return found
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
