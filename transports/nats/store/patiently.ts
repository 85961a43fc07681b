import type { Handled } from '../../../lib/transport-kit.js'
import type { Link } from './link.js'
import { pause } from './on-abort.js'
import { toTrouble } from './trouble.js'
import { mayHaveArrived, mayPass } from './unanswered.js'

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
  let handled: Handled = 'no'
  let last: unknown
  for (;;) {
    try {
      await link.whenUp(end)
    } catch (error) {
      throw toTrouble(doing, last ?? error, handled)
    }
    try {
      return await work()
    } catch (error) {
      if (mayHaveArrived(error)) handled = 'unknown'
      if (!mayPass(error)) throw toTrouble(doing, error, handled)
      last = error
      await pause(pauseMs, end)
    }
  }
}
