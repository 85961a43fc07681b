import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import ts from 'typescript'
import { eventually } from '../core/eventually.js'
import { repoRoot } from '../support/repo-root.js'

const folder = join(repoRoot(), 'examples/currency')
const runner = fileURLToPath(new URL('../../examples/currency/split/main.js', import.meta.url))
const services = ['rates', 'convert', 'market', 'client']

t.test('a process takes its services from where the one process takes them', async (t) => {
  const whole = sourceOf('main.ts')
  const uses = usesOf(whole)
  const apart: string[] = []
  for (const name of services) {
    const source = sourceOf(`split/${name}.ts`)
    for (const use of usesOf(source)) t.ok(uses.includes(use), `${name}: .use(${use}) stands in main.ts, too`)
    for (const service of namesOf(usesOf(source))) {
      t.ok(whole.includes(`import { ${service} } from './${service}.js'`))
      t.ok(source.includes(`import { ${service} } from '../${service}.js'`), `${name} imports the same file`)
    }
    apart.push(...usesOf(source))
  }
  t.strictSame(apart.sort(), uses.sort(), 'nothing is missing')
})

t.test('besides the services a process only listens, connects, starts and ends', async (t) => {
  for (const name of services) {
    const rest = statementsOf(sourceOf(`split/${name}.ts`)).filter(
      (statement) =>
        !/^(import |const app = lucilius\(|app\.use\(|await app\.ready\(\))/.test(statement) &&
        !/\bapp\.(listen|connect)\(/.test(statement) &&
        !/^(endWithParent\(app\)|tellParent\(listener\.url\))$/.test(statement),
    )
    t.strictSame(rest, [], name)
  }
})

t.test('a service knows no transport and no process', async (t) => {
  for (const file of readdirSync(folder).filter((file) => file.endsWith('.ts') && file !== 'main.ts')) {
    const imports = [...sourceOf(file).matchAll(/(?:from|import) '([^']*)'/g)].map(([, name]) => name)
    t.strictSame(
      imports.filter((name) => name !== 'lucilius' && name !== './contracts.js'),
      [],
      file,
    )
  }
})

// Most of the time they wait for what is shown, so they run side by side.
t.jobs = 4
for (const [transport, signal] of [
  ['websocket', 'SIGINT'],
  ['http', 'SIGTERM'],
] as const) {
  t.test(`over ${transport} a second process shares the load, the first is killed, and nothing fails`, async (t) => {
    const system = start(t, transport)
    await system.until((line) => line.includes('conversions since then'))
    const { lines } = system
    const joined = lines.findIndex((line) => line.endsWith('convert-2 has joined'))
    const killed = lines.findIndex((line) => line.endsWith('convert-1 is killed'))
    const said = (who: string, what: RegExp, from: number, to?: number) =>
      lines.slice(from, to).some((line) => line.startsWith(`${who} `) && what.test(line))

    t.match(lines[0], new RegExp(`they talk ${transport}.*simulated.*Ctrl-C`))
    t.notOk(said('convert-2', /answered/, 0, joined), 'one converts')
    t.ok(said('convert-1', /answered \d+/, joined, killed), 'then two share')
    t.ok(said('convert-2', /answered \d+/, joined, killed), 'then two share')
    t.notOk(said('convert-1', /answered/, killed + 2), 'then the other one is left')
    t.ok(said('convert-2', /answered \d+/, killed))
    const answer = /100 usd = [\d.]+ eur .* 100 chf = \d+ jpy/
    t.ok(said('client', answer, 0, joined) && said('client', answer, joined, killed) && said('client', answer, killed))
    t.match(lines.at(-1), /^main +\| [1-9]\d* conversions since then, \d+ in all, 0 failed$/)
    t.strictSame(
      lines.filter((line) => /no answer|rror|unasked/.test(line)),
      [],
    )

    system.signal(signal)
    system.signal(signal) // A terminal and npm both send it.
    t.strictSame(await system.ended, { code: 0, complaints: '' })
    t.equal(system.isGone(), true, 'no process is left')
  })
}

t.test('processes whose parent is killed end by themselves', async (t) => {
  const system = start(t)
  await system.until((line) => line.startsWith('client'))
  system.signal('SIGKILL')
  await eventually(() => system.isGone(), 10_000)
})

t.test('a transport that there is not is refused in one line', async (t) => {
  const system = start(t, 'pigeon')
  t.strictSame(await system.ended, { code: 1, complaints: 'Give one of websocket and http, or nothing.\n' })
})

/** Starts the runner as the first of a group of processes, to see whether any of them is left. */
function start(t: Test, ...args: string[]) {
  const { NODE_ENV, NODE_OPTIONS, ...env } = process.env
  const child = spawn(process.execPath, [runner, ...args], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const group = -(child.pid ?? 0)
  const lines: string[] = []
  const waiting: (() => void)[] = []
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    for (const look of waiting) look()
  })
  const complaints = text(child.stderr)
  const code = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const isGone = () => {
    try {
      return !process.kill(group, 0)
    } catch {
      return true // ESRCH: there is no such group any more.
    }
  }
  t.teardown(() => isGone() || process.kill(group, 'SIGKILL'))
  return {
    lines,
    isGone,
    signal: (name: NodeJS.Signals) => void child.kill(name),
    until: (holds: (line: string) => boolean) =>
      new Promise<void>((resolve, reject) => {
        const look = () => lines.some(holds) && resolve()
        waiting.push(look)
        look()
        void code.then(() => reject(new Error(`It ended early:\n${lines.join('\n')}`)))
      }),
    ended: Promise.all([code, complaints]).then(([code, complaints]) => ({ code, complaints })),
  }
}

function sourceOf(file: string): string {
  return readFileSync(join(folder, file), 'utf8')
}

/** What stands in each `.use(…)`. */
function usesOf(source: string): string[] {
  return [...source.matchAll(/\.use\(([^()]*)\)/g)].map(([, use]) => use ?? '')
}

function namesOf(uses: readonly string[]): string[] {
  return uses.map((use) => use.split(',')[0] ?? '')
}

function statementsOf(source: string): string[] {
  const file = ts.createSourceFile('start.ts', source, ts.ScriptTarget.Latest)
  return file.statements.map((statement) => statement.getText(file))
}
