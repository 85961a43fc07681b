import type { Core } from './core.js'
import { LuciliusError } from './errors.js'
import { Patience } from './patience.js'

/**
 * Waits until the app is ready, within a time limit. Resolves with the milliseconds that are left.
 *
 * Rejects with what kept the app from becoming ready, `LUC_SERVICE_CLOSED`, `LUC_DEADLINE_EXCEEDED` or `LUC_CANCELLED`;
 * nothing was started in any case.
 */
export async function untilReady(core: Core, timeoutMs: number, signal?: AbortSignal): Promise<number> {
  const { life } = core
  if (isOver(core)) throw life.closed()
  const began = performance.now()
  let stop = () => {}
  const given = new Promise<never>((_, reject) => {
    const cancel = () => reject(notStarted('LUC_CANCELLED', 'The caller cancelled before the app was ready.'))
    const patience = new Patience(timeoutMs, () => reject(tooLate(timeoutMs)))
    if (signal?.aborted === true) cancel()
    signal?.addEventListener('abort', cancel, { once: true })
    stop = () => {
      patience.end()
      signal?.removeEventListener('abort', cancel)
    }
  })
  try {
    await Promise.race([life.ready(), given])
  } finally {
    stop()
  }
  // It may have been closed between becoming ready and this turn.
  if (isOver(core)) throw life.closed()
  const left = timeoutMs - (performance.now() - began)
  // The coarse clock may not have noticed yet, and nothing is started after its deadline.
  if (left <= 0) throw tooLate(timeoutMs)
  return left
}

function isOver({ life: { phase } }: Core): boolean {
  return phase === 'draining' || phase === 'closed'
}

function tooLate(timeoutMs: number): LuciliusError {
  return notStarted('LUC_DEADLINE_EXCEEDED', `The app was not ready within ${Math.round(timeoutMs)} ms.`)
}

function notStarted(code: 'LUC_CANCELLED' | 'LUC_DEADLINE_EXCEEDED', message: string): LuciliusError {
  return new LuciliusError(code, message, { handled: 'no' })
}
