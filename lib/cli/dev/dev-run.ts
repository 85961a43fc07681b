import type { Watched } from '../../system/dev/known-files.js'
import type { Failure, Outcome } from '../../system/dev/outcome.js'
import type { RecordedSending } from '../../system/recording.js'
import type { Assignment, DevAbout, DevDoor } from './messages.js'

/** A system that runs for development. */
export interface DevRun {
  readonly about: DevAbout
  readonly doors: readonly DevDoor[]
  /** Milliseconds in which it ends. */
  readonly endMs: number
  /** Rejects, at any time, with what it cannot go on with; never resolves. */
  readonly failed: Promise<never>
  watched(): Promise<Watched>
  /** Takes in that files have changed. */
  change(files: readonly string[]): Promise<Outcome>
  /** Drains and ends. Gives what still ran then. */
  close(): Promise<readonly string[]>
}

/** Who hears of what comes up while a system runs. */
export interface DevEvents {
  /** There is something to watch, or more of it. */
  known(watched: Watched): void
  /** A service sent such a message for the first time; told if the assignment says `record`. */
  sent(sending: RecordedSending): void
}

/** Starts a system. */
export type Begin = (assignment: Assignment, heard: DevEvents) => Promise<DevRun>

/** A start that failed because of how the command was called, not of what files say. */
export class CalledWrongly extends Error {}

/** A failure that is described already. */
export class Described extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.message)
    this.failure = failure
  }
}

/** Milliseconds that running work is given at the end, unless `LUCILIUS_DRAIN_MS` says: nobody wants to wait for an edit. */
export const DEV_DRAIN_MS = 1000

/** Calls what only looks at how the command was called. */
export function asCalled<T>(run: () => T): T {
  try {
    return run()
  } catch (error) {
    throw new CalledWrongly(error instanceof Error ? error.message : String(error), { cause: error })
  }
}
