import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { logLines } from '../../lib/cli/print/log-lines.js'
import type { ControlClient } from '../../lib/system/control/control-client.js'
import { findControl } from '../../lib/system/control/find-control.js'
import { isOneLine, lucilius } from './fake-io.js'

const main = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url))

const ESC = '\u001b'

t.test('a JSON log line is printed as people read it, with its process in front', async (t) => {
  const printed = printing(['rates', 'convert.1'])
  const time = new Date(2026, 0, 2, 3, 4, 5, 67).getTime()
  printed.print(
    'rates',
    JSON.stringify({ level: 30, time, name: 'rates', peer: 'a', note: 'b c', n: 1, msg: 'connected' }),
  )
  printed.print('convert.1', JSON.stringify({ level: 40, time, name: 'other', process: 'convert.1', msg: 'slow' }))
  printed.print('rates', JSON.stringify({ level: 35, time, pid: 1, hostname: 'x', err: { message: 'no' } }))
  t.strictSame(printed.lines(), [
    'rates     | 03:04:05.067 info  connected peer=a note="b c" n=1',
    'convert.1 | 03:04:05.067 warn  slow name=other',
    'rates     | 03:04:05.067 35    err=no',
  ])
})

t.test('the stack of what failed stands below it', async (t) => {
  const printed = printing(['rates'])
  const err = { message: 'no rates', stack: 'Error: no rates\n    at rates.ts:1:2\n    at node:3' }
  printed.print('rates', JSON.stringify({ level: 50, time: 0, msg: 'failed', err }))
  const [first, ...more] = printed.lines()
  t.match(first, /error failed err="no rates"$/)
  t.strictSame(more, ['rates |   at rates.ts:1:2', 'rates |   at node:3'])
})

t.test('any other line is printed as it is, and none can move the cursor', async (t) => {
  const printed = printing(['rates'])
  for (const line of ['plain\ttext', '{"level":30}', '{not json', '[1]', '{"level":30,"time":1e300,"msg":"x"}', '']) {
    printed.print('rates', line)
  }
  printed.print('rates', `${ESC}[2Jgone`)
  printed.print('rates', JSON.stringify({ level: 30, time: 0, msg: `${ESC}[2J`, [`${ESC}k`]: `${ESC}v` }))
  printed.say('up', `${ESC}]0;title`)
  t.strictSame(printed.lines().slice(0, 6), [
    'rates | plain  text',
    'rates | {"level":30}',
    'rates | {not json',
    'rates | [1]',
    'rates | {"level":30,"time":1e300,"msg":"x"}',
    'rates | ',
  ])
  t.notOk(printed.lines().some((line) => line.includes(ESC)))
})

t.test('every process has a colour of its own where colours are wanted', async (t) => {
  const printed = printing(['rates', 'convert'], true)
  printed.print('rates', 'one')
  printed.print('convert', 'two')
  const [one = '', two = ''] = printed.lines()
  t.ok(one.startsWith(ESC) && two.startsWith(ESC))
  t.not(one.slice(0, 5), two.slice(0, 5))
})

t.test(
  'a process for each group and replica, until Ctrl-C drains those who ask before those who are asked',
  async (t) => {
    const up = await started(t, ['up', 'split'], 3)
    const door = up.lines.find((line) => /^convert\.1 \| ready, pid \d+, http at /.test(line)) ?? ''
    t.ok(up.lines.some((line) => /^rates {5}\| ready, pid \d+$/.test(line)))
    t.equal(up.lines.at(-1), 'up: 3 processes')
    const url = door.split(' at ')[1] ?? ''
    const reply = await fetch(`${url}/act`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"role":"convert","cmd":"rate"}',
    })
    t.match(await reply.json(), { rate: 0.9 })

    const control = await up.control()
    t.match(await control.about(), {
      name: 'shop',
      what: 'up-split',
      processes: [{ id: 'rates' }, { id: 'convert.1' }, {}],
    })
    t.match(await control.act('role:convert,cmd:rate'), { rate: 0.9 })
    t.same(
      (await control.list()).map(({ pattern }) => pattern),
      ['cmd:rate,role:convert', 'cmd:slow,role:convert', 'cmd:get,role:rates'].sort(),
    )
    control.close()

    // As a terminal does it: to all of them. What runs may finish, and may still ask.
    const slow = up.control().then((client) => client.act('role:convert,cmd:slow,ms:700'))
    await up.until((line) => line.includes('slow began'))
    up.signalAll('SIGINT')
    t.strictSame(await up.ended, { code: 0, complaints: '' })
    const drained = up.lines.filter((line) => line.endsWith('| closed')).map((line) => line.split(' ')[0])
    t.strictSame(drained, ['convert.1', 'convert.2', 'rates'])
    t.ok(
      up.lines.some((line) => line.endsWith('slow done with 0.9')),
      'what ran was finished',
    )
    await slow.catch(() => {}) // The socket for commands was closed.
    t.strictSame(readdirSync(up.runDir), [], 'no socket is left')
    t.ok(up.isGone(), 'no process is left')
  },
)

