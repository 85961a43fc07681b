/** The value below which the part `at` (0 to 1) of an ascending list lies, interpolated. */
export function quantile(sorted, at) {
  const index = (sorted.length - 1) * at
  const below = Math.floor(index)
  const above = sorted[Math.min(below + 1, sorted.length - 1)]
  return sorted[below] + (above - sorted[below]) * (index - below)
}

/** Median, interquartile range and extremes of a list; undefined for an empty one. */
export function summary(list) {
  const sorted = list.filter(Number.isFinite).sort((a, b) => a - b)
  if (!sorted.length) return undefined
  return {
    median: quantile(sorted, 0.5),
    iqr: quantile(sorted, 0.75) - quantile(sorted, 0.25),
    min: sorted[0],
    max: sorted.at(-1),
  }
}

/** What one contender takes of another: compared within each round, so that a slow second hits both. */
export const ratio = (list, base = []) => summary(list.map((value, round) => value / base[round]))

/** What one contender takes more than another, compared within each round. */
export const difference = (list, base = []) => summary(list.map((value, round) => value - base[round]))
