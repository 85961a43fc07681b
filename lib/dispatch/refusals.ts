import { LuciliusError } from '../errors.js'
import type { Action } from './action.js'
import { type Call, describe } from './call.js'

/** The error for a chain of acts that is longer than allowed. */
export function tooManyHops(what: string, maxHops: number): LuciliusError {
  return new LuciliusError(
    'LUC_TOO_MANY_HOPS',
    `${what} was not started: ${maxHops} acts had led to it already, most likely in a loop. Raise maxHops if the chain is meant.`,
  )
}

/** The error for a call whose time was up when it came to be started. */
export function tooLate(action: Action): LuciliusError {
  return new LuciliusError('LUC_DEADLINE_EXCEEDED', `${describe(action)} was not started: its deadline had passed.`, {
    handled: 'no',
  })
}

const warned = new WeakSet<Action>()

/** The error for an act from outside on an action whose handler goes on for too many who gave up; logged once for each. */
export function tooManyAbandoned(action: Action): LuciliusError {
  const { pattern, service, abandoned, log } = action
  if (!warned.has(action)) {
    warned.add(action)
    log.warn(
      { pattern: pattern.text, service, abandoned },
      'runs that were given up go on, so acts from outside are refused: end a handler when context.signal aborts',
    )
  }
  return new LuciliusError('LUC_OVERLOADED', 'Too many runs of this that were given up still go on.')
}

/** The error for a call that was cancelled before it came to be started. */
export function cancelledBefore(action: Action): LuciliusError {
  return new LuciliusError('LUC_CANCELLED', `The caller had cancelled before ${describe(action)} was started.`, {
    handled: 'no',
  })
}

/** The error for an act within a call that was given up: nothing is started for a caller who has gone. */
function givenUp(end: LuciliusError, action: Action): LuciliusError {
  const why = end.code === 'LUC_CANCELLED' ? 'the call it belongs to was cancelled' : 'its deadline had passed'
  return new LuciliusError(end.code, `${describe(action)} was not started: ${why}.`, { handled: 'no' })
}

/** The error for an act of a handler that has outlived its call and its app. */
export function appClosed(action: Action): LuciliusError {
  return new LuciliusError('LUC_SERVICE_CLOSED', `${describe(action)} was not started: the app is closed.`)
}

/** Milliseconds for an act that a handler makes after it has settled: what its own call had left, if anything. */
export function whatIsLeft(parent: Call, action: Action, timeoutMs: number): number {
  if (parent.end !== undefined) throw givenUp(parent.end, action)
  const left = parent.remainingMs
  if (left <= 0) throw tooLate(action)
  return Math.min(timeoutMs, left)
}
