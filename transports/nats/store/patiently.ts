import type { Link } from './link.js'
import { pause } from './on-abort.js'
import { toTrouble } from './trouble.js'
import { Refused, Unanswered } from './unanswered.js'

const limitMs = 30_000
const pauseMs = 100

/**
 * Does what asks the broker, again and again while it cannot answer, for at most 30 s. What is done may be done twice.
 * Rejects with `LUC_STORE_FAILED`; `doing` begins its sentence.
 */
export async function patiently<T>(
  link: Link,
  doing: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const ends = [AbortSignal.timeout(limitMs), ...(signal === undefined ? [] : [signal])]
  const end = AbortSignal.any(ends)
  let last: unknown
  for (;;) {
    try {
      await link.whenUp(end)
      return await work()
    } catch (error) {
      const isOver = error instanceof Unanswered && error.why === 'given-up'
      if (isOver || !mayPass(error)) throw toTrouble(doing, isOver ? (last ?? error) : error, 'unknown')
      last = error
      await pause(pauseMs, end)
    }
  }
}

/** Whether it may be otherwise a moment later. A server without JetStream is not: it says so at once. */
function mayPass(error: unknown): boolean {
  if (error instanceof Unanswered) return error.why === 'lost' || error.why === 'silent'
  return error instanceof Refused && error.status >= 500
}
