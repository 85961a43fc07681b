import { setTimeout as pause } from 'node:timers/promises'
import { chance } from '../faults/chance.js'
import { type Kind, kinds } from '../faults/tally.js'
import type { Conditions } from './conditions.js'
import { type FateEntry, type Question, writesFates } from './ledger.js'

/** Calls a second, half of them idempotent. */
const PER_SECOND = 200

/** Milliseconds that each call may take: what an app gives it unless told otherwise. */
export const TIMEOUT_MS = 10_000

/** A deadline may come late by a tenth, and this machine by more while processes start. */
const GRACE_MS = 1500

const TICK_MS = 5

/** Sends a question to `convert`. */
export type Call = (kind: Kind, question: Question) => Promise<unknown>

/** Calls that are made until they are stopped. */
export interface Asking {
  /** Makes no more calls. */
  end(): void
  /** Makes no more calls, and waits until each is settled or hangs. */
  settled(): Promise<void>
}

/**
 * Makes so many calls a second, whether earlier ones are answered or not, and writes down what becomes of them.
 * `isOwnEnd`: the call was never made, for the caller itself is ending.
 */
export function startAsking(
  { folder, seed }: Conditions,
  call: Call,
  isOwnEnd: (error: unknown) => boolean = () => false,
): Asking {
  const next = chance(seed + 1)
  const write = writesFates(folder)
  const running = new Set<Promise<void>>()
  const began = performance.now()
  let made = 0

  const ask = async () => {
    const kind = kinds[made++ % kinds.length] as Kind // within bounds
    const id = `${kind}-${process.pid}-${made}`
    const [at, from] = [Date.now(), performance.now()]
    const asked = call(kind, { id, ms: next() * 20 })
    write({ id, kind, at })
    const end = await endOf(id, asked, isOwnEnd)
    const ms = performance.now() - from
    write({ id, at: Date.now(), ms, ...(end === undefined ? {} : { end: ms > TIMEOUT_MS + GRACE_MS ? 'late' : end }) })
  }
  const tick = () => {
    const due = ((performance.now() - began) * PER_SECOND) / 1000
    while (made < due) {
      const one = ask().finally(() => running.delete(one))
      running.add(one)
    }
  }
  const timer = setInterval(tick, TICK_MS)
  const end = () => clearInterval(timer)
  return {
    end,
    settled: async () => {
      end()
      await Promise.race([Promise.all(running), pause(TIMEOUT_MS + GRACE_MS, undefined, { ref: false })])
    },
  }
}

async function endOf(id: string, asked: Promise<unknown>, isOwnEnd: (error: unknown) => boolean) {
  try {
    const reply = (await asked) as { readonly id?: unknown }
    return reply.id === id ? 'ok' : 'wrong'
  } catch (error) {
    return isOwnEnd(error) ? undefined : failureOf(error)
  }
}

/** Errors of others have a type or a message in place of a code, and do not say whether the call was handled. */
function failureOf(error: unknown): FateEntry['end'] {
  const { code, type, message, handled } = error as { readonly [key: string]: string | undefined }
  return { code: String(type ?? code ?? message), handled }
}
