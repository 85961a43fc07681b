import type { Pattern } from '../../pattern.js'
import { compareSpecificity } from '../../specificity.js'
import type { Group } from '../system.js'
import { type Layout, type Owned, reachedFrom } from './layout.js'
import type { Kind, Sent } from './sent.js'

/** Something that takes a message. */
export interface Taker extends Owned {
  /** The groups where it takes it: the sender's own alone, if it runs there. None: it runs elsewhere, or nowhere. */
  readonly groups: readonly Group[]
  /** Keys that the message lacks so far. */
  readonly lacks: readonly string[]
}

/** Who takes a message that a service sends from the processes of one group. */
export interface Route {
  readonly sent: Sent
  readonly from: Group
  readonly kind: Kind
  /** Who takes it: of actions the one that answers (several where a glob leaves it open), of subscriptions all. */
  readonly to: readonly Taker[]
  /** Special cases of an act that the data beside its pattern may select. */
  readonly special: readonly Taker[]
  /** Who would take it if all services were in one process, and is out of reach here. */
  readonly missed: readonly Taker[]
}

/** The ways of a message: one as an act, one as an event, or both where only its pattern is known. None: no home. */
export function routesOf(sent: Sent, from: Group, layout: Layout): Route[] {
  // Nobody announces the catch-all: it answers in its own process only.
  const announced = layout.actions.filter((one) => one.pattern.text !== '' || layout.groupsOf(one.owner).includes(from))
  const all = takers(announced, sent, from, layout)
  const actions = best(all)
  const subscriptions = best(takers(layout.subscriptions, sent, from, layout))
  const special = all.filter((one) => !actions.includes(one))
  return kindsOf(sent, actions[0], subscriptions[0]).flatMap((kind) => {
    if (kind === 'act') return actions.length > 0 ? [actRoute(sent, from, actions, special)] : []
    return subscriptions.length > 0 ? [emitRoute(sent, from, subscriptions)] : []
  })
}

/** All that the message matches, or would match with more keys, the most specific first. */
function takers(all: readonly Owned[], sent: Sent, from: Group, layout: Layout): Taker[] {
  return all
    .filter(({ owner }) => layout.groupsOf(owner).length > 0)
    .flatMap((owned) => {
      const lacks = sent.lacks(owned.pattern)
      return lacks === undefined ? [] : [{ ...owned, lacks, groups: reachedFrom(from, owned, layout) }]
    })
    .sort((a, b) => compareSpecificity(a.pattern, b.pattern) || precedence(a, b, from))
}

/** Those that it matches as it is; only if there are none, the others. */
function best(all: readonly Taker[]): readonly Taker[] {
  const complete = all.filter(({ lacks }) => lacks.length === 0)
  return complete.length > 0 ? complete : all
}

/** Among equal patterns one of the own process answers, the last one added; else the service whose name sorts first. */
function precedence(a: Taker, b: Taker, from: Group): number {
  const [here, there] = [a, b].map(({ groups }) => groups.includes(from))
  if (here !== there) return here ? -1 : 1
  if (here) return from.services.indexOf(b.owner) - from.services.indexOf(a.owner)
  return a.owner < b.owner ? -1 : 1
}

/** Where only the pattern is known, the more specific of an action and a subscription tells what it is meant for. */
function kindsOf({ kind }: Sent, action: Taker | undefined, subscription: Taker | undefined): readonly Kind[] {
  if (kind !== undefined) return [kind]
  if (action === undefined || subscription === undefined) return action === undefined ? ['emit'] : ['act']
  const [complete, heard] = [action, subscription].map(({ lacks }) => lacks.length === 0)
  if (complete !== heard) return complete ? ['act'] : ['emit']
  const order = closeness(action.pattern, subscription.pattern)
  return order === 0 ? ['act', 'emit'] : order < 0 ? ['act'] : ['emit']
}

function closeness(a: Pattern, b: Pattern): number {
  return b.keys.length - a.keys.length || a.globs - b.globs
}

function actRoute(sent: Sent, from: Group, actions: readonly Taker[], special: readonly Taker[]): Route {
  const reached = actions.filter(({ groups }) => groups.length > 0)
  // With an open value or missing keys any of them may answer; else the most specific one does.
  const open = !sent.exact || actions.some(({ lacks }) => lacks.length > 0)
  const [first] = reached
  const before = first === undefined || !open ? actions.slice(0, first === undefined ? 1 : actions.indexOf(first)) : []
  return {
    sent,
    from,
    kind: 'act',
    to: open ? reached : reached.slice(0, 1),
    special,
    // The same pattern of another service is no loss of reach; that it is there twice is told elsewhere.
    missed: before.filter(({ pattern }) => pattern.text !== first?.pattern.text).slice(0, 1),
  }
}

function emitRoute(sent: Sent, from: Group, subscriptions: readonly Taker[]): Route {
  return {
    sent,
    from,
    kind: 'emit',
    to: subscriptions.filter(({ groups }) => groups.length > 0),
    special: [],
    missed: subscriptions.filter(({ groups }) => groups.length === 0),
  }
}
