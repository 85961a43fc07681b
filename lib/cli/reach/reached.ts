import type { ActionInfo, Explanation } from '../../explain.js'
import type { Message } from '../../message.js'

/** Something that answers what `act`, `list` and `explain` ask. */
export interface Reached {
  /** Sends a message. Rejects with what the action answered, or what kept it from it. */
  act(message: Message, timeoutMs: number | undefined): Promise<unknown>
  /** The actions that a pattern covers, or all. */
  list(pattern: string | undefined): Promise<readonly ActionInfo[]>
  /** What would happen to a message. */
  explain(message: Message): Promise<Explanation>
  /** Lets go of it, and ends what was started for it. */
  close(): Promise<void>
}

/** What is wanted of it: only `act` sends anything. */
export type Wish = 'act' | 'list' | 'explain'
