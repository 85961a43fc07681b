import { covers, mayMeet, patternMatches } from '../covers.js'
import { LuciliusError } from '../errors.js'
import type { Message } from '../message.js'
import { checkKeys } from '../option-checks.js'
import { type Pattern, toPattern } from '../pattern.js'

/** Patterns, or the string `'*'` for all. */
export type PatternList = '*' | readonly (string | Message)[]

/** Which events pass: `in` those that the other side emits, `out` those that are emitted here. */
export interface EventExposure {
  /** Events that the other side emits, to subscriptions here. */
  readonly in?: PatternList
  /** Events that are emitted here, to subscriptions of the other side. */
  readonly out?: PatternList
}

/** What the other end of a connection may reach here. */
export interface Exposure {
  /** Whether an action of this pattern is let in. */
  action(pattern: Pattern): boolean
  /** Whether an event that the other side emitted may reach subscriptions here. */
  eventIn(message: Message): boolean
  /** Whether the other side may know of a subscription to this pattern. */
  subscription(pattern: Pattern): boolean
  /** Whether an event that was emitted here may leave. */
  eventOut(message: Message): boolean
  /** The exposed patterns that let none of these actions in. */
  without(actions: readonly Pattern[]): readonly Pattern[]
}

/**
 * Reads `expose` and `events`. A pattern lets in the actions that have exactly its keys and whose values it covers;
 * the catch-all `''` is never let in. Throws `LUC_OPTIONS_INVALID` and `LUC_PATTERN_INVALID`.
 */
export function toExposure(where: string, expose: PatternList, events: EventExposure): Exposure {
  const given = checkKeys<EventExposure>(`${where}.events`, events, ['in', 'out'])
  const actions = toPatterns(`${where}.expose`, expose)
  const eventsIn = toPatterns(`${where}.events.in`, given.in ?? [])
  const eventsOut = toPatterns(`${where}.events.out`, given.out ?? [])
  return {
    action: (pattern) => pattern.text !== '' && (actions === '*' || actions.some((one) => letsIn(one, pattern))),
    eventIn: (message) => eventsIn === '*' || eventsIn.some((one) => patternMatches(one, message)),
    subscription: (pattern) => eventsIn === '*' || eventsIn.some((one) => mayMeet(one, pattern)),
    without: (known) =>
      actions === '*' ? [] : actions.filter((one) => !known.some((pattern) => letsIn(one, pattern))),
    eventOut: (message) => eventsOut === '*' || eventsOut.some((one) => patternMatches(one, message)),
  }
}

/** Reads a list of patterns. Throws `LUC_OPTIONS_INVALID` if it is none, or names the catch-all. */
export function toPatterns(where: string, list: unknown): '*' | readonly Pattern[] {
  if (list === '*') return '*'
  if (!Array.isArray(list)) {
    throw new LuciliusError(
      'LUC_OPTIONS_INVALID',
      `${where}: give a list of patterns such as ['role:convert,cmd:*'], or '*' for all.`,
    )
  }
  const patterns = list.map(toPattern)
  if (patterns.some((pattern) => pattern.text === '')) {
    throw new LuciliusError(
      'LUC_OPTIONS_INVALID',
      `${where}: the catch-all '' cannot be listed. Name the patterns, or write '*' instead of the list.`,
    )
  }
  return patterns
}

function letsIn(exposed: Pattern, pattern: Pattern): boolean {
  return exposed.keys.length === pattern.keys.length && covers(exposed, pattern)
}
