import { LuciliusError } from '../../errors.js'
import { pauseMs } from '../../peers/pace.js'
import type { Trouble } from './trouble.js'

/** What somebody has to mend: trying again soon would only repeat the question. */
const REFUSALS: ReadonlySet<string> = new Set(['LUC_UNAUTHENTICATED', 'LUC_FORBIDDEN'])

/** Milliseconds after which somebody who refused is asked again. */
const REFUSED_MS = 30_000

/**
 * A step that never fails: it is tried again soon, or every 30 s where it is refused. What is wrong is told once, a refusal
 * as an error, and that it works again.
 */
export function stubborn(
  who: string,
  step: () => Promise<number>,
  trouble: Trouble,
  signal: AbortSignal,
): () => Promise<number> {
  let lostAt: number | undefined
  return async () => {
    try {
      const ms = await step()
      trouble.over(who)
      lostAt = undefined
      return ms
    } catch (error) {
      if (signal.aborted) return 0
      const code = error instanceof LuciliusError ? error.code : 'unknown'
      const isRefused = REFUSALS.has(code)
      const again = isRefused ? `Trying again every ${REFUSED_MS / 1000} s` : 'Trying again'
      trouble.met(
        who,
        code,
        `${(error as Error).message} ${again}; what is known stands.`,
        isRefused ? 'error' : 'warn',
      )
      lostAt ??= performance.now()
      return isRefused ? REFUSED_MS : pauseMs(lostAt)
    }
  }
}
