import { ActionError, LuciliusError } from '../errors.js'
import type { Context } from '../handler.js'
import type { Action } from './action.js'
import type { Call } from './call.js'
import { callOf } from './context.js'

/** A message that passed: one run of one handler, told when it has ended. */
export interface Passed {
  /** When it ended, ms since the epoch. */
  readonly at: number
  readonly service: string
  /** The canonical text of the pattern of the action or subscription. */
  readonly pattern: string
  /** How long the handler ran. */
  readonly ms: number
  /** The code of what it ended in; absent if that was a reply. */
  readonly error?: string
  /** How many acts and priors led here, this one included. */
  readonly hops: number
  /** The last eight digits of the trace id: what follows from one message has the same. */
  readonly trace: string
}

/** Hears what passes. Must not throw. */
export type HearPassed = (passed: Passed) => void

/** Takes the time of a run from now on. `replied` or `failed` is to be called when it ends. */
export function timed(action: Action, context: Context, hear: HearPassed) {
  const begin = performance.now()
  const call = callOf(context)
  const tell = (error: string | undefined) => {
    hear({
      at: Date.now(),
      service: action.service,
      pattern: action.pattern.text,
      ms: performance.now() - begin,
      ...(error === undefined ? {} : { error }),
      hops: call?.hops ?? 1,
      trace: call?.traceparent.slice(27, 35) ?? '',
    })
  }
  return {
    replied: () => tell(call?.end?.code),
    failed: (thrown: unknown) => tell(call?.end?.code ?? codeOf(thrown, call)),
  }
}

/** The code of the error that the caller gets. */
function codeOf(thrown: unknown, call: Call | undefined): string {
  if (thrown instanceof ActionError) return thrown.code
  return thrown instanceof LuciliusError && thrown === call?.failure ? thrown.code : 'LUC_ACTION_FAILED'
}
