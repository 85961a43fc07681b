import type { Test } from 'tap'
import type { OpenStore, StoreHost } from '../../lib/store.js'

/** What a store may not be able to do. */
export type Ability =
  /** Several instances have it open at once. */
  | 'sharing'
  /** One instance crashes, and the others go on. */
  | 'crashing-alone'
  /** A second event of the same id is not kept. */
  | 'duplicates'
  /** What was handed back does not count as an attempt. */
  | 'uncounted-back'
  /** The report knows what is under way. */
  | 'running-report'
  /** It can be away while the instance lives. */
  | 'outage'

/** A kind of store, as the suite needs it. */
export interface StoreStage {
  /** Stands in the titles of the tests. */
  readonly name: string
  /** Makes an empty store that nobody else uses; what it needed goes when the test ends. */
  place(t: Test): Promise<Place>
  /** Within how many ms what is under way in a crashed instance comes to another one. */
  readonly recoversMs: number
  /** After how many ms without `extend` it delivers again; absent if it never does while the instance lives. */
  readonly silenceMs?: number
  /** What it cannot do, each with the reason: the tests of it are skipped. */
  readonly lacks?: Partial<Record<Ability, string>>
  /** How many random sequences are run; 15 unless given. */
  readonly runs?: number
}

/** One store, whoever has it open. */
export interface Place {
  /** Opens it as a process of its own would. */
  open(host: StoreHost): Promise<Opened>
  /** Takes the store away without warning, and brings it back with all it had. */
  readonly outage?: { stop(): Promise<void>; start(): Promise<void> }
}

/** One instance that has a store open. */
export interface Opened {
  readonly store: OpenStore
  /** Ends it as the death of its process would: it says nothing more. */
  crash(): Promise<void>
}

/** A tap option: the reason for which tests of an ability are skipped, if there is one. */
export function needs(stage: StoreStage, ...abilities: readonly Ability[]): { skip: string | false } {
  const missing = abilities.find((ability) => stage.lacks?.[ability] !== undefined)
  return { skip: missing === undefined ? false : (stage.lacks?.[missing] as string) } // just found to be there
}

let hosts = 0

/** What the core would give to a store, for an instance of its own. */
export function hostOf(signal: AbortSignal = new AbortController().signal): StoreHost {
  hosts++
  return { name: 'suite', instance: `instance-${hosts}`, log: () => {}, signal }
}

/** Opens a store as an instance of its own; it is closed when the test ends. */
export async function opened(t: Test, place: Place): Promise<Opened> {
  const one = await place.open(hostOf())
  t.teardown(() => one.store.close())
  return one
}
