import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import type { Test } from 'tap'

/** Why there is no pseudo-terminal here; false if there is. */
export const noTerminal: string | false =
  spawnSync('script', ['--version']).status === 0 && process.platform === 'linux'
    ? false
    : 'script (util-linux) is not here, which makes pseudo-terminals'

const escapes = {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what terminals are told.
  all: /\u001b\[[0-9;?]*[A-Za-z]/g,
}

/** The keys that are no characters. */
export const keys = { enter: '\r', tab: '\t', up: '\u001b[A', left: '\u001b[D', ctrlC: '\u0003', ctrlD: '\u0004' }

/** A program in a pseudo-terminal. */
export class Terminal {
  readonly ended: Promise<number>
  readonly #child: ChildProcess
  readonly #columns: number
  #screen = ''
  /** How much of it was waited for. */
  #seen = 0
  #look = () => {}

  constructor(
    t: Test,
    command: readonly string[],
    {
      cwd,
      env,
      columns = 80,
      rows = 24,
    }: {
      readonly cwd: string
      readonly env: Readonly<Record<string, string>>
      readonly columns?: number
      readonly rows?: number
    },
  ) {
    const line = `stty cols ${columns} rows ${rows}; tty; exec ${command.map((one) => `'${one}'`).join(' ')}`
    const { NODE_ENV, NODE_OPTIONS, FORCE_COLOR, NO_COLOR, ...clean } = process.env
    const child = spawn('script', ['-qfec', line, '/dev/null'], {
      cwd,
      env: { ...clean, TERM: 'xterm-256color', SHELL: '/bin/sh', ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#child = child
    this.#columns = columns
    child.stdout?.setEncoding('utf8').on('data', (text) => {
      this.#screen += text
      this.#look()
    })
    this.ended = new Promise((resolve) => child.once('close', (code) => resolve(code ?? -1)))
    t.teardown(async () => {
      child.kill('SIGKILL')
      await this.ended
    })
  }

  /** All that was written, without what moves the cursor or colours. */
  get text(): string {
    return this.#screen.replace(escapes.all, '')
  }

  /** All that was written. */
  get raw(): string {
    return this.#screen
  }

  /** What stands on it, row for row, from the first that was written; those that a small screen shows no more as well. */
  get rows(): readonly string[] {
    return drawn(this.#screen, this.#columns).rows
  }

  /** What stands on it before the cursor, its rows as one text. */
  get beforeCursor(): string {
    const { rows, row, column } = drawn(this.#screen, this.#columns)
    return `${rows.slice(0, row).join('')}${rows[row]?.slice(0, column)}`
  }

  type(text: string): void {
    this.#child.stdin?.write(text)
  }

  /** Waits until that is written, after what was waited for before. Gives what was written up to its end. */
  async says(pattern: RegExp): Promise<string> {
    const found = () => pattern.exec(this.text.slice(this.#seen))
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`${pattern} was not said:\n${JSON.stringify(this.#screen)}`)),
        10_000,
      )
      this.#look = () => {
        if (found() === null) return
        clearTimeout(timer)
        resolve()
      }
      void this.ended.then(() => {
        clearTimeout(timer)
        reject(new Error(`It ended before it said ${pattern}:\n${this.text}`))
      })
      this.#look()
    })
    this.#look = () => {}
    const match = found()
    const said = this.text.slice(this.#seen, this.#seen + (match?.index ?? 0) + (match?.[0].length ?? 0))
    this.#seen += said.length
    return said
  }

  /** Gives it another size. It is told by a signal. */
  resize(columns: number, rows: number): void {
    const [device = ''] = /\/dev\/pts\/\d+/.exec(this.text) ?? []
    execFileSync('stty', ['-F', device, 'cols', String(columns), 'rows', String(rows)])
  }
}

/** Draws what a terminal of so many columns is told, as far as prompts go: characters, line ends, moves and erasures. */
function drawn(written: string, columns: number): { rows: string[]; row: number; column: number } {
  const cells: string[][] = [[]]
  let [row, column] = [0, 0]
  const put = (character: string) => {
    if (column === columns) [row, column] = [row + 1, 0]
    const line = cells[row] ?? []
    cells[row] = line
    while (line.length < column) line.push(' ')
    line[column++] = character
  }
  const moves: { readonly [name: string]: (count: number) => void } = {
    A: (count) => (row = Math.max(0, row - (count || 1))),
    B: (count) => (row += count || 1),
    C: (count) => (column = Math.min(columns - 1, column + (count || 1))),
    D: (count) => (column = Math.max(0, column - (count || 1))),
    G: (count) => (column = (count || 1) - 1),
    J: () => {
      cells.length = Math.min(cells.length, row + 1)
      cells[row]?.splice(column)
    },
    K: () => cells[row]?.splice(column),
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what terminals are told.
  for (const [piece, count = '', name = ''] of written.matchAll(/\u001b\[\??(\d*)[0-9;]*([A-Za-z])|./gsu)) {
    if (name !== '') moves[name]?.(Number(count))
    else if (piece === '\r') column = 0
    else if (piece === '\n') row++
    else if (piece === '\b') column = Math.max(0, column - 1)
    else put(piece)
  }
  // A row that was skipped is empty.
  return { rows: Array.from(cells, (line = []) => line.join('').trimEnd()), row, column }
}
