import { appendFileSync, chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Io } from '../io.js'

/** Lines that are kept. */
export const MOST_LINES = 500
/** Characters of a line that is kept. */
const LONGEST = 4096

/** The lines that were typed, in a file that nobody else may read. Without such a file they are kept for this session. */
export class History {
  readonly #file: string
  #isOn = true

  constructor(file: string) {
    this.#file = file
  }

  /** The lines, the oldest first; those beyond the newest 500 are taken out of the file. */
  read(): readonly string[] {
    let lines: readonly string[] = []
    try {
      lines = readFileSync(this.#file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
      chmodSync(this.#file, 0o600)
      if (lines.length > MOST_LINES) this.#write(lines.slice(-MOST_LINES))
    } catch {
      // There is none yet, or none that can be used.
    }
    return lines.slice(-MOST_LINES)
  }

  /** Whether a line is to be kept: not one that begins with a space, and none while it is off. */
  keeps(line: string): boolean {
    return this.#isOn && line.trim() !== '' && !line.startsWith(' ') && line.length <= LONGEST
  }

  /** Keeps a line, at once: several prompts share the file. */
  add(line: string): void {
    if (!this.keeps(line)) return
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 })
      appendFileSync(this.#file, `${line}\n`, { mode: 0o600 })
    } catch {
      // A home that cannot be written keeps nobody from typing.
    }
  }

  /** Whether lines are kept from here on. */
  keep(isOn: boolean): void {
    this.#isOn = isOn
  }

  /** Forgets all. Throws what keeps it from it. */
  clear(): void {
    this.#write([])
  }

  #write(lines: readonly string[]): void {
    mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 })
    const next = `${this.#file}.${process.pid}`
    writeFileSync(next, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 })
    renameSync(next, this.#file)
  }
}

/** Where state of programs belongs (XDG Base Directory Specification). */
export function historyFile(env: Io['env']): string {
  const { XDG_STATE_HOME: state } = env
  const folder = state?.startsWith('/') ? state : join(env.HOME ?? homedir(), '.local', 'state')
  return join(folder, 'lucilius', 'repl-history')
}
