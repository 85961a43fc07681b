import { type Finding, warningOf } from './finding.js'
import type { Route } from './routes.js'
import { quoted } from './words.js'

/** Finds groups that act on each other in a circle. Events make none: nobody waits for them. */
export function checkCycles(routes: readonly Route[], deployment: string): Finding[] {
  const asks = new Map<string, Map<string, Route>>()
  for (const route of routes) for (const to of asked(route)) add(asks, route, to)
  const found: Finding[] = []
  const seen = new Set<string>()
  for (const start of asks.keys()) {
    if (seen.has(start)) continue
    const circle = shortestCircle(asks, start)
    if (circle === undefined) continue
    for (const { from } of circle) seen.add(from.name)
    found.push(cycle(circle, start, deployment))
  }
  return found
}

/** The other groups whose replies the sender waits for. */
function asked({ kind, from, to }: Route): string[] {
  return kind === 'act'
    ? to.flatMap(({ groups }) => groups.map(({ name }) => name)).filter((name) => name !== from.name)
    : []
}

function add(asks: Map<string, Map<string, Route>>, route: Route, to: string): void {
  const known = asks.get(route.from.name) ?? new Map<string, Route>()
  if (!known.has(to)) known.set(to, route)
  asks.set(route.from.name, known)
}

/** The acts that lead from a group back to itself, by as few others as can be. */
function shortestCircle(asks: ReadonlyMap<string, ReadonlyMap<string, Route>>, start: string): Route[] | undefined {
  const ways = new Map<string, Route[]>([[start, []]])
  // A map gives what is added while it is walked along: first all that is one act away, then two.
  for (const [name, way] of ways) {
    for (const [next, route] of asks.get(name) ?? []) {
      if (next === start) return [...way, route]
      if (!ways.has(next)) ways.set(next, [...way, route])
    }
  }
  return undefined
}

function cycle(circle: readonly Route[], start: string, deployment: string): Finding {
  const steps = circle.map(({ from, sent }, at) => {
    const to = circle[at + 1]?.from.name ?? start
    return `${quoted(from.name)} acts on ${quoted(to)} (${quoted(sent.text)} of ${quoted(sent.service)})`
  })
  const facts = `The groups act on each other in a circle: ${steps.join(', ')}. They cannot be drained one after the other.`
  return warningOf('CYCLE', `deployments.${deployment}.groups`, facts)
}
