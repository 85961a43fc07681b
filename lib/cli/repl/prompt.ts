import { clearScreenDown, createInterface, cursorTo, type Interface, moveCursor } from 'node:readline'
import { createColors } from 'picocolors'
import { exitCodes } from '../exit-codes.js'
import type { Io, Terminal } from '../io.js'
import type { Paint } from '../print/log-entry.js'
import { type Completion, complete } from './complete.js'
import type { Connection } from './connection.js'
import { type Typed, toTyped } from './dot-commands.js'
import { fold } from './fold.js'
import { heed, isAsked } from './heed.js'
import { History, historyFile, MOST_LINES } from './history.js'
import { helpLines, terminalVoice } from './terminal-voice.js'
import type { Voice } from './voice.js'

/** Rows of the screen that are left for the line that was typed, the one about the rest, and the next prompt. */
const OTHER_ROWS = 4

/** A prompt at a terminal: one line after the other, from the first to the last. */
export class Prompt {
  readonly #terminal: Terminal
  readonly #connection: Connection
  readonly #history: History
  readonly #paint: Paint
  readonly #voice: Voice
  readonly #lines: Interface
  /** What was typed and has not been heeded yet. */
  readonly #waiting: string[] = []
  /** What did not fit on the screen. */
  #rest: readonly string[] = []
  /** What Tab completes. */
  #patterns: readonly string[] = []
  /** Gives up what is under way. */
  #cancel: AbortController | undefined
  #isBusy = false
  #isClosed = false
  /** Ctrl-C was the last key, at an empty prompt. */
  #isLeaving = false

  constructor(terminal: Terminal, connection: Connection, { env, color }: Io) {
    this.#terminal = terminal
    this.#connection = connection
    this.#history = new History(historyFile(env))
    this.#paint = createColors(color)
    const columns = () => terminal.output.columns
    this.#voice = terminalVoice(
      {
        get columns() {
          return columns()
        },
        fold: (lines, after = []) => this.#fold(lines, after),
        write: (lines) => this.#write(lines),
      },
      this.#paint,
    )
    // Before the lines: where a terminal goes away, what was half typed comes as a line, which nobody has sent.
    terminal.input.once('end', () => {
      this.#isClosed = true
    })
    this.#lines = createInterface({
      ...terminal,
      terminal: true,
      prompt: `${this.#paint.bold('>')} `,
      history: this.#history.read().toReversed(),
      historySize: MOST_LINES,
      removeHistoryDuplicates: true,
      completer: (line: string) => this.#complete(line),
    })
  }

  /** Takes lines until the person leaves. Gives the exit code. */
  async run(what: string): Promise<number> {
    const lines = this.#lines
    const closed = new Promise((resolve) => lines.once('close', resolve))
    lines.on('history', (history: string[]) => {
      if (!this.#history.keeps(history[0] ?? '')) history.shift()
    })
    lines.on('SIGINT', () => this.#onCancel())
    lines.on('line', (line) => {
      if (this.#isClosed) return
      this.#waiting.push(line)
      void this.#work()
    })
    this.#terminal.input.on('keypress', (_, key?: { readonly ctrl?: boolean; readonly name?: string }) => {
      if (key?.ctrl !== true || key.name !== 'c') this.#isLeaving = false
    })
    const end = () => lines.close()
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, end)
    await this.#learn()
    this.#isBusy = true
    this.say(`${what}. Type a message; .help tells more, Ctrl-D leaves.`)
    this.#ask()
    await closed
    this.#isClosed = true
    this.#cancel?.abort()
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.off(signal, end)
    this.#terminal.output.write('\n')
    return exitCodes.done.code
  }

  /** Tells something, wherever the cursor is. */
  say(text: string): void {
    this.#voice.say(text)
  }

  #ask(): void {
    if (this.#isClosed) return
    this.#isBusy = false
    this.#lines.prompt(true) // what was typed meanwhile stays
  }

  async #work(): Promise<void> {
    if (this.#isBusy) return
    this.#isBusy = true
    for (let line = this.#waiting.shift(); line !== undefined; line = this.#waiting.shift()) {
      this.#history.add(line)
      await this.#heed(line)
    }
    this.#ask()
  }

  async #heed(line: string): Promise<void> {
    let typed: Typed | undefined
    try {
      typed = toTyped(line)
      if (typed === undefined) return
      if (!isAsked(typed)) return this.#own(typed)
    } catch (error) {
      return this.#voice.failure(error, undefined)
    }
    this.#cancel = new AbortController()
    await heed(typed, this.#connection, this.#voice, this.#cancel.signal)
    this.#cancel = undefined
  }

  /** What the prompt does by itself. */
  #own({ name, rest }: Exclude<Typed, { readonly kind: 'message' }>): void {
    if (name === '.exit') this.#lines.close()
    if (name === '.help') this.#fold(helpLines(), [])
    if (name === '.more') this.#fold(this.#rest.length === 0 ? [this.#paint.dim('There is no more.')] : this.#rest, [])
    if (name === '.history') this.#keep(rest)
  }

  #keep(word: string): void {
    if (word === 'clear') {
      this.#history.clear()
      const { history } = this.#lines as Interface & { readonly history?: string[] } // not in the types, but in the docs
      history?.splice(0)
      this.say('No line is kept any more.')
      return
    }
    this.#history.keep(word === 'on')
    this.say(word === 'on' ? 'Lines are kept.' : 'Lines are not kept from here on.')
  }

  /** Ctrl-C gives up what is under way, else what is typed, else, twice, the prompt. */
  #onCancel(): void {
    if (this.#cancel !== undefined) this.#cancel.abort()
    else if (this.#lines.line !== '') this.#clearLine()
    else if (this.#isLeaving) this.#lines.close()
    else {
      this.#isLeaving = true
      this.say('Ctrl-C again or Ctrl-D leaves.')
    }
  }

  #clearLine(): void {
    this.#lines.write(null, { ctrl: true, name: 'e' })
    this.#lines.write(null, { ctrl: true, name: 'u' })
  }

  /** Completes at once, by what was known until now: keys that follow must not overtake it. */
  #complete(line: string): Completion {
    void this.#learn()
    return complete(line, this.#patterns)
  }

  async #learn(): Promise<void> {
    try {
      const system = await this.#connection.system()
      this.#patterns = (await system.list(undefined)).map(({ pattern }) => pattern)
    } catch {
      // Who is not told what there is types it.
    }
  }

  #fold(lines: readonly string[], after: readonly string[]): void {
    const { columns, rows } = this.#terminal.output
    const { shown, rest, left } = fold(lines, columns, rows - OTHER_ROWS)
    this.#rest = rest
    const more = `… ${left} more ${left === 1 ? 'line' : 'lines'}, .more shows them`
    this.#write([...shown, ...(left === 0 ? [] : [this.#paint.dim(more)]), ...after])
  }

  /** Writes lines above the prompt, which comes again with what was typed. */
  #write(written: readonly string[]): void {
    const { output } = this.#terminal
    if (written.length === 0 || this.#isClosed) return
    const text = `${written.join('\n')}\n`
    if (this.#isBusy) {
      output.write(text)
      return
    }
    const { rows } = this.#lines.getCursorPos()
    moveCursor(output, 0, -rows)
    cursorTo(output, 0)
    clearScreenDown(output)
    // The prompt goes up by the rows that it takes itself before it is drawn.
    output.write(`${text}${'\n'.repeat(rows)}`)
    this.#lines.prompt(true)
  }
}
