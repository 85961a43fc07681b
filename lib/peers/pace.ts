/** Milliseconds after a loss in which tries follow each other fast. */
const FAST_FOR_MS = 5_000
const FAST_MS = 40
const SLOW_MS = 5_000

/**
 * Milliseconds until the next try to reach something that has been missing since a moment of `performance.now()`: at first 0 to 40,
 * after 5 s full jitter of up to 5 s, so that what comes back is neither missed nor overrun.
 */
export function pauseMs(since: number): number {
  return performance.now() - since < FAST_FOR_MS ? Math.random() * FAST_MS : slowPauseMs()
}

/** Milliseconds until the next try to reach what has never been there: full jitter of up to 5 s. */
export function slowPauseMs(): number {
  return Math.random() * SLOW_MS
}
