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
  /** Ends what is told. Resolves when all that passed before was told. */
  #untrace = async () => {}

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

  /**
   * Tells what passes, from when it resolves, here and in what is found later. Gives the ids of the processes that tell.
   * Rejects with `Mistyped` where nobody does.
   */
  async trace(hear: (batch: PassedBatch) => void): Promise<readonly string[]> {
    const system = await this.system()
    await this.untrace()
    const of = await this.#traceIt(system, hear)
    this.#hear = hear
    return of
  }

  /** Tells no more. Resolves when all that passed before was told. */
  async untrace(): Promise<void> {
    this.#hear = undefined
    await this.#untrace()
  }

  async close(): Promise<void> {
    await this.untrace()
    await this.#system?.close()
  }

  async #findAgain(): Promise<ReachedSystem> {
    const before = this.#system
    await before?.close()
    const found = await this.#find()
    this.#system = found
    if (before !== undefined) this.#say(`This is ${found.what} by now.`)
    // If that was lost again already, so is the line that it was found for.
    if (this.#hear !== undefined) await this.#traceIt(found, this.#hear).catch(() => {})
    return found
  }

  async #traceIt(system: ReachedSystem, hear: (batch: PassedBatch) => void): Promise<readonly string[]> {
    if (system.trace === undefined) {
      throw new Mistyped('What passes is told only by what runs of the system of this folder: leave --url out there.')
    }
    const stop = new AbortController()
    const { of, ended } = await system.trace(hear, stop.signal)
    const over = ended.catch(() => {
      if (!stop.signal.aborted) this.#say('What ran has ended: the next line finds what runs then.')
    })
    this.#untrace = () => {
      stop.abort()
      return over
    }
    return of
  }
}
