import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chance } from '../faults/chance.js'
import { broken, type Fate, kinds, type Tally, tally, timesDone } from '../faults/tally.js'
import type { Conditions } from './conditions.js'
import { type FateEntry, layLedgers, ledgerOf, places, readFates } from './ledger.js'
import { type Hit, killAll, rollAll } from './schedule.js'
import type { Subject } from './subject.js'

/** What to put a system through. */
export interface ChaosPlan {
  /** How long processes are killed. */
  readonly seconds: number
  /** Milliseconds between two kills; between two replacements a fifth of it. */
  readonly everyMs: number
  /** What happens follows from it. */
  readonly seed: number
  /** Second tries that every second earns, where that is to differ from what it is unless set. */
  readonly retries?: number
}

/** What came of the calls of one phase. */
export interface Phase {
  readonly name: 'kill -9' | 'rolling restart'
  readonly tallies: readonly Tally[]
  readonly hits: readonly Hit[]
  /** Milliseconds of the slowest call that was answered. */
  readonly slowestMs: number
}

/** Kills the processes of a system under load, then replaces them in order, then ends it, and counts what came of it. */
export async function underChaos(
  start: (conditions: Conditions) => Promise<Subject>,
  { seconds, everyMs, seed, retries }: ChaosPlan,
): Promise<Phase[]> {
  const folder = await mkdtemp(join(tmpdir(), 'chaos-'))
  layLedgers(folder)
  let subject: Subject | undefined
  try {
    subject = await start({ folder, seed, retries })
    const killed = await killAll(subject, chance(seed), { seconds, everyMs })
    const rollingFrom = Date.now()
    const rolled = await rollAll(subject, chance(seed), everyMs / 5)
    await subject.end()
    const entries = readFates(folder)
    const done = places.map((place) => timesDone(ledgerOf(folder, place)))
    const phase = (name: Phase['name'], hits: readonly Hit[], isOf: (at: number) => boolean): Phase => {
      const { fates, slowestMs } = fatesOf(entries, isOf)
      return { name, hits, slowestMs, tallies: kinds.map((kind) => tally(kind, fates, ...done)) }
    }
    return [
      phase('kill -9', killed, (at) => at < rollingFrom),
      phase('rolling restart', rolled, (at) => at >= rollingFrom),
    ]
  } finally {
    subject?.kill()
    await rm(folder, { recursive: true, force: true })
  }
}

/** The promises that were broken, in words; none if all is well. */
export function brokenIn({ name, tallies }: Phase): string[] {
  return tallies.flatMap((sum) => {
    const failures = [...sum.failed.values()].reduce((all, count) => all + count, 0)
    const mayFail = name === 'kill -9' && sum.kind === 'once'
    const why = [...sum.failed].map(([code, count]) => `${count} ${code}`).join(', ')
    const words = failures === 0 || mayFail ? [] : [`${sum.kind}: ${failures} failed: ${why}`]
    return [...broken(sum), ...words].map((one) => `${name}, ${one}`)
  })
}

/** What became of each call that was begun at such a time. */
function fatesOf(entries: readonly FateEntry[], isOf: (at: number) => boolean) {
  const ends = new Map(entries.flatMap((entry) => (entry.ms === undefined ? [] : [[entry.id, entry] as const])))
  const fates: Fate[] = []
  let slowestMs = 0
  for (const { id, kind, at } of entries) {
    if (kind === undefined || !isOf(at)) continue
    const ended = ends.get(id)
    if (ended === undefined) fates.push({ id, kind })
    else if (ended.end !== undefined) fates.push({ id, kind, end: ended.end })
    if (ended?.end === 'ok') slowestMs = Math.max(slowestMs, ended.ms ?? 0)
  }
  return { fates, slowestMs }
}
