import { foreignName } from '../foreign-exchanges.js'
import { storeKind } from '../store-of.js'
import { errorOf, type Finding, warningOf } from './finding.js'
import type { DeclaredEvent, Layout, Owned } from './layout.js'
import { meets } from './meets.js'
import { quoted, who } from './words.js'

/** What has to be kept: events that are declared durable or retained, and durable subscriptions, of what runs. */
export interface Kept {
  readonly events: readonly DeclaredEvent[]
  readonly subscriptions: readonly (Owned & { readonly durable: string })[]
}

/** Finds what a deployment would have to keep. */
export function keptOf(layout: Layout): Kept {
  const runs = ({ owner }: { readonly owner: string }) => layout.groupsOf(owner).length > 0
  return {
    events: layout.events.filter((event) => runs(event) && (event.durable || event.retain)),
    subscriptions: layout.subscriptions.filter(isDurable).filter(runs),
  }
}

function isDurable(one: Owned): one is Owned & { readonly durable: string } {
  return one.durable !== undefined
}

/** Checks that durable events have a store that all processes share, and durable subscriptions somebody who fills it. */
export function checkStores(layout: Layout, processes: number): Finding[] {
  const { deployment } = layout
  const kept = keptOf(layout)
  const where = `deployments.${deployment.name}.store`
  const { kind } = storeKind(deployment, processes)
  if (kind === 'embedded' && processes > 1) {
    const facts = `The store of ${quoted(deployment.name)} is the files of one process, and ${processes} processes would open it.`
    return [errorOf('STORE_SHARED', where, `${facts} Set 'store' to 'nats' or 'amqp'.`), ...unfed(kept, layout)]
  }
  return [...(kind === 'none' ? missing(kept, where) : []), ...unfed(kept, layout)]
}

function missing({ events, subscriptions }: Kept, where: string): Finding[] {
  const all = [
    ...events.map(({ pattern, owner }) => `the event ${who({ pattern, owner })}`),
    ...subscriptions.map(named),
  ]
  const [first, ...more] = all
  if (first === undefined) return []
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`
  const cure = "Set 'store' to 'nats' or 'amqp', or run all of it in one process."
  return [errorOf('STORE_MISSING', where, `Nothing keeps ${first}${others}. ${cure}`)]
}

/** Only what is declared durable is ever stored. */
function unfed({ events, subscriptions }: Kept, layout: Layout): Finding[] {
  return subscriptions
    .filter(({ pattern }) => !events.some((event) => event.durable && meets(event.pattern, pattern)))
    .map((one) =>
      warningOf(
        'NEVER_STORED',
        placeOf(one.owner, layout),
        `Nobody who runs declares an event as durable that ${named(one)} would get: app.event('${one.pattern.text}', { durable: true }), where it is emitted.`,
      ),
    )
}

/** The key of the description that an owner stands at. */
function placeOf(owner: string, { system, deployment, groups }: Layout): string {
  const group = groups.find((one) => foreignName(one) === owner)
  if (group !== undefined) return `deployments.${deployment.name}.groups.${group.name}.amqp.publish`
  return `${system.plugins.has(owner) ? 'plugins' : 'services'}.${owner}`
}

function named(one: Owned & { readonly durable: string }): string {
  return `the durable subscription ${quoted(one.durable)} to ${quoted(one.pattern.text)}`
}