t.test('SIGTERM drains as well, and a second one ends all at once', async (t) => {
  const up = await started(t, ['up'], 3)
  void up.act('role:convert,cmd:slow,ms:60000').catch(() => {})
  await up.until((line) => line.includes('slow began'))
  up.signal('SIGTERM')
  await up.until((line) => line.includes('SIGTERM: draining'))
  await pause(300) // Within a quarter of a second it would be the same one.
  up.signal('SIGTERM')
  t.equal((await up.ended).code, 143)
  t.ok(up.isGone())
  t.strictSame(readdirSync(up.runDir), [])
})

t.test('a drain that hangs ends with 1, and says what hung', async (t) => {
  const up = await started(t, ['up'], 3, { LUCILIUS_DRAIN_MS: '200' })
  void up.act('role:convert,cmd:slow,ms:60000').catch(() => {})
  await up.until((line) => line.includes('slow began'))
  up.signal('SIGINT')
  const { code, complaints } = await up.ended
  t.equal(code, 1)
  t.match(complaints, /^lucilius: convert\.\d .*cmd:slow,role:convert\n$/)
})

t.test('the processes of one that is killed drain and end by themselves', async (t) => {
  const up = await started(t, ['up'], 3)
  up.signal('SIGKILL')
  await up.ended
  await eventually(() => up.isGone())
})

t.test('processes are killed, told to end and replaced under load, and no call fails that need not', async (t) => {
  const up = await started(t, ['up'], 3)
  const ids = ['convert.1', 'rates', 'convert.2']
  const newAfter = async (id: string, signal: NodeJS.Signals) => {
    const before = await up.pidOf(id)
    process.kill(before, signal)
    await eventually(async () => {
      const pids = await up.pidsOf(id)
      return pids.length === 1 && !pids.includes(before)
    })
  }

  const idempotent = await up.load('role:convert,cmd:rate')
  for (const id of ids) {
    await newAfter(id, 'SIGKILL')
    await up.until((line) => line.startsWith(id) && line.includes('was killed by SIGKILL; starts again in 0.1 s'))
  }
  t.strictSame(await idempotent.stop(), [], 'killed: idempotent calls')

  const all = await up.load('role:convert,cmd:slow,ms:20')
  for (const id of ids) await newAfter(id, 'SIGTERM')
  t.strictSame(await all.stop(), [], 'told to end: calls of any kind')

  const more = await up.load('role:convert,cmd:slow,ms:20')
  const before = await Promise.all(ids.map(up.pidOf))
  up.signal('SIGHUP')
  await up.until((line) => line.includes('all processes are replaced'))
  t.strictSame(await more.stop(), [], 'SIGHUP, one after the other: calls of any kind')
  const after = await Promise.all(ids.map(up.pidOf))
  t.notOk(before.some((pid) => after.includes(pid)))
  t.equal(up.lines.filter((line) => line.includes('starts again')).length, ids.length, 'only those killed have failed')
})

t.test('a process that dies again and again ends it all with 1, and it says who died of what', async (t) => {
  const up = start(t, ['up'], {}, { 'rates.mjs': sources['rates.mjs'].replace('/* later */', dies) })
  const { code, complaints } = await up.ended
  t.equal(code, 1)
  t.match(complaints, /^lucilius: rates exited with code 1: out of rates .*5 restarts within 30 s/)
  t.equal(up.lines.filter((line) => line.includes('starts again')).length, 5)
  t.ok(up.isGone())
})

