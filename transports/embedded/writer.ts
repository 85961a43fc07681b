import { setMaxListeners } from 'node:events'
import type { LuciliusError } from '../../lib/transport-kit.js'
import { Batch } from './batch.js'
import { failed, reasonOf } from './failed.js'
import type { Database } from './keys.js'

/** How something is to be written. */
export interface Manner {
  /** Resolves when it is on the disk itself, not only with the operating system: what survives a loss of power. */
  readonly sync?: boolean
  /** Nobody waits any longer. */
  readonly signal?: AbortSignal
}

interface Task {
  /** Adds to the batch what is to be written. */
  readonly fill: (batch: Batch) => void
  readonly sync: boolean
  resolve(): void
  reject(error: LuciliusError): void
}

/** A batch takes no more tasks beyond so many characters. */
const FULL = 4 * 1024 * 1024

/**
 * The only one who writes, one batch after the other: what is asked for in one turn, or while a batch is being written,
 * goes into one. So many events share one `fsync`.
 *
 * Once a write has failed nobody knows what is on the disk, and nothing more is written: only opening the store anew
 * helps.
 */
export class Writer {
  readonly #database: Database
  readonly #onFailure: (error: LuciliusError) => void
  readonly #tasks = new Set<Task>()
  #running: Promise<void> | undefined
  #failure: LuciliusError | undefined

  constructor(database: Database, onFailure: (error: LuciliusError) => void) {
    this.#database = database
    this.#onFailure = onFailure
  }

  /** Whether it writes nothing more. */
  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /**
   * Writes what `fill` adds to a batch; tasks are filled in the order in which they were given. Rejects with
   * `LUC_STORE_FAILED`.
   */
  write(fill: (batch: Batch) => void, { sync = false, signal }: Manner = {}): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (signal?.aborted) return Promise.reject(givenUp('no'))
    return new Promise((resolve, reject) => {
      const task: Task = { fill, sync, resolve, reject }
      this.#tasks.add(task)
      if (signal !== undefined) this.#watch(task, signal)
      this.#running ??= Promise.resolve().then(() => this.#run())
    })
  }

  /** Takes an error that came while reading: what was read before can no longer be trusted. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return
    const text = `The store failed (${reasonOf(error).text}): nothing more is stored. Cure it, and start the process anew.`
    this.#failure = failed(text, 'no', error)
    this.#onFailure(this.#failure)
    for (const task of this.#tasks) task.reject(this.#failure)
    this.#tasks.clear()
  }

  /** Resolves when nothing is left to be written. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running
  }

  #watch(task: Task, signal: AbortSignal): void {
    const { resolve, reject } = task
    const giveUp = () => reject(givenUp(this.#tasks.delete(task) ? 'no' : 'unknown'))
    setMaxListeners(0, signal) // many events may share one
    signal.addEventListener('abort', giveUp, { once: true })
    const forget = () => signal.removeEventListener('abort', giveUp)
    task.resolve = () => {
      forget()
      resolve()
    }
    task.reject = (error) => {
      forget()
      reject(error)
    }
  }

  async #run(): Promise<void> {
    while (this.#tasks.size > 0) await this.#writeOne()
    this.#running = undefined
  }

  async #writeOne(): Promise<void> {
    const batch = new Batch(this.#database)
    const taken: Task[] = []
    try {
      for (const task of this.#tasks) {
        this.#tasks.delete(task)
        taken.push(task)
        task.fill(batch)
        if (batch.size > FULL) break
      }
      await batch.write(taken.some(({ sync }) => sync))
    } catch (error) {
      this.fail(error)
      const unknown = failed(`The store failed (${reasonOf(error).text}) while it was writing.`, 'unknown', error)
      for (const task of taken) task.reject(unknown)
      return
    }
    for (const task of taken) task.resolve()
  }
}

function givenUp(handled: 'no' | 'unknown'): LuciliusError {
  return failed('The event was not stored in time: nobody waits for it any longer.', handled)
}
