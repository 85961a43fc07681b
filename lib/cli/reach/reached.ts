import type { ActionInfo, Explanation } from '../../explain.js'
import type { Message } from '../../message.js'
import type { Tracing } from '../../system/control/control-client.js'
import type { PassedBatch } from '../../system/passing.js'

/** How an act is watched. */
export interface ActWatch {
  /** Gives the act up when it aborts. */
  readonly signal?: AbortSignal
  /** Hears, before the act settles, which process answered it, if any did, and within how many ms. */
  readonly answered?: (by: string | undefined, ms: number) => void
}

/** Something that answers what `act`, `list` and `explain` ask. */
export interface Reached {
  /** Sends a message. Rejects with what the action answered, or what kept it from it. */
  act(message: Message, timeoutMs: number | undefined, watch?: ActWatch): Promise<unknown>
  /** The actions that a pattern covers, or all. */
  list(pattern: string | undefined): Promise<readonly ActionInfo[]>
  /** What would happen to a message. */
  explain(message: Message): Promise<Explanation>
  /** Lets go of it, and ends what was started for it. */
  close(): Promise<void>
}

/** What runs, and is asked more than once. */
export interface ReachedSystem extends Reached {
  /** What it is, in a few words. */
  readonly what: string
  /** Whether it is still there, as far as is known. */
  isThere(): boolean
  /** Tells what passes, from when it resolves until `signal` aborts; absent where nobody tells. */
  trace?(hear: (batch: PassedBatch) => void, signal: AbortSignal): Promise<Tracing>
}

/** What is wanted of it: only `act` sends anything. */
export type Wish = 'act' | 'list' | 'explain'