t.test('what no second try changes ends it at once, with the place', async (t) => {
  const up = start(t, ['up'], {}, { 'rates.mjs': 'export const rates = (app) => { app.add( }\n' })
  const { code, complaints } = await up.ended
  t.equal(code, 1)
  t.match(complaints, /^lucilius: rates exited with code 1: .*rates\.mjs:1:\d+/)
  t.notOk(up.lines.some((line) => line.includes('starts again')))
})

t.test('the number of replicas may be given', async (t) => {
  const up = await started(t, ['up', '--replicas', 'convert=3', '--replicas', 'rates=2'], 5)
  t.strictSame((await up.about()).map(({ id }) => id).sort(), [
    'convert.1',
    'convert.2',
    'convert.3',
    'rates.1',
    'rates.2',
  ])
  t.match(await up.act('role:convert,cmd:rate'), { rate: 0.9 })
})

t.test('without a description every module in services runs in one process', async (t) => {
  const up = start(t, ['up'], {}, { 'lucilius.config.mjs': undefined, 'services/rates.mjs': sources['rates.mjs'] })
  await up.until((line) => line === 'up: 1 process')
  t.match(await up.act('role:rates,cmd:get'), { rate: 0.9 })
})

t.test('what is called wrongly is told in one line, and nothing is started', async (t) => {
  const wrong: [readonly string[], RegExp, Readonly<Record<string, string>>?][] = [
    [['up', 'splt'], /'splt'.*did you mean 'split'/],
    [['up', '--replicas', 'converts=2'], /'converts'.*did you mean 'convert'/],
    [['up', '--replicas', 'convert=2', '--config', 'single.config.mjs'], /there is one 'convert' in the whole system/],
    [['up'], /LUCILIUS_HTTP_PORT.*convert\.1, convert\.2/, { LUCILIUS_HTTP_PORT: '18080' }],
    [['up'], /LUCILIUS_LOG_LEVEL/, { LUCILIUS_LOG_LEVEL: 'loud' }],
  ]
  const single = config.replace("'./convert.mjs'", "'./convert.mjs', singleton: true").replace('replicas: 2,', '')
  const folder = folderOf(t, { 'single.config.mjs': single })
  for (const [args, message, env = {}] of wrong) {
    const { code, stdout, stderr } = await lucilius(args, { cwd: folder, env })
    t.equal(code, 2, stderr)
    t.match(stderr, message)
    t.ok(isOneLine(stderr), stderr)
    t.equal(stdout, '')
  }
})

const dies = "setTimeout(() => { throw new Error('out of rates') }, 10)"

const config = `export default {
  name: 'shop',
  // Whoever tries again is not to run out of tries on a slow machine.
  limits: { retry: { perSecond: 1000 } },
  services: { rates: './rates.mjs', convert: { module: './convert.mjs', uses: ['role:rates,cmd:get'] } },
  deployments: {
    split: {
      groups: {
        rates: ['rates'],
        convert: { services: ['convert'], replicas: 2, outside: { transport: 'http', expose: ['role:convert,cmd:rate'] } },
      },
    },
  },
}
`

/** A small system. What it prints tells a test how far it is. */
const sources = {
  'lucilius.config.mjs': config,
  'rates.mjs': `export const rates = (app) => {
  app.add('role:rates,cmd:get', { idempotent: true }, () => ({ rate: 0.9 }))
  app.onReady(() => { /* later */ })
  app.onClose(() => console.log('closed'))
}
`,
  'convert.mjs': `export const convert = (app) => {
  app.add('role:convert,cmd:rate', { idempotent: true }, async (message, context) => context.act('role:rates,cmd:get'))
  app.add('role:convert,cmd:slow', async ({ ms }, context) => {
    if (ms > 100) console.log('slow began')
    await new Promise((resolve) => setTimeout(resolve, ms))
    const { rate } = await context.act('role:rates,cmd:get')
    if (ms > 100) console.log('slow done with ' + rate)
    return { rate }
  })
  app.onClose(() => console.log('closed'))
}
`,
}

type Files = { readonly [path: string]: string | undefined }

