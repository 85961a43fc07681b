import { covers } from './covers.js'
import type { Action } from './dispatch/action.js'
import type { Actions } from './dispatch/actions.js'
import type { Wraps } from './dispatch/wraps.js'
import type { Message } from './message.js'
import { nearest } from './nearest.js'
import type { Pattern } from './pattern.js'
import type { Exposure } from './peers/exposure.js'
import { describeHidden, hiddenBy } from './peers/hidden.js'
import { scalarText } from './scalars.js'
import { compareSpecificity, lostBecause } from './specificity.js'

/** An action as plain data. */
export interface ActionInfo {
  /** The canonical text of its pattern. */
  readonly pattern: string
  /** The plugin that added it, or the app's name if it was added directly. */
  readonly service: string
  /** The name of the peer where it runs; undefined when it runs here. */
  readonly remote: string | undefined
}

/** An action that matches a message. */
export interface Candidate extends ActionInfo {
  /** Why it is not the one that runs; undefined for the one that is. */
  readonly reason: string | undefined
}

/** A wrap as plain data. */
export interface WrapInfo {
  /** The canonical text of its pattern. */
  readonly pattern: string
  /** The plugin that put it there. */
  readonly service: string
  /** Where it runs. */
  readonly at: 'handler' | 'caller'
}

/** Everything about the way of one message. */
export interface Explanation {
  /** What was asked about. */
  readonly message: Message
  /** What runs, if anything. */
  readonly winner: ActionInfo | undefined
  /** All that match, the winner first, then in the order in which they would be chosen. */
  readonly candidates: readonly Candidate[]
  /** What `context.prior` leads to, step by step. A peer may know how it goes on after a remote one. */
  readonly priors: readonly ActionInfo[]
  /** The wraps around the winner, outermost first: those of the caller's side, then those where it runs. */
  readonly wraps: readonly WrapInfo[]
  /** What keeps the message from the winner when it comes from outside, through a listener of this app. */
  readonly warnings: readonly string[]
  /** Patterns that look like the message, when nothing answers it. */
  readonly nearest: readonly string[]
}

/** How many patterns are looked at for likeness: a flood of unknown messages must stay cheap. */
const LOOKED_AT = 1000

/** How many patterns a hint names. */
const HINTS = 3

/** Tells what happens to a message and why, without sending it. */
export function explain(
  message: Message,
  actions: Actions,
  wraps: Wraps,
  listeners: readonly { readonly url: string; readonly exposure: Exposure }[],
): Explanation {
  const matching = actions.matching(message)
  const [winner] = matching
  return {
    message,
    winner: winner && infoOf(winner),
    candidates: matching.map((action) => ({ ...infoOf(action), reason: reasonOf(action, matching[0]) })),
    priors: winner === undefined ? [] : priorsOf(winner, actions),
    wraps: winner === undefined ? [] : wrapsOf(winner, wraps),
    warnings: listeners.flatMap(({ url, exposure }) => {
      const hidden = hiddenBy(message, actions, exposure)
      return hidden === undefined ? [] : [`${url}: ${describeHidden(hidden)}`]
    }),
    nearest: winner === undefined ? nearestPatterns(message, actions) : [],
  }
}

/** The actions that a pattern covers (all, without one), the most specific first. */
export function list(pattern: Pattern | undefined, actions: Actions): ActionInfo[] {
  const found = [...actions.all()].filter((action) => pattern === undefined || covers(pattern, action.pattern))
  // A stable sort keeps the order of choice among actions of one pattern.
  return found.sort((a, b) => compareSpecificity(a.pattern, b.pattern)).map(infoOf)
}

/** An action as plain data. */
export function infoOf({ pattern, service, remote }: Action): ActionInfo {
  return { pattern: pattern.text, service, remote }
}

/** The patterns that a message nearly matches, for hints to people in this process. */
export function nearestPatterns(message: Message, actions: Actions): string[] {
  const near: { readonly text: string; readonly missing: number }[] = []
  let looked = 0
  for (const [pattern] of actions.router.entries()) {
    if (++looked > LOOKED_AT) break
    const missing = pattern.keys.filter((key, i) => scalarText(message[key]) !== pattern.values[i])
    const looksAlike = missing.length < pattern.keys.length || isTypingError(message, pattern)
    if (pattern.keys.length > 0 && looksAlike) near.push({ text: pattern.text, missing: missing.length })
  }
  near.sort((a, b) => a.missing - b.missing || (a.text < b.text ? -1 : 1))
  return near.slice(0, HINTS).map(({ text }) => text)
}

/** Whether the pairs that the message has for the pattern's keys are the pattern but for a typing error. */
function isTypingError(message: Message, pattern: Pattern): boolean {
  const own = pattern.keys.map((key) => `${key}:${scalarText(message[key]) ?? ''}`).join(',')
  return nearest(own, [pattern.text]).length > 0
}

/** The scalar pairs of a message, as a pattern would be written. */
export function textOf(message: Message): string {
  const pairs = Object.entries(message).filter(([, value]) => value !== null && typeof value !== 'object')
  const text = pairs.map(([key, value]) => `${key}:${String(value)}`).join(',')
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

function reasonOf(action: Action, winner: Action | undefined): string | undefined {
  if (winner === undefined || action === winner) return undefined
  if (action.pattern.text !== winner.pattern.text) return lostBecause(action.pattern, winner.pattern)
  if (action.remote === undefined) return 'an action added later with the same pattern stands in front of it'
  if (winner.remote === undefined) return 'an action of the same pattern runs here'
  return `the service '${winner.service}' has the same pattern, and its name sorts first`
}

function priorsOf(action: Action, actions: Actions): ActionInfo[] {
  const chain: ActionInfo[] = []
  for (let prior = actions.prior(action); prior !== undefined; prior = actions.prior(prior)) {
    chain.push(infoOf(prior))
    if (prior.remote !== undefined) break
  }
  return chain
}

function wrapsOf(action: Action, wraps: Wraps): WrapInfo[] {
  const around = [...wraps.around(action, 'caller'), ...wraps.around(action, 'handler')]
  return around.map(({ pattern, service, at }) => ({ pattern: pattern.text, service, at }))
}
