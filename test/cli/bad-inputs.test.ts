import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readCases } from '../support/repo-root.js'
import { isOneLine } from './fake-io.js'
import { startLucilius } from './process.js'

/** A record of `test/cases/bad-inputs.json`: a call, and what must come of it. */
interface Case {
  readonly id: string
  readonly surface: string
  readonly name: string
  /** The arguments, as JSON. */
  readonly input: string
  readonly expected: {
    readonly exit: readonly number[]
    readonly withinMs?: number
    readonly stdoutMustNotContain?: readonly string[]
    readonly note?: string
  }
}

/** The command that runs a system; the records call it `run`, and give it a file where it takes `--config`. */
const RUN = 'dev'

const cases = readCases<Case[]>('bad-inputs.json').filter(({ surface }) => surface === 'cli')

const folder = mkdtempSync(join(tmpdir(), 'luc-bad-'))
mkdirSync(join(folder, 'run'), { mode: 0o700 })
t.teardown(() => rmSync(folder, { recursive: true, force: true }))
const env = { LUCILIUS_RUN_DIR: join(folder, 'run') }

writeFileSync(join(folder, 'throws.js'), "throw new Error('at the top')\n")
writeFileSync(
  join(folder, 'slow-close.js'),
  described('app.onClose(() => new Promise((done) => setTimeout(done, 9000)))'),
)
writeFileSync(join(folder, 'lucilius.config.js'), described(''))

const busy = createServer().listen(0, '127.0.0.1')
const evil = createServer((socket) => {
  socket.on('error', () => {})
  const body = JSON.stringify({ text: 'raw' }).replace('raw', '\u001b[2J\\u001b[31m')
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`
  socket.once('data', () => socket.end(`${head}Connection: close\r\n\r\n${body}`))
}).listen(0, '127.0.0.1')
t.teardown(() => {
  busy.close()
  evil.close()
})

t.test('no call of the command line does harm, and each mistake is told in one line', async (t) => {
  t.ok(cases.length >= 10, 'the records are there')
  for (const one of cases) {
    await t.test(`${one.id}: ${one.name}`, async (t) => {
      const began = performance.now()
      const { code, stdout, stderr } = await outcome(t, one)
      t.ok(one.expected.exit.includes(code), `exit ${one.expected.exit.join(' or ')}, got ${code}: ${stderr}`)
      if (code !== 0) t.ok(isOneLine(stderr), `one line: ${JSON.stringify(stderr)}`)
      for (const never of one.expected.stdoutMustNotContain ?? []) t.notMatch(stdout, never)
      if (one.expected.note?.includes('EADDRINUSE')) t.match(stderr, new RegExp(`${portOf(busy)}.*EADDRINUSE`))
      t.ok(performance.now() - began < (one.expected.withinMs ?? 20_000), 'in time')
    })
  }
})

async function outcome(t: Test, { name, input }: Case) {
  const argv = argvOf(JSON.parse(input))
  const started = startLucilius(t, argv, { cwd: folder, env })
  if (name === 'SIGINT twice') {
    await started.says(/up and running/)
    started.child.kill('SIGINT')
    await started.says(/drain/)
    await new Promise((resolve) => setTimeout(resolve, 400)) // sooner a second one is taken for the first
    started.child.kill('SIGINT')
  }
  return started.ended
}

function argvOf([command = '', ...args]: string[]): string[] {
  const filled = args.map((arg) =>
    arg
      .replace('«busyport»', String(portOf(busy)))
      .replace('«evilserver»', `http://127.0.0.1:${portOf(evil)}`)
      .replace(/«fixture:(.*)»/, (_, file) => join(folder, file)),
  )
  if (command !== 'run') return [command, ...filled]
  const [first = ''] = filled
  return first.startsWith('--') ? [RUN, ...filled] : [RUN, '--config', ...filled]
}

function described(setUp: string): string {
  return `export const system = {
    services: { one: async () => (app) => {
      app.onReady(() => console.log('up and running'))
      ${setUp}
    } },
    deployments: { dev: { groups: { all: { services: '*', outside: { transport: 'http', expose: '*' } } } } },
  }`
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port // it listens on a port
}

type Test = Parameters<typeof startLucilius>[0]
