import { relative } from 'node:path'
import pico from 'picocolors'
import type { Failure, Outcome } from '../../system/dev/outcome.js'
import type { Io } from '../io.js'
import { harmlessText, oneLine } from '../print/harmless-text.js'
import { curlLine } from './curl.js'
import type { DevEnd } from './dev-child.js'
import type { DevAbout, DevDoor } from './messages.js'

/** What `dev` says to whoever sits there. Failures go to stderr, all else to stdout. */
export class Words {
  readonly #io: Io
  readonly #cwd: string
  readonly #paint: ReturnType<typeof pico.createColors>
  #doors = ''

  constructor(io: Io, cwd: string) {
    this.#io = io
    this.#cwd = cwd
    this.#paint = pico.createColors(io.color)
  }

  /** One line. */
  say(text: string): void {
    this.#io.stdout.write(`${this.#paint.bold('dev:')} ${oneLine(text)}\n`)
  }

  /** It runs. */
  ready({ name, parts, doors }: DevAbout, startedAt: number, isSplit: boolean): void {
    const what = isSplit ? 'as processes of their own' : 'in one process'
    this.say(`${name}: ${parts.join(', ')} ${what}, ready after ${passed(startedAt)}`)
    this.doors(doors)
  }

  /** The doors, unless they are those that were shown last. */
  doors(doors: readonly DevDoor[]): void {
    const lines = doors.flatMap((door) => {
      const curl = curlLine(door)
      const { of, transport, url } = door
      return [
        `${of === undefined ? '' : `${of}: `}${transport} at ${url}`,
        ...(curl === undefined ? [] : [`  ${curl}`]),
      ]
    })
    const text = lines.map((line) => `  ${harmlessText(line)}\n`).join('')
    if (text !== this.#doors) this.#io.stdout.write(text)
    this.#doors = text
  }

  /** What came of a change. */
  changed(files: readonly string[], { done, failures }: Outcome, startedAt: number, isSplit: boolean): void {
    for (const failure of failures) this.failed(failure)
    if (done.length === 0) return
    const verb = isSplit ? 'restarted' : 'replaced'
    this.say(`${verb} ${done.join(', ')} (${this.#names(files)}) within ${passed(startedAt)}`)
  }

  /** What went wrong, where, and what runs all the same. */
  failed({ message, frame, instead }: Failure): void {
    const { stderr } = this.#io
    for (const line of message.split('\n')) stderr.write(`lucilius: ${oneLine(line)}\n`)
    for (const line of frame?.split('\n') ?? [])
      stderr.write(`${this.#framed(harmlessText(line.replaceAll('\t', '  ')))}\n`)
    if (instead !== undefined) this.say(`${instead}; the next change is tried`)
  }

  /** It has ended and nobody wanted it to. */
  died({ code, signal, failure }: DevEnd): void {
    const how = signal === null ? `exited with code ${code ?? 'unknown'}` : `was killed by ${signal}`
    this.failed(failure ?? { message: `the process ${how}` })
    this.say('nothing runs; the next change starts it again')
  }

  /** Names files as they are seen from the folder one is in. */
  #names(files: readonly string[]): string {
    const names = files.map((file) => relative(this.#cwd, file))
    return names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')
  }

  #framed(line: string): string {
    return /^>|^ +\| +\^$/.test(line) ? this.#paint.red(line) : this.#paint.dim(line)
  }
}

function passed(startedAt: number): string {
  return `${Math.round(performance.now() - startedAt)} ms`
}
