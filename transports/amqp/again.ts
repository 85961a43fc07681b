/** Milliseconds after a loss in which tries follow each other fast. */
const FAST_FOR_MS = 5_000
const FAST_MS = 100
const SLOW_MS = 5_000

/** How long to wait before another try: at random, so that those who lost the same broker do not come back as one. */
export function againMs(lostAt: number): number {
  return Math.random() * (performance.now() - lostAt < FAST_FOR_MS ? FAST_MS : SLOW_MS)
}
