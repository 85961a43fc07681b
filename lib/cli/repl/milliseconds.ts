/** Milliseconds as they are told to a program: in microseconds at most, which is as much as they mean. */
export function roundedMs(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

/** A duration for people: `0.4 ms`, `12 ms`, `3.2 s`. */
export function milliseconds(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}
