import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Failure } from '../../lib/transport-kit.js'
import type { Batch } from './batch.js'
import { addDeadLetter } from './dead-letters.js'
import { releaseEvent } from './kept-events.js'
import { eventKey, runningKey } from './keys.js'

/** That a subscription is done with an event; with the failures, if it is a dead letter. */
type End = readonly [name: string, number: number, failures?: readonly Failure[]]

/** Beyond so many bytes a file takes no more, as soon as the other one is empty. */
const FULL = 16 * 1024

/**
 * Notes of events that are over, written in the very turn in which they end: LevelDB writes a moment later, behind what it
 * is just writing, and a process that is killed in between would handle them once more. The operating system keeps what
 * was written, whatever becomes of the process.
 *
 * There are two files, a line of JSON for each end. When one is full the other goes on, and it is emptied once LevelDB has
 * all of it. A note that is out of date does no harm: no number is given twice.
 */
export class Ends {
  #current: Notes
  #other: Notes
  /** Nothing more is noted: they are closed, or cannot be written. */
  #isOff = false

  private constructor(current: Notes, other: Notes) {
    this.#current = current
    this.#other = other
  }

  /** Opens them in a folder, with what was noted in them: that has to be in LevelDB before `clear` and `note`. */
  static open(path: string): { readonly ends: Ends; readonly noted: readonly End[] } {
    const [one, two] = [new Notes(join(path, 'ends-1')), new Notes(join(path, 'ends-2'))]
    return { ends: new Ends(one, two), noted: [...one.read(), ...two.read()] }
  }

  /** Empties them, on the disk itself: no old note comes back beside a number that is given anew after a loss of power. */
  clear(): void {
    for (const notes of [this.#current, this.#other]) notes.clear()
  }

  /** Notes an end. The callback is for when LevelDB has it. */
  note(...end: End): () => void {
    if (this.#isOff) return () => {}
    try {
      if (this.#current.size > FULL && this.#other.isWritten) this.#turn()
      return this.#current.add(end)
    } catch {
      // The disk is full or fails, as LevelDB will find and tell: what is in writing there counts.
      this.#isOff = true
      return () => {}
    }
  }

  /** `isWritten`: LevelDB has all of it, and nobody needs the files any more. */
  close(isWritten: boolean): void {
    this.#isOff = true
    for (const notes of [this.#current, this.#other]) notes.close(isWritten)
  }

  #turn(): void {
    this.#other.empty()
    const full = this.#current
    this.#current = this.#other
    this.#other = full
  }
}

/** Puts an end into LevelDB that was noted and did not get there. */
export function applyEnd(batch: Batch, [name, number, failures]: End): void {
  const home = runningKey(name, number)
  const text = batch.get(eventKey(number))
  if (batch.get(home) === undefined || text === undefined) return
  batch.delete(home)
  if (failures !== undefined) addDeadLetter(batch, name, { text }, failures)
  releaseEvent(batch, number)
}

/** One file of notes. */
class Notes {
  size = 0
  readonly #path: string
  readonly #file: number
  /** Of how many LevelDB has yet to take note. */
  #pending = 0

  constructor(path: string) {
    this.#path = path
    this.#file = openSync(path, 'a+')
  }

  get isWritten(): boolean {
    return this.#pending === 0
  }

  read(): End[] {
    const text = readFileSync(this.#path, 'utf8')
    this.size = text.length
    return text.split('\n').flatMap(toEnd)
  }

  add(end: End): () => void {
    this.size += writeSync(this.#file, `${JSON.stringify(end)}\n`)
    this.#pending++
    return () => {
      this.#pending--
    }
  }

  empty(): void {
    ftruncateSync(this.#file)
    this.size = 0
  }

  clear(): void {
    if (this.size === 0) return
    this.empty()
    fsyncSync(this.#file)
  }

  close(isWritten: boolean): void {
    closeSync(this.#file)
    if (isWritten) rmSync(this.#path, { force: true })
  }
}

/** A line that was cut short, by a full disk or a loss of power, says nothing. */
function toEnd(line: string): End[] {
  try {
    const end: unknown = JSON.parse(line)
    if (!Array.isArray(end) || typeof end[0] !== 'string' || typeof end[1] !== 'number') return []
    return [end as unknown as End] // we wrote it
  } catch {
    return []
  }
}
