import type { PassedBatch } from '../../system/passing.js'
import type { Io } from '../io.js'
import type { ReachOptions } from '../reach/reach.js'
import { reachRunning } from '../reach/reach-running.js'
import type { ReachedSystem } from '../reach/reached.js'
import { Mistyped } from './dot-commands.js'

/** What runs, found again if it was started anew meanwhile. */
export class Connection {
  readonly #find: () => Promise<ReachedSystem>
  readonly #say: (text: string) => void
  #system: ReachedSystem | undefined
  #finding: Promise<ReachedSystem> | undefined
  #hear: ((batch: PassedBatch) => void) | undefined
  #untrace = new AbortController()

  /** `say` is told what becomes of it. */
  constructor(options: ReachOptions, io: Io, say: (text: string) => void) {
    this.#find = () => reachRunning(options, io)
    this.#say = say
  }

  /** What runs now. Rejects as `reachRunning` does. */
  async system(): Promise<ReachedSystem> {
    if (this.#system?.isThere() === true) return this.#system
    this.#finding ??= this.#findAgain().finally(() => {
      this.#finding = undefined
    })
    return this.#finding
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

  async #findAgain(): Promise<ReachedSystem> {
    const before = this.#system
    await before?.close()
    const found = await this.#find()
    this.#system = found
    if (before !== undefined) this.#say(`This is ${found.what} by now.`)
    if (this.#hear !== undefined) this.#traceIt(found, this.#hear)
    return found
  }

  #traceIt(system: ReachedSystem, hear: (batch: PassedBatch) => void): void {
    this.#untrace = new AbortController()
    const { signal } = this.#untrace
    system.trace?.(hear, signal).catch(() => {
      if (!signal.aborted) this.#say('What ran has ended: the next line finds what runs then.')
    })
  }
}
