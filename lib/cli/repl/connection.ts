import type { PassedBatch } from '../../system/passing.js'
import type { Io } from '../io.js'
import type { ReachOptions } from '../reach/reach.js'
import { reachRunning } from '../reach/reach-running.js'
import type { ReachedSystem } from '../reach/reached.js'
import { Mistyped } from './dot-commands.js'

/** What runs, found again if it was started anew meanwhile. */
export class Connection {
  readonly #find: () => Promise<ReachedSystem>
  readonly #onNews: (what: string) => void
  #system: ReachedSystem | undefined
  #hear: ((batch: PassedBatch) => void) | undefined
  #untrace = new AbortController()

  /** `onNews` hears of each system that takes the place of the first. */
  constructor(options: ReachOptions, io: Io, onNews: (what: string) => void) {
    this.#find = () => reachRunning(options, io)
    this.#onNews = onNews
  }

  /** What runs now. Rejects as `reachRunning` does. */
  async system(): Promise<ReachedSystem> {
    const before = this.#system
    if (before?.isThere() === true) return before
    await before?.close()
    const found = await this.#find()
    this.#system = found
    if (before !== undefined) this.#onNews(found.what)
    if (this.#hear !== undefined) this.#traceIt(found, this.#hear)
    return found
  }

  /** Tells what passes from now on, here and in what is found later; without `hear`, no more. */
  async trace(hear: ((batch: PassedBatch) => void) | undefined): Promise<void> {
    const system = await this.system()
    if (system.trace === undefined) {
      throw new Mistyped('What passes is told only by what runs of the system of this folder: leave --url out there.')
    }
    this.#untrace.abort()
    this.#hear = hear
    if (hear !== undefined) this.#traceIt(system, hear)
  }

  async close(): Promise<void> {
    this.#untrace.abort()
    await this.#system?.close()
  }

  #traceIt(system: ReachedSystem, hear: (batch: PassedBatch) => void): void {
    this.#untrace = new AbortController()
    system.trace?.(hear, this.#untrace.signal).catch(() => {}) // it has ended: the next line finds what runs then
  }
}
