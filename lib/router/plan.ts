import { compareKeySets, type KeySet } from './key-set.js'

/** The order in which sets of keys are tried. Made anew when a set comes or goes, not when a pattern does. */
export interface Plan<T> {
  /** All sets, most specific first. */
  readonly ranked: readonly KeySet<T>[]
  /** The anchors of all sets. */
  readonly anchors: readonly string[]
  /** The sets by their anchor, most specific first in each list. */
  readonly byAnchor: ReadonlyMap<string, readonly KeySet<T>[]>
}

/** Ranks sets of keys by the matching rule and gives each its anchor. */
export function makePlan<T>(sets: Iterable<KeySet<T>>): Plan<T> {
  const ranked = [...sets].sort(compareKeySets)
  const uses = new Map<string, number>()
  for (const { keys } of ranked) for (const key of keys) uses.set(key, (uses.get(key) ?? 0) + 1)
  const byAnchor = new Map<string, KeySet<T>[]>()
  for (const [rank, set] of ranked.entries()) {
    set.rank = rank
    set.anchor = rarest(set.keys, uses)
    const list = byAnchor.get(set.anchor) ?? []
    byAnchor.set(set.anchor, list)
    list.push(set)
  }
  let nextTier = ranked.length
  for (const [at, set] of [...ranked.entries()].reverse()) {
    const below = ranked[at + 1]
    if (below !== undefined && below.keys.length !== set.keys.length) nextTier = below.rank
    set.nextTier = nextTier
  }
  return { ranked, anchors: [...byAnchor.keys()], byAnchor }
}

function rarest(keys: readonly string[], uses: ReadonlyMap<string, number>): string {
  let best = keys[0] ?? ''
  for (const key of keys) if ((uses.get(key) ?? 0) < (uses.get(best) ?? 0)) best = key
  return best
}
