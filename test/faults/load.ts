import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { App } from '../../lib/index.js'
import type { Failure } from '../core/failure.js'
import type { Chance } from './schedule.js'

/** Actions of the services: one that is done at most once, and an idempotent one. */
export const kinds = ['once', 'again'] as const
export type Kind = (typeof kinds)[number]

/** Milliseconds that each call may take. */
export const TIMEOUT_MS = 1500

/** A deadline may come late by a tenth, and this machine by more while processes start. */
const GRACE_MS = 1500

/** What became of one call. */
interface Fate {
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
  /** How often each `CODE handled`. */
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

/** Calls that go on until they are stopped. */
export interface Load {
  /** Tells what is happening from now on. */
  note(fault: string): void
  /** Makes no more calls, waits until each is settled or hangs, and compares them with what was done. */
  stop(ledger: string): Promise<Tally[]>
}

/** Acts from so many callers at once, each after a short rest. */
export function startLoad(app: App, callers: number, chance: Chance): Load {
  const fates: Fate[] = []
  let during = 'nothing'
  let going = true

  const call = async () => {
    const kind = kinds[fates.length % kinds.length] as Kind // within bounds
    const id = `${kind}-${fates.length}`
    const fate: Fate = { id, kind }
    fates.push(fate)
    const text = 'é🙂x'.repeat(Math.floor(chance() ** 4 * 2000))
    const began = performance.now()
    try {
      const reply = (await app.act(`do:${kind}`, { id, ms: chance() * 20, text })) as { id: unknown; text: unknown }
      fate.end = reply.id === id && reply.text === `${text}!` ? 'ok' : 'wrong'
    } catch (error) {
      const { code, handled } = error as Failure
      fate.end = { code, handled }
    }
    fate.during = during
    if (performance.now() - began > TIMEOUT_MS + GRACE_MS) fate.end = 'late'
  }
  const caller = async () => {
    while (going) {
      await call()
      await pause(chance() * 10)
    }
  }
  const all = Promise.all(Array.from({ length: callers }, caller))

  return {
    note: (fault) => {
      during = fault
    },
    stop: async (ledger) => {
      going = false
      await Promise.race([all, pause(TIMEOUT_MS + 2 * GRACE_MS, undefined, { ref: false })])
      return kinds.map((kind) => tally(kind, fates, timesDone(ledger)))
    },
  }
}

/** How often each call was done. */
function timesDone(ledger: string): Map<string, number> {
  const times = new Map<string, number>()
  for (const id of readFileSync(ledger, 'utf8').split('\n')) times.set(id, (times.get(id) ?? 0) + 1)
  return times
}

function tally(kind: Kind, fates: readonly Fate[], times: ReadonlyMap<string, number>): Tally {
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
    const done = times.get(id) ?? 0
    if (done > 1) sum.twice++
    if (end === undefined || end === 'late') sum.hung++
    else if (end === 'ok' || end === 'wrong') {
      sum[end]++
      if (done === 0) sum.lost++
    } else {
      const key = `${end.code} ${end.handled}`
      failed.set(key, (failed.get(key) ?? 0) + 1)
      failedDuring.set(during, (failedDuring.get(during) ?? 0) + 1)
      if (end.handled === 'no' && done > 0) sum.denied++
    }
  }
  return sum
}
