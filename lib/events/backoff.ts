/** The waits between the attempts of a subscription, in ms. */
export interface Backoff {
  /** The longest wait after the first failure; doubled with each one after it. */
  readonly firstMs: number
  /** The longest of all. */
  readonly maxMs: number
}

/** How long to wait after an attempt that failed, counted from 1: half of what it may be at most, and a random part of the rest. */
export function backoffMs(attempt: number, { firstMs, maxMs }: Backoff, random: () => number = Math.random): number {
  const most = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 50))
  return Math.ceil(most / 2 + (random() * most) / 2)
}
