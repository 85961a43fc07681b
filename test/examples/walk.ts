import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Test } from 'tap'
import { lucilius, type Ran } from '../cli/fake-io.js'
import { type Started, startLucilius } from '../cli/process.js'
import { repoRoot } from '../support/repo-root.js'
import { within } from './within.js'

/** A block of the page: what is typed, what is printed, or how a file is changed. */
export interface Block {
  readonly kind: string
  readonly file: string
  readonly lines: readonly string[]
}

/** A change is there within a second; a slow machine has more. */
const PATIENCE_MS = 30_000

/** Somebody who reads the page and does what it says, in a copy of the system. */
export class Walk {
  readonly #t: Test
  readonly #folder: string
  /** The process that the page calls by this id. */
  readonly #processes: ReadonlyMap<string, string>
  readonly #env: { readonly [name: string]: string }
  /** What runs in the first terminal. */
  #running: Started | undefined
  /** What runs in others beside it. */
  readonly #others: Started[] = []

  /** `page` is its README. */
  constructor(t: Test, source: string, page: string) {
    // Below the root of the package, so that the services find it by its name.
    mkdirSync(join(repoRoot(), 'build'), { recursive: true })
    const parent = mkdtempSync(join(repoRoot(), 'build/walk-'))
    t.teardown(() => rmSync(parent, { recursive: true, force: true }))
    this.#t = t
    this.#folder = join(parent, basename(source))
    this.#processes = new Map([...page.matchAll(READY)].map(([, name = '', pid = '']) => [pid, name]))
    // Nobody else on this machine is to be found.
    const announcements = `239.255.76.85:${20_000 + (process.pid % 10_000)}`
    this.#env = { LUCILIUS_RUN_DIR: join(parent, 'run'), LUCILIUS_MULTICAST: announcements }
    mkdirSync(join(parent, 'run'), { mode: 0o700 })
    // What the system keeps where it was tried before stays there.
    cpSync(source, this.#folder, { recursive: true, filter: (file) => !/^(data|[.]lucilius)$/.test(basename(file)) })
  }

  /** Changes a file, and waits until what runs says what the page shows. */
  async edit({ file, lines }: Block, expected: readonly string[]): Promise<void> {
    const before = this.#running?.printed().length
    const path = join(this.#folder, file)
    let text = readFileSync(path, 'utf8')
    for (const hunk of lines.join('\n').split('\n@@\n')) {
      const [before, after] = [/^[ -]/, /^[ +]/].map((mark) => linesOf(hunk, mark))
      if (before === undefined || after === undefined || !text.includes(before)) throw new Error(`${file}: ${hunk}`)
      text = text.replace(before, () => after)
    }
    writeFileSync(path, text)
    await this.#says(expected, before)
  }

  async type(commands: readonly string[], expected: readonly string[]): Promise<void> {
    const title = commands.join('; ')
    const [first = ''] = commands
    if (first === `cd examples/${basename(this.#folder)}`) return // We are there.
    if (first === 'npm ci && npm start') return this.#start(['dev'], expected)
    if (first === 'openssl rand -base64 32 > .secret') {
      return writeFileSync(join(this.#folder, '.secret'), randomBytes(32).toString('base64'))
    }
    if (first.startsWith(SECRET)) return this.#terminals(commands, expected)
    if (/^npx lucilius (dev|up)\b/.test(first)) return this.#start(wordsOf(first).slice(2), expected)
    if (first.startsWith('kill -9 ')) {
      const printed = this.#running?.printed() ?? ''
      const name = this.#processes.get(first.slice('kill -9 '.length))
      const [, , pid] = [...printed.matchAll(READY)].find(([, other]) => other === name) ?? []
      process.kill(Number(pid), 'SIGKILL')
      return this.#says(expected, printed.length)
    }
    // After a change of a file it may take a moment.
    const end = performance.now() + PATIENCE_MS
    for (;;) {
      const printed = await this.#run(commands)
      if (printed === plain(expected) || performance.now() > end) {
        this.#t.equal(printed, plain(expected), title)
        return
      }
      await pause(50)
    }
  }

  /** Ctrl-C, as a terminal sends it, to all that runs there. */
  async end(): Promise<void> {
    const all = [...(this.#running === undefined ? [] : [this.#running]), ...this.#others]
    this.#running = undefined
    this.#others.length = 0
    for (const { child } of all) process.kill(-(child.pid ?? 0), 'SIGINT')
    for (const { ended } of all) this.#t.match(await ended, { code: 0, stderr: '' })
  }

  async #run(commands: readonly string[]): Promise<string> {
    const printed: string[] = []
    for (const command of commands) {
      const [npx, name = '', ...args] = wordsOf(command)
      if (npx === 'cat') {
        printed.push(readFileSync(join(this.#folder, name), 'utf8'))
        continue
      }
      if (npx !== 'npx' || name !== 'lucilius') throw new Error(`What is this? ${command}`)
      const { stdout, stderr } = await this.#ran(args)
      printed.push(stdout, stderr)
    }
    return plain(printed.join('').replaceAll(this.#folder, '…').trimEnd().split('\n'))
  }

  /** What only asks what runs needs no process of its own; what loads the system does, for its files change. */
  #ran(args: readonly string[]): Promise<Ran> {
    if (this.#running === undefined || args[0] === 'plan') return this.#lucilius(args).ended
    return lucilius(args, { cwd: this.#folder, env: this.#env })
  }

  async #start(args: readonly string[], expected: readonly string[]): Promise<void> {
    await this.end()
    this.#running = this.#lucilius(args)
    await this.#says(expected)
  }

  /** Types each in a terminal of its own. The last of them is the one that is looked at. */
  async #terminals(commands: readonly string[], expected: readonly string[]): Promise<void> {
    if (this.#others.length === 0) await this.end()
    for (const command of commands) {
      const [variable = '', , , ...args] = wordsOf(command)
      const [name = '', value = ''] = variable.split('=')
      this.#others.push(this.#lucilius(args, { [name]: value }))
    }
    for (const { says } of this.#others) await says(/"msg":"started"/)
    await this.#says(expected, 0, this.#others.at(-1))
  }

  /** Waits until what runs has printed these lines, in any order. */
  async #says(lines: readonly string[], before = 0, running = this.#running): Promise<void> {
    for (const line of lines) {
      await within(PATIENCE_MS, async () => {
        const printed = running?.printed().slice(before).split('\n') ?? []
        return printed.some((one) => plain([one]) === plain([line]))
      }).catch(() => this.#t.fail(line, { printed: running?.printed() }))
    }
  }

  #lucilius(args: readonly string[], more: { readonly [name: string]: string } = {}): Started {
    return startLucilius(this.#t, args, { cwd: this.#folder, env: { ...this.#env, ...more } })
  }
}

/** How a command begins that starts one process of several. */
const SECRET = 'LUCILIUS_SECRET_FILE=.secret npx lucilius start '

/** A process that is ready, as `up` prints it. */
const READY = /^(\S+) +\| ready, pid (\d+)/gm

/** Words as a shell splits them, as far as single quotes go. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|[^\s']+/g)].map(([word, quoted]) => quoted ?? word)
}

/** The lines of one side of a change. */
function linesOf(hunk: string, mark: RegExp): string {
  const lines = hunk.split('\n').filter((line) => mark.test(line))
  return lines.map((line) => `${line.slice(1)}\n`).join('')
}

/** Lines as one text, with every number as 0, but for those of replicas and of how many processes there are. */
function plain(lines: readonly string[]): string {
  return lines.join('\n').replaceAll(/(?<![a-z]\.|up: |\d)\d+(\.\d+)?/g, '0')
}
