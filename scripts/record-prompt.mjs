/**
 * Records a session of the prompt against the currency system, and writes it into docs/prompt.md.
 *
 * Runs `lucilius up split` and, in a pseudo-terminal, `lucilius repl`, by the program that is given or the built one.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const main = resolve(process.argv[2] ?? join(root, 'build/lib/cli/main.js'))
const page = join(root, 'docs/prompt.md')

const COLUMNS = 110
const ROWS = 40
/** Milliseconds in which each line has its answer. */
const ANSWER_MS = 10_000

/** What is typed, and how long it is looked at: trace shows what others send meanwhile. */
const session = [
  ['.list role:convert'],
  ['role:convert,cmd:amount,from:usd,to:eur,amount:100'],
  ['role:convert,cmd:amount,from:usd,to:eur,amount:100'],
  ['role:convert,cmd:rate,from:usd,to:gold'],
  ['.explain role:convert,cmd:amount,from:usd,to:jpy,amount:100'],
  ['.trace on'],
  ['role:convert,cmd:amount,from:usd,to:jpy,amount:100', 1200],
  ['.trace off'],
]

const folder = mkdtempSync(join(tmpdir(), 'lucilius-prompt-'))
const env = {
  ...process.env,
  LUCILIUS_RUN_DIR: folder,
  LUCILIUS_LOG_LEVEL: 'warn',
  XDG_STATE_HOME: folder,
  TERM: 'xterm',
  NO_COLOR: '1',
}
const config = ['--config', join(root, 'examples/currency')]
const up = spawn(process.execPath, [main, 'up', 'split', ...config], { env, stdio: ['ignore', 'pipe', 'inherit'] })
let prompt
try {
  await said(up, /^up: \d+ processes$/m)
  const command = `stty cols ${COLUMNS} rows ${ROWS}; exec '${process.execPath}' '${main}' repl ${config.join(' ')}`
  prompt = spawn('script', ['-qfec', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] })
  let screen = ''
  prompt.stdout.setEncoding('utf8').on('data', (text) => {
    screen += text
  })
  const atPrompt = () => until(() => rendered(screen).at(-1) === '>')
  await atPrompt()
  for (const [index, [line, lookMs = 0]] of session.entries()) {
    prompt.stdin.write(`${line}\r`)
    await until(() => rendered(screen).filter((shown) => shown.startsWith('> ')).length > index)
    await atPrompt()
    await new Promise((done) => setTimeout(done, lookMs))
  }
  const lines = rendered(screen)
  prompt.stdin.write('.exit\r')
  await once(prompt, 'close')
  write(['$ lucilius repl', ...lines.slice(0, -1), '> .exit'])
} finally {
  prompt?.kill()
  up.kill('SIGTERM')
  if (up.exitCode === null) await once(up, 'close')
  rmSync(folder, { recursive: true, force: true })
}

function write(lines) {
  const before = readFileSync(page, 'utf8')
  const [, head, tail] = /^(.*<!-- recorded -->\n\n)```console\n.*?\n```(.*)$/s.exec(before)
  writeFileSync(page, `${head}\`\`\`console\n${lines.join('\n')}\n\`\`\`${tail}`)
  console.log(`${lines.length} lines are in docs/prompt.md`)
}

/** The lines that a terminal shows after this was written to it: what `node:readline` needs, and no more. */
function rendered(written) {
  const lines = [[]]
  let [row, column] = [0, 0]
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what terminals are told.
  for (const [part, count, command] of written.matchAll(/\u001b\[([0-9;?]*)([A-Za-z])|./gs)) {
    const by = Number(count || 1)
    if (command === 'G') column = by - 1
    else if (command === 'A') row = Math.max(0, row - by)
    else if (command === 'C') column += by
    else if (command === 'D') column = Math.max(0, column - by)
    else if (command === 'J') {
      lines.length = row + 1
      lines[row].length = Math.min(lines[row].length, column)
    } else if (command === 'K') lines[row].length = Math.min(lines[row].length, column)
    else if (part === '\r') column = 0
    else if (part === '\n') {
      row++
      lines[row] ??= []
    } else if (command === undefined) lines[row][column++] = part
  }
  return lines.map((line) =>
    Array.from(line, (one) => one ?? ' ')
      .join('')
      .trimEnd(),
  )
}

async function said(child, pattern) {
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (more) => {
    text += more
  })
  await until(() => pattern.test(text))
}

async function until(holds) {
  const end = performance.now() + ANSWER_MS
  while (!holds()) {
    if (performance.now() > end) throw new Error(`It did not come about: ${holds}`)
    await new Promise((done) => setTimeout(done, 20))
  }
}