/** Starts it, and waits until so many processes are up. */
async function started(t: Test, args: readonly string[], count: number, env: Readonly<Record<string, string>> = {}) {
  const up = start(t, args, env)
  await up.until((line) => line === `up: ${count} processes`)
  return up
}

/** Starts a command in a folder with the system, as the first of a group of processes. */
function start(t: Test, args: readonly string[], more: Readonly<Record<string, string>> = {}, files: Files = {}) {
  const folder = folderOf(t, files)
  const runDir = join(folder, 'run')
  const { NODE_ENV, NODE_OPTIONS, FORCE_COLOR, ...rest } = process.env
  const env = { ...rest, LUCILIUS_RUN_DIR: runDir, LUCILIUS_LOG_LEVEL: 'warn', ...more }
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const group = -(child.pid ?? 0)
  const isGone = () => {
    try {
      return !process.kill(group, 0)
    } catch {
      return true // ESRCH: there is no such group any more.
    }
  }
  t.teardown(async () => {
    if (!isGone()) process.kill(group, 'SIGKILL')
    await eventually(isGone)
  })
  return new Up(child, folder, runDir, isGone)
}

/** A folder with the system, and one for sockets; removed after the test. */
function folderOf(t: Test, files: Files): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lucilius-up-')))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'run'), { mode: 0o700 })
  mkdirSync(join(folder, 'services'))
  for (const [file, content] of Object.entries({ ...sources, ...files })) {
    if (content !== undefined) writeFileSync(join(folder, file), content)
  }
  return folder
}

class Up {
  readonly lines: string[] = []
  readonly runDir: string
  readonly isGone: () => boolean
  readonly ended: Promise<{ readonly code: number | null; readonly complaints: string }>
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #waiting = new Set<() => void>()

  constructor(child: ChildProcess, folder: string, runDir: string, isGone: () => boolean) {
    this.#child = child
    this.#folder = folder
    this.runDir = runDir
    this.isGone = isGone
    // Both are piped.
    createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
      this.lines.push(line)
      for (const look of [...this.#waiting]) look()
    })
    const complaints = text(child.stderr as NodeJS.ReadableStream)
    this.ended = once(child, 'close').then(async ([code]) => ({ code, complaints: await complaints }))
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** As a terminal does it. */
  signalAll(name: NodeJS.Signals): void {
    process.kill(-(this.#child.pid ?? 0), name)
  }

  until(holds: (line: string) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!this.lines.some(holds)) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
      void this.ended.then(({ complaints }) =>
        reject(new Error(`It ended early:\n${this.lines.join('\n')}\n${complaints}`)),
      )
    })
  }

  readonly control = async (): Promise<ControlClient> => {
    const client = await findControl(this.#folder, this.runDir)
    if (client === undefined) throw new Error('There is no control socket.')
    return client
  }

  async act(message: string): Promise<unknown> {
    const client = await this.control()
    try {
      return await client.act(message)
    } finally {
      client.close()
    }
  }

  readonly about = async () => {
    const client = await this.control()
    try {
      return (await client.about()).processes
    } finally {
      client.close()
    }
  }

  readonly pidsOf = async (id: string) => (await this.about()).filter((one) => one.id === id).map(({ pid }) => pid ?? 0)

  readonly pidOf = async (id: string) => (await this.pidsOf(id))[0] ?? 0

  /** A hundred calls a second until it is stopped. */
  async load(message: string) {
    const client = await this.control()
    const failed: string[] = []
    const running = new Set<Promise<unknown>>()
    let calls = 0
    const timer = setInterval(() => {
      calls++
      const call = client
        .act(message, { timeoutMs: 9000 })
        .catch((error) => failed.push(`${error.code} ${error.message}`))
      running.add(call)
      void call.finally(() => running.delete(call))
    }, 10)
    return {
      stop: async () => {
        clearInterval(timer)
        await Promise.all(running)
        client.close()
        if (calls < 20) failed.push(`only ${calls} calls were made`)
        return failed
      },
    }
  }
}

function printing(ids: readonly string[], color = false) {
  let all = ''
  const stdout = {
    write: (text: string) => {
      all += text
    },
  }
  const { print, say } = logLines(ids, { stdout, color })
  return { print, say, lines: () => all.split('\n').slice(0, -1) }
}

async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + 15_000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('It did not come about.')
    await pause(20)
  }
}
