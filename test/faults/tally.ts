import { readFileSync } from 'node:fs'

/** Actions of the services: one that is done at most once, and an idempotent one. */
export const kinds = ['once', 'again'] as const
export type Kind = (typeof kinds)[number]

/** What became of one call. */
export interface Fate {
  readonly id: string
  readonly kind: Kind
  /** What was happening when it ended. */
  during?: string
  end?: 'ok' | 'wrong' | 'late' | { readonly code: string; readonly handled: string | undefined }
}

/** What became of the calls of one kind. The last five are broken promises; those done twice only if not idempotent. */
export interface Tally {
  readonly kind: Kind
  calls: number
  ok: number
  /** How often each `CODE handled`; others than we say no more than a code. */
  readonly failed: Map<string, number>
  /** How many failed during each fault; one that let a call expire may be over by then. */
  readonly failedDuring: Map<string, number>
  /** Answered, but never done. */
  lost: number
  /** Not settled long after its deadline. */
  hung: number
  twice: number
  wrong: number
  /** Said not to be handled, but done. */
  denied: number
}

/** How often each call was done, by a ledger with a line for each time. */
export function timesDone(ledger: string): Map<string, number> {
  const times = new Map<string, number>()
  for (const id of readFileSync(ledger, 'utf8').split('\n')) times.set(id, (times.get(id) ?? 0) + 1)
  return times
}

/** Compares what became of the calls of a kind with how often they were done, in each place where they have to be. */
export function tally(kind: Kind, fates: readonly Fate[], ...places: readonly ReadonlyMap<string, number>[]): Tally {
  const mine = fates.filter((fate) => fate.kind === kind)
  const [failed, failedDuring] = [new Map<string, number>(), new Map<string, number>()]
  const sum: Tally = {
    kind,
    calls: mine.length,
    ok: 0,
    failed,
    failedDuring,
    lost: 0,
    hung: 0,
    twice: 0,
    wrong: 0,
    denied: 0,
  }
  for (const { id, end, during = '' } of mine) {
    const done = places.map((times) => times.get(id) ?? 0)
    if (Math.max(...done) > 1) sum.twice++
    if (end === undefined || end === 'late') sum.hung++
    else if (end === 'ok' || end === 'wrong') {
      sum[end]++
      if (Math.min(...done) === 0) sum.lost++
    } else {
      const key = end.handled === undefined ? end.code : `${end.code} ${end.handled}`
      failed.set(key, (failed.get(key) ?? 0) + 1)
      failedDuring.set(during, (failedDuring.get(during) ?? 0) + 1)
      if (end.handled === 'no' && Math.max(...done) > 0) sum.denied++
    }
  }
  return sum
}

/** The promises that were broken, in words; none if all is well. */
export function broken({ kind, lost, hung, twice, wrong, denied, calls, ok }: Tally): string[] {
  const counts = { lost, hung, twice: kind === 'once' ? twice : 0, wrong, denied }
  const found = Object.entries(counts).filter(([, count]) => count > 0)
  const words = found.map(([what, count]) => `${kind}: ${count} ${what}`)
  return ok * 2 > calls ? words : [...words, `${kind}: only ${ok} of ${calls} calls were answered`]
}
