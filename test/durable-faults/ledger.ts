import { existsSync, readFileSync } from 'node:fs'

/** How often each number stands in a ledger. A line that was cut short by a kill is no number. */
export function countsOf(ledger: string): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  if (!existsSync(ledger)) return counts
  const lines = readFileSync(ledger, 'utf8').split('\n')
  for (const line of lines.slice(0, -1)) counts.set(Number(line), (counts.get(Number(line)) ?? 0) + 1)
  return counts
}

/** What became of events. */
export interface Outcome {
  /** Whose store it was and what was done to it. */
  readonly what: string
  /** Events whose `emit` resolved. */
  readonly stored: number
  /** Events whose `emit` failed, or was cut off with its process: they may have been handled, or not. */
  readonly uncertain: number
  /** Stored, and neither handled nor dead. */
  readonly lost: number
  /** Handled more than once. */
  readonly twice: number
  /** Dead letters, and how many had been planted. */
  readonly dead: number
  readonly planted: number
  /** Kills of what was killed. */
  readonly kills: number
}

/** Compares what was stored with what was handled. */
export function outcomeOf(
  given: Pick<Outcome, 'what' | 'uncertain' | 'dead' | 'kills'>,
  stored: Iterable<number>,
  planted: ReadonlySet<number>,
  handled: ReadonlyMap<number, number>,
): Outcome {
  const all = [...stored]
  const lost = all.filter((n) => !handled.has(n) && !planted.has(n)).length
  const twice = [...handled.values()].filter((count) => count > 1).length
  return { ...given, stored: all.length, lost, twice, planted: planted.size }
}

/** The promises that were broken: stored but lost, dead letters that nobody planted or that are missing; or nothing ran. */
export function broken({ what, stored, lost, dead, planted }: Outcome): string[] {
  return [
    ...(stored === 0 ? [`${what}: nothing was stored`] : []),
    ...(lost > 0 ? [`${what}: ${lost} events were stored and lost`] : []),
    ...(dead === planted ? [] : [`${what}: ${dead} dead letters where ${planted} were planted`]),
  ]
}
