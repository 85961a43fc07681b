import { HOOK_TIMEOUT_MS } from '../hook.js'
import { DRAIN_MS } from '../options.js'
import type { Environment } from './environment.js'
import type { System } from './system.js'

/** Milliseconds for all that is neither drain nor a hook that hangs. */
const REST_MS = 2_000

/** Node sets a longer timer to nothing. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Milliseconds that a process which is told to end gives its start to come to an end: nobody relies on it yet. */
export const START_END_MS = 1_000

/** Milliseconds that running work is given at the end of a process. */
export function drainMsOf({ limits }: Pick<System, 'limits'>, environment: Pick<Environment, 'drainMs'>): number {
  return environment.drainMs ?? limits.drainMs ?? DRAIN_MS
}

/**
 * Milliseconds after which a process that is told to end is killed: those of its drain and of one onClose hook that hangs
 * until it is given up, so that the process can still name it.
 */
export function endMsOf(drainMs: number): number {
  return Math.min(drainMs + HOOK_TIMEOUT_MS + REST_MS, LONGEST_TIMER_MS)
}
