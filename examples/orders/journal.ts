import { appendFileSync, closeSync, fdatasyncSync, ftruncateSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * What a service has done, a line of JSON each, in a file that outlives it: after `kill -9` it knows what it knew. One
 * process writes it, so a service that has one is a singleton.
 */
export class Journal<Entry> {
  readonly #path: string
  readonly #learn: (entry: Entry) => void
  #file = -1

  /** `learn` hears of each entry: of those in the file when it is opened, then of each that is written. */
  constructor(path: string, learn: (entry: Entry) => void) {
    this.#path = path
    this.#learn = learn
  }

  open(): void {
    mkdirSync(dirname(this.#path), { recursive: true })
    this.#file = openSync(this.#path, 'a+')
    const text = readFileSync(this.#file, 'utf8')
    // A process that was killed while it wrote leaves half a line: what it was about to say was never said.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    ftruncateSync(this.#file, Buffer.byteLength(whole))
    for (const line of whole.split('\n').slice(0, -1)) this.#learn(JSON.parse(line))
  }

  /** Writes an entry down. When this returns, not even a power cut takes it away. */
  write(entry: Entry): void {
    appendFileSync(this.#file, `${JSON.stringify(entry)}\n`)
    fdatasyncSync(this.#file)
    this.#learn(entry)
  }

  close(): void {
    closeSync(this.#file)
  }
}
