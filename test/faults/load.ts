import { setTimeout as pause } from 'node:timers/promises'
import type { App } from '../../lib/index.js'
import type { Failure } from '../core/failure.js'
import type { Chance } from './chance.js'
import { type Fate, type Kind, kinds, type Tally, tally, timesDone } from './tally.js'

/** Milliseconds that each call may take. */
export const TIMEOUT_MS = 1500

/** A deadline may come late by a tenth, and this machine by more while processes start. */
const GRACE_MS = 1500

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
