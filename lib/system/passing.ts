/** What passes in the processes of a system, as it is told to whoever looks on: in batches, and no more than can be read. */
import type { HearPassed, Passed } from '../dispatch/passed.js'
import { isMessage } from '../message.js'

/** Messages that one process tells of within a second; those beyond are counted. */
export const MOST_A_SECOND = 500

/** Milliseconds for which messages are gathered. */
const GATHER_MS = 50

/** What passed in one process within a moment. */
export interface PassedBatch {
  /** The id of the process. */
  readonly process: string
  readonly passed: readonly Passed[]
  /** How many more passed, of which nothing is told. */
  readonly dropped: number
}

/** Tells of what passes from now on. */
export type LookOn = (hear: (batch: PassedBatch) => void) => Looking

/** Somebody looks on. */
export interface Looking {
  /** The ids of the processes that tell, once they do: nothing that passes there from then on is missed. */
  readonly begun: Promise<readonly string[]>
  /** Ends it. Resolves when all that passed until now has been told. */
  stop(): Promise<void>
}

/** What there is to look at in one process. */
export interface Watchable {
  readonly id: string
  readonly host: { onPassed(hear: HearPassed): () => void }
}

/** Looks on in this process. Costs it nothing while nobody does. */
export function lookingOn({ id, host }: Watchable): LookOn {
  return (hear) => {
    let passed: Passed[] = []
    let dropped = 0
    let timer: NodeJS.Timeout | undefined
    let second = 0
    let told = 0
    const flush = () => {
      clearTimeout(timer)
      timer = undefined
      if (passed.length + dropped > 0) hear({ process: id, passed, dropped })
      passed = []
      dropped = 0
    }
    const stop = host.onPassed((one) => {
      const now = Math.floor(performance.now() / 1000)
      if (now !== second) {
        second = now
        told = 0
      }
      if (told++ < MOST_A_SECOND) passed.push(one)
      else dropped++
      timer ??= setTimeout(flush, GATHER_MS).unref()
    })
    return {
      begun: Promise.resolve([id]),
      stop: async () => {
        stop()
        flush()
      },
    }
  }
}

/** Reads what another process says to have passed there; undefined for what is no such thing. */
export function toPassedBatch(value: unknown): PassedBatch | undefined {
  if (!isMessage(value)) return undefined
  const { process, passed, dropped } = value
  const isBatch = typeof process === 'string' && Array.isArray(passed) && passed.every(isPassed)
  return isBatch && typeof dropped === 'number' ? { process, passed, dropped } : undefined
}

function isPassed(value: unknown): value is Passed {
  if (!isMessage(value)) return false
  const { at, service, pattern, ms, error, hops, trace } = value
  const isTold = [at, ms, hops].every((one) => typeof one === 'number')
  return isTold && [service, pattern, trace, error ?? ''].every((one) => typeof one === 'string')
}
