import { setTimeout as wait } from 'node:timers/promises'

/** Waits until a question that takes time is answered with yes, for so many milliseconds at most. */
export async function within(limitMs: number, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + limitMs
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`Did not come true within ${limitMs} ms: ${holds}`)
    await wait(20)
  }
}
