/**
 * For how long messages stay in the queues of retries, in ms. A queue has one time for all its messages, because only the
 * message at its head can expire; so what is to come again waits for the next longer of these, at most 2.5 times as long
 * as it was told to and never shorter. What has to wait longer than the last goes through it more than once.
 */
const TIERS = [200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 300_000, 1_800_000] as const

/** The queue to wait in, and how many ms are to be waited after that. */
export function delayOf(ms: number): { readonly tier: number; readonly restMs: number } {
  const longest = TIERS[TIERS.length - 1] as number // there are some
  const tier = TIERS.find((one) => one >= ms) ?? longest
  return { tier, restMs: Math.max(0, ms - tier) }
}
