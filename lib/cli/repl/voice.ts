import type { ActionInfo, Explanation } from '../../explain.js'
import type { PassedBatch } from '../../system/passing.js'

/** Who answered, and how long it took. */
export interface Answered {
  /** The process; undefined where nobody answered, or nobody says. */
  readonly by: string | undefined
  readonly ms: number
}

/** How what comes of a line is told: to a person, or to a program. */
export interface Voice {
  reply(reply: unknown, answered: Answered | undefined): void
  failure(error: unknown, answered: Answered | undefined): void
  list(actions: readonly ActionInfo[]): void
  explanation(explanation: Explanation): void
  /** What passes in these processes is told from here on; without them, no more. */
  traced(of: readonly string[] | undefined): void
  passed(batch: PassedBatch): void
  /** Something about the prompt itself. */
  say(text: string): void
}
