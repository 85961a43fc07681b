import type { Door } from '../ipc.js'
import type { RecordedSending } from '../recording.js'
import type { ProcessPlan } from '../topology.js'
import type { Launch } from './child-process.js'
import type { End, EndedEarly } from './end.js'
import type { RestartLimits } from './restarts.js'

/** What happens to the processes, for whoever shows it. */
export interface SupervisorEvents {
  /** A process printed a line. */
  line(id: string, line: string, stream: 'stdout' | 'stderr'): void
  /** A process is ready: its services have started and its doors are open. */
  ready(id: string, process: { readonly pid: number | undefined; readonly doors: readonly Door[] }): void
  /** A process is about to be replaced, because it was told from outside to end. */
  leaving(id: string): void
  /** A process could not be replaced and stays; the error tells how the new one ended. */
  stayed(id: string, error: EndedEarly): void
  /** A process that was replaced did not end in order. */
  hung?(id: string, what: string): void
  /** A process died unasked and is started again after `waitMs`. */
  died(id: string, end: End, waitMs: number): void
  /** A process died too often, or of something that no second try changes: the rest is to be stopped. */
  gaveUp(id: string, end: End): void
  /** The files that the services of a process are made of. */
  files?(id: string, files: readonly string[]): void
  /** A service of a process sent such a message for the first time. */
  sent?(id: string, sending: RecordedSending): void
}

/** What to run, and how. */
export interface SupervisorOptions {
  readonly processes: readonly ProcessPlan[]
  /** How a process is started. */
  readonly launch: (plan: ProcessPlan) => Launch
  /** The groups in the order in which they drain, asked when it is time. Who is not named drains with the first. */
  readonly order: () => readonly (readonly string[])[]
  /** Whether two processes of a plan can be there at once: no fixed port, and no service of which there is only one. */
  readonly overlaps: (plan: ProcessPlan) => boolean
  readonly limits?: RestartLimits
  readonly on: SupervisorEvents
}

/** One process of a supervisor, as plain data. */
export interface SupervisedProcess {
  readonly id: string
  readonly group: string
  readonly pid: number | undefined
  readonly isReady: boolean
  /** Where its peers reach it. */
  readonly url: string | undefined
  /** Its doors to the outside. */
  readonly doors: readonly Door[]
}

/** What did not end of itself. */
export interface Hung {
  readonly id: string
  readonly what: string
}
