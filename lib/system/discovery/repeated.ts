import { setTimeout as pause } from 'node:timers/promises'

/** Something that is done again and again. */
export interface Repeated {
  /** Resolves when it was done once. Rejects if it failed, which ends it: later failures are its own to deal with. */
  readonly first: Promise<void>
  /** Resolves when it is done no more. */
  readonly ended: Promise<void>
}

/** Does a step until the signal aborts, each time after the milliseconds that the one before it gave. */
export function repeated(step: () => Promise<number>, signal: AbortSignal): Repeated {
  const begun = step()
  const goOn = async () => {
    let ms = await begun
    while (!signal.aborted) {
      await pause(ms, undefined, { signal, ref: false }).catch(() => {}) // it aborts: see the next line
      if (!signal.aborted) ms = await step()
    }
  }
  const first = begun.then(() => {})
  return { first, ended: goOn().catch(() => {}) }
}

/** Waits for all of a provider's first steps, but not longer than two seconds: what is slow goes on alone. */
export async function begun(all: readonly Repeated[]): Promise<void> {
  const late = new AbortController()
  const { signal } = late
  try {
    await Promise.race([
      Promise.all(all.map(({ first }) => first)),
      pause(FIRST_MS, undefined, { signal }).catch(() => {}), // the steps were faster
    ])
  } finally {
    late.abort()
  }
}

const FIRST_MS = 2000
