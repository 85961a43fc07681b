import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { HOOK_TIMEOUT_MS } from '../../lib/hook.js'
import { LuciliusError } from '../../lib/index.js'
import { defineSystem } from '../../lib/system/define-system.js'
import { endMsOf } from '../../lib/system/end-limits.js'
import { type ChildMessage, type ParentMessage, sealed, toChildMessage, toParentMessage } from '../../lib/system/ipc.js'
import { fromArgument, toArgument } from '../../lib/system/supervise/assignment.js'
import { childEnvironment } from '../../lib/system/supervise/child-environment.js'
import { chooseDeployment } from '../../lib/system/supervise/choose-deployment.js'
import { describeEnd, describeHung, type End } from '../../lib/system/supervise/end.js'
import { onEndSignals } from '../../lib/system/supervise/end-signals.js'
import { isFinal, isTaken } from '../../lib/system/supervise/is-final.js'
import { Lines } from '../../lib/system/supervise/lines.js'
import { Restarts, restartLimits } from '../../lib/system/supervise/restarts.js'
import type { SupervisorOptions } from '../../lib/system/supervise/supervision.js'
import { Supervisor } from '../../lib/system/supervise/supervisor.js'
import { unplaced } from '../../lib/system/supervise/unplaced.js'
import type { Deployment } from '../../lib/system/system.js'
import { processesOf } from '../../lib/system/topology.js'

t.test('a process that dies again and again waits twice as long each time, up to five seconds', async (t) => {
  let now = 0
  const restarts = new Restarts({ ...restartLimits, restarts: 100 }, () => now)
  const waits = Array.from({ length: 8 }, () => {
    const waitMs = restarts.died() ?? 0
    now += waitMs
    restarts.ready()
    now += 1000
    return waitMs
  })
  t.strictSame(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000])
})

t.test('after thirty seconds of health the wait is short again', async (t) => {
  let now = 0
  const restarts = new Restarts(restartLimits, () => now)
  restarts.died()
  restarts.died()
  restarts.ready()
  now += 29_999
  t.equal(restarts.died(), 400)
  now += 60_000
  t.equal(restarts.died(), 800, 'a process that never became ready was not healthy')
  restarts.ready()
  now += 30_000
  t.equal(restarts.died(), 100)
})

t.test('a process is given up when it dies after five restarts within thirty seconds, and not before', async (t) => {
  let now = 0
  const often = new Restarts(restartLimits, () => now)
  const waits = Array.from({ length: 6 }, () => often.died())
  t.strictSame(waits, [100, 200, 400, 800, 1600, undefined])

  const seldom = new Restarts(restartLimits, () => now)
  for (let i = 0; i < 50; i++) {
    now += 6_000
    seldom.ready()
    t.type(seldom.died(), 'number')
    now += 1_000
  }
})

t.test('what a process prints is cut into lines, however it arrives', async (t) => {
  const lines: string[] = []
  const cut = new Lines((line) => lines.push(line), 10)
  for (const text of ['on', 'e\ntwo\r\n\nth', 'ree', '\n', '0123456789abc\n', 'rest']) cut.take(text)
  t.strictSame(lines, ['one', 'two', '', 'three', '0123456789', 'abc'])
  cut.end()
  cut.end()
  t.strictSame(lines.slice(6), ['rest'])
})

t.test('a line without end does not fill the memory', async (t) => {
  const lines: string[] = []
  const cut = new Lines((line) => lines.push(line), 10)
  for (let i = 0; i < 25; i++) cut.take('x')
  t.strictSame(lines, ['xxxxxxxxxx', 'xxxxxxxxxx'])
})

t.test(
  'messages between a process and its supervisor arrive as they were sent, anything else is ignored',
  async (t) => {
    const told: ChildMessage[] = [
      { type: 'listening', url: 'ws://127.0.0.1:1/ws' },
      { type: 'ready', doors: [{ transport: 'http', url: 'http://127.0.0.1:2' }] },
      { type: 'failed', message: 'no' },
      { type: 'failed', message: 'no', frame: '1 | x', final: true },
      { type: 'failed', message: 'no', taken: true },
      { type: 'leaving' },
      { type: 'files', files: ['a.ts'] },
      { type: 'sent', sending: { service: 'a', kind: 'emit', message: { b: 1 } } },
      { type: 'drained', hung: ['a:1'] },
    ]
    for (const message of told) t.strictSame(toChildMessage(sealed(message)), message)
    const asked: ParentMessage[] = [
      { type: 'addresses', addresses: { rates: 'ws://127.0.0.1:1/ws' } },
      { type: 'wait' },
      { type: 'stay' },
      { type: 'drain' },
      { type: 'changed', files: [] },
    ]
    for (const message of asked) t.strictSame(toParentMessage(sealed(message)), message)
    for (const message of [...told, ...asked]) {
      t.equal(toChildMessage(message), undefined, 'a word of a service')
      t.equal(toParentMessage(message), undefined)
    }
    const wrong = [
      undefined,
      null,
      'ready',
      {},
      [],
      { type: 'ready' },
      { type: 'ready', doors: [{ url: 'x' }] },
      { type: 'listening', url: 1 },
      { type: 'failed' },
      { type: 'files', files: 'a' },
      { type: 'drained', hung: [1] },
      { type: 'sent', sending: { service: 'a', kind: 'ask', message: {} } },
      { type: 'addresses', addresses: { rates: 1 } },
      { type: 'addresses' },
      { type: 'changed' },
      { type: 'unheard-of' },
    ]
    for (const value of wrong) {
      const message = { lucilius: value }
      t.equal(toChildMessage(message), undefined)
      t.equal(toParentMessage(message), undefined)
    }
  },
)

t.test('a process reads what it is to run as it was written, and refuses anything else', async (t) => {
  const assignment = { cwd: '/shop', deployment: 'split', process: 'convert.1', replicas: { convert: 3 } }
  t.strictSame(fromArgument(toArgument(assignment)), assignment)
  t.throws(() => fromArgument(undefined), /lucilius up/)
  t.throws(() => fromArgument('{"cwd":1}'), /lucilius up/)
})

t.test('a process gets the secret and nothing that would tell it another place in the system', async (t) => {
  const kept = { PATH: '/bin', LUCILIUS_LOG_LEVEL: 'warn', LUCILIUS_HTTP_PORT: '8080' }
  const variables = {
    ...kept,
    LUCILIUS_CONFIG: 'other.ts',
    LUCILIUS_PORT: '7',
    LUCILIUS_REPLICA: '2',
    LUCILIUS_PEERS_RATES: 'ws://elsewhere:1',
  }
  const made = 'the-secret-of-all-of-them'
  t.strictSame(childEnvironment(variables, made), { ...kept, LUCILIUS_SECRET: made })
  const given = { LUCILIUS_SECRET_FILE: '/secret' }
  t.strictSame(childEnvironment({ ...variables, ...given }, undefined), { ...kept, ...given }, 'a file stays a file')
  t.strictSame(childEnvironment({ ...kept, LUCILIUS_SECRET: made }, undefined), { ...kept, LUCILIUS_SECRET: made })
})

t.test('a process has the time to name an onClose hook that hangs before it is killed', async (t) => {
  t.ok(endMsOf(500) > 500 + HOOK_TIMEOUT_MS)
  t.ok(endMsOf(2 ** 31 - 1) < 2 ** 31, 'a timer of Node cannot be set to more')
})

t.test('without a name the only deployment runs, else the default one, else everything in one process', async (t) => {
  const services = { rates: './rates.js' }
  const one = { groups: { all: ['rates'] } } as const
  const chosen = (names: readonly string[], name?: string) => {
    const deployments = Object.fromEntries(names.map((known) => [known, one]))
    return chooseDeployment(defineSystem({ services, deployments }), name).name
  }
  t.equal(chosen(['split']), 'split')
  t.equal(chosen(['split', 'default']), 'default')
  t.equal(chosen(['split', 'other'], 'other'), 'other')
  t.strictSame([...chooseDeployment(defineSystem({ services }), undefined).groups.keys()], ['all'])
  const refused = { code: 'LUC_OPTIONS_INVALID' }
  t.throws(() => chosen(['split', 'other']), { ...refused, message: /split, other/ })
  t.throws(() => chosen(['split'], 'splt'), { ...refused, message: /did you mean 'split'/ })
  t.throws(() => chosen(['split'], 'kubernetes'), { ...refused, message: /there is split$/ })
  t.throws(() => chosen([], 'split'), { ...refused, message: /there is none/ })
})

t.test('a service that no group has is named', async (t) => {
  const services = { rates: './rates.js', mail: './mail.js' }
  const system = defineSystem({
    services,
    deployments: { split: { groups: { a: ['rates'] } }, all: { groups: { a: '*' } } },
  })
  const warnings = (name: string) => unplaced(system, chooseDeployment(system, name))
  t.strictSame(warnings('split'), ["'mail' is in no group of 'split': nobody runs it"])
  t.strictSame(warnings('all'), [])
})

t.test('how a process ended is told in a few words', async (t) => {
  const end: End = { code: 0, signal: null, wasReady: true, failure: undefined, lastLines: [], hung: [], late: false }
  t.equal(describeEnd({ ...end, code: null, signal: 'SIGKILL' }), 'was killed by SIGKILL')
  t.equal(describeEnd({ ...end, code: 1, failure: { message: 'no rates' } }), 'exited with code 1: no rates')
  t.equal(describeEnd({ ...end, code: 1, failure: { message: 'No rates.' } }), 'exited with code 1: No rates')
  t.equal(describeHung(end), undefined)
  t.match(describeHung({ ...end, code: 1, hung: ['a:1', 'b:2'] }), /a:1; b:2/)
  t.match(describeHung({ ...end, code: null, signal: 'SIGKILL', late: true }), /did not end in time/)
  t.equal(describeHung({ ...end, code: 7 }), 'exited with code 7')
  t.equal(describeHung({ ...end, code: null, signal: 'SIGINT', wasReady: false }), undefined, 'it was still starting')
})

t.test('a second try is spared where it would fail in the same way', async (t) => {
  const broken = Object.assign(new SyntaxError('no ;'), { stack: 'SyntaxError: no ;\n    at compileSourceTextModule' })
  const notFound = Object.assign(new Error('no module'), { code: 'ERR_MODULE_NOT_FOUND' })
  const failed = (cause: unknown) => new LuciliusError('LUC_PLUGIN_FAILED', 'no', { cause })
  for (const error of [new LuciliusError('LUC_OPTIONS_INVALID', 'no'), broken, failed(broken), failed(notFound)]) {
    t.ok(isFinal(error))
  }
  const circle = new Error('again')
  circle.cause = circle
  const noJson = (() => {
    try {
      return JSON.parse('<html>')
    } catch (error) {
      return error
    }
  })()
  for (const error of [failed(new Error('no database')), failed(noJson), circle, undefined, 'no'])
    t.notOk(isFinal(error))
  const taken = new LuciliusError('LUC_LISTEN_FAILED', 'no')
  t.notOk(isFinal(taken))
  t.ok([taken, failed(taken)].every(isTaken))
  t.notOk([failed(broken), circle, undefined, 'no'].some(isTaken))
})

t.test('one Ctrl-C that arrives twice is one, a later signal is the second', async (t) => {
  const heard: string[] = []
  const second = new Promise<void>((resolve) => {
    t.teardown(
      onEndSignals(
        (signal) => heard.push(`first ${signal}`),
        (signal) => {
          heard.push(`second ${signal}`)
          resolve()
        },
      ),
    )
  })
  process.emit('SIGINT', 'SIGINT')
  process.emit('SIGINT', 'SIGINT')
  t.strictSame(heard, ['first SIGINT'])
  setTimeout(() => process.emit('SIGTERM', 'SIGTERM'), 300)
  await second
  t.strictSame(heard, ['first SIGINT', 'second SIGTERM'])
})

// From here on with processes of their own.

// What the test runner loads is not for them, and takes each of them a second.
process.execArgv = []

const program = fileURLToPath(new URL('./supervise-child.js', import.meta.url))

t.test('each process learns where the others are, and that one is gone', async (t) => {
  const { supervisor, lines, until } = supervised(t, { rates: 'well', convert: 'well' })
  await supervisor.start()
  const [rates, convert] = supervisor.processes
  t.match(supervisor.processes, [
    { id: 'rates', group: 'rates', isReady: true, url: `test://${rates?.pid}`, doors: [{ transport: 'http' }] },
    { id: 'convert', group: 'convert', isReady: true },
  ])
  t.equal(supervisor.addresses.urlOf('rates'), `test://${rates?.pid}`)
  await until(() => lines.includes(`convert addresses {"rates":"test://${rates?.pid}"}`))
  await until(() => lines.includes(`rates addresses {"convert":"test://${convert?.pid}"}`))
  kill(rates?.pid)
  await until(() => lines.lastIndexOf('convert addresses {}') > lines.indexOf('rates ready'))
  const again = await until(() => supervisor.processes.find(({ id, pid }) => id === 'rates' && pid !== rates?.pid)?.url)
  await until(() => lines.includes(`convert addresses {"rates":"${again}"}`))
})

t.test('a process that is killed is there again at once', async (t) => {
  const { supervisor, events, until } = supervised(t, { rates: 'well' })
  await supervisor.start()
  const before = supervisor.processes[0]?.pid
  const began = performance.now()
  kill(before)
  await until(() => supervisor.processes[0]?.isReady && supervisor.processes[0].pid !== before)
  t.ok(performance.now() - began < 2000)
  t.ok(events.includes('rates died: was killed by SIGKILL, 100'))
})

t.test('who dies again and again is given up, and it is known of what', async (t) => {
  const { gaveUp, events, supervisor } = supervised(t, { rates: 'dies', convert: 'well' })
  supervisor.start().catch(() => {})
  const { id, end } = await gaveUp
  t.equal(id, 'rates')
  t.match(end, { code: 3, signal: null, lastLines: ['out of luck', 'for good'] })
  t.equal(events.filter((event) => event.startsWith('rates died')).length, 3)
  t.ok(
    supervisor.processes.some((one) => one.id === 'convert'),
    'what becomes of the others is for the caller to say',
  )
})

t.test('what no second try changes is not tried a second time', async (t) => {
  const { gaveUp, events, supervisor } = supervised(t, { rates: 'refuses' })
  supervisor.start().catch(() => {})
  const { end } = await gaveUp
  t.match(end.failure, { message: 'convert.ts: there is no ;', frame: '1 | convert' })
  t.strictSame(events, [])
})

t.test('a port that somebody else has is waited for only by who follows another process there', async (t) => {
  const file = fileOf(t)
  writeFileSync(file, '')
  const late = supervised(t, { rates: 'listens if' }, { args: [file] })
  late.supervisor.start().catch(() => {})
  t.match(await late.gaveUp, { id: 'rates', end: { failure: { final: true } } })
  t.strictSame(late.events, [])
  rmSync(file)

  const { supervisor, events, until } = supervised(t, { rates: 'listens if' }, { args: [file] })
  await supervisor.start()
  writeFileSync(file, '')
  kill(supervisor.processes[0]?.pid)
  await until(() => events.some((event) => event.includes('the port is taken')))
  rmSync(file)
  await until(() => supervisor.processes[0]?.isReady)
})

t.test('groups drain in their order, and nobody is started again meanwhile', async (t) => {
  const order = [['client'], ['convert'], ['rates']]
  const { supervisor, lines } = supervised(
    t,
    { rates: 'well', convert: 'well', client: 'well', aside: 'well' },
    { order },
  )
  await supervisor.start()
  t.strictSame(await supervisor.stop(), [])
  const drained = lines.filter((line) => line.endsWith('draining')).map((line) => line.split(' ')[0])
  t.strictSame(drained.slice(0, 2).sort(), ['aside', 'client'])
  t.strictSame(drained.slice(2), ['convert', 'rates'])
  t.strictSame(supervisor.processes, [])
})

t.test('a drain that hangs is ended, and is named', async (t) => {
  const { supervisor } = supervised(t, { rates: 'hangs', convert: 'hung' }, { endMs: 300 })
  await supervisor.start()
  t.match(
    [...(await supervisor.stop())].sort((a, b) => (a.id < b.id ? -1 : 1)),
    [
      { id: 'convert', what: /role:slow/ },
      { id: 'rates', what: /did not end in time/ },
    ],
  )
})

t.test('all end at once when they are killed', async (t) => {
  const { supervisor } = supervised(t, { rates: 'hangs', convert: 'hangs' })
  await supervisor.start()
  await supervisor.kill()
  t.strictSame(supervisor.processes, [])
})

t.test('processes are replaced one after the other, each new one ready before the old one drains', async (t) => {
  const { supervisor, events, lines } = supervised(t, { rates: 'well', convert: 'well' })
  await supervisor.start()
  const before = pids(supervisor)
  events.length = 0
  lines.length = 0
  await supervisor.roll()
  t.equal(pids(supervisor).filter((pid) => before.includes(pid)).length, 0, 'all are new')
  const course = lines.filter((line) => /ready|draining/.test(line))
  t.strictSame(course, ['rates ready', 'rates draining', 'convert ready', 'convert draining'])
  t.ok(
    lines.some((line) => /^convert addresses .*"rates":.*"rates\.2":/.test(line)),
    'peers know both while both are there',
  )
  t.strictSame(events, [], 'nobody died')
})

t.test('where two cannot be there at once, the old process ends before the new one starts', async (t) => {
  const { supervisor, lines } = supervised(t, { rates: 'well' }, { overlaps: false })
  await supervisor.start()
  lines.length = 0
  await supervisor.roll()
  t.strictSame(
    lines.filter((line) => /ready|draining/.test(line)),
    ['rates draining', 'rates ready'],
  )
})

t.test('a process that is told to end from outside is replaced, which is no failure', async (t) => {
  const { supervisor, events, until } = supervised(t, { rates: 'well' }, { restarts: 0 })
  await supervisor.start()
  for (let round = 0; round < 3; round++) {
    const before = pids(supervisor)
    process.kill(before[0] as number, 'SIGTERM')
    await until(() => supervisor.processes.length === 1 && !before.includes(pids(supervisor)[0] as number))
  }
  t.strictSame(events, ['rates leaving', 'rates leaving', 'rates leaving'])
})

t.test('a replacement that is told to end while it starts takes over, and is replaced in its turn', async (t) => {
  const { supervisor, events, lines, until } = supervised(t, { rates: 'well', convert: 'well' }, { restarts: 0 })
  await supervisor.start()
  const [before] = pids(supervisor)
  const rolled = supervisor.roll(['rates'])
  const next = await until(() =>
    supervisor.processes.find(({ id, pid, url }) => id === 'rates' && url && pid !== before),
  )
  process.kill(next.pid as number, 'SIGTERM')
  await rolled
  t.ok(lines.some((line) => line.startsWith('convert addresses') && line.includes(`test://${next.pid}`)))
  const [after] = supervisor.processes.filter(({ id }) => id === 'rates')
  t.notOk([before, next.pid].includes(after?.pid))
  await until(
    () =>
      lines.includes(`convert addresses {"rates":"${after?.url}"}`) ||
      lines.includes(`convert addresses {"rates.2":"${after?.url}"}`),
  )
  t.strictSame(events, ['rates leaving'])
})

t.test('a replacement that fails leaves the old process where it is', async (t) => {
  const file = fileOf(t)
  const { supervisor, events, lines, until } = supervised(t, { rates: 'dies if', convert: 'well' }, { args: [file] })
  await supervisor.start()
  const before = pids(supervisor)
  writeFileSync(file, '')
  await t.rejects(supervisor.roll(), { message: /exited with code 3/ })
  t.strictSame(pids(supervisor), before)
  process.kill(before[0] as number, 'SIGTERM')
  await until(() => events.some((event) => /rates stayed: exited with code 3/.test(event)))
  t.strictSame(pids(supervisor), before)
  const told = () => lines.filter((line) => line.startsWith('rates told'))
  await until(() => told().length === 2)
  t.strictSame(told(), ['rates told to wait', 'rates told to stay'])
  rmSync(file)
  await supervisor.roll()
  t.equal(pids(supervisor).filter((pid) => before.includes(pid)).length, 0)
})

t.test('where two cannot be there at once, nobody is said to stay when the new one dies', async (t) => {
  const file = fileOf(t)
  const { supervisor, events, until } = supervised(t, { rates: 'dies if' }, { args: [file], overlaps: false })
  await supervisor.start()
  writeFileSync(file, '')
  process.kill(pids(supervisor)[0] as number, 'SIGTERM')
  await until(() => events.length >= 2)
  rmSync(file)
  t.strictSame(events.slice(0, 2), ['rates leaving', 'rates died: exited with code 3, 100'])
  await until(() => supervisor.processes[0]?.isReady)
  t.notOk(events.some((event) => event.includes('stayed')))
})

t.test('who leaves each time before it is ready is given up like one who dies', async (t) => {
  const { supervisor, events, gaveUp } = supervised(t, { rates: 'leaves' }, { overlaps: false })
  supervisor.start().catch(() => {})
  const { id, end } = await gaveUp
  t.equal(id, 'rates')
  t.match(end, { code: 0 })
  t.equal(events.filter((event) => event.startsWith('rates died')).length, 3)
})

t.test('what hangs in a process that is replaced is named', async (t) => {
  for (const overlaps of [true, false]) {
    const { supervisor, events } = supervised(t, { rates: 'hung', convert: 'hangs' }, { overlaps, endMs: 200 })
    await supervisor.start()
    await supervisor.roll()
    t.match(events, [/^rates hung: still ran .*role:slow$/, /^convert hung: did not end in time/])
    t.equal(events.length, 2)
    await supervisor.kill()
  }
})

t.test('a process that dies while its replacement starts has been replaced', async (t) => {
  const { supervisor, events, until } = supervised(t, { rates: 'well' }, { restarts: 0 })
  await supervisor.start()
  const [before] = pids(supervisor)
  const rolled = supervisor.roll()
  await until(() => supervisor.processes.length === 2)
  kill(before)
  await rolled
  t.equal(supervisor.processes.length, 1)
  t.strictSame(events, [])
})

t.test('a stop in the middle of a replacement leaves no process', async (t) => {
  const { supervisor, until } = supervised(t, { rates: 'well', convert: 'well' })
  await supervisor.start()
  const rolled = supervisor.roll().catch((error) => error)
  await until(() => supervisor.processes.length === 3)
  await supervisor.stop()
  await rolled
  t.strictSame(supervisor.processes, [])
})

interface Differences {
  readonly order?: readonly (readonly string[])[]
  readonly overlaps?: boolean
  readonly restarts?: number
  readonly endMs?: number
  readonly args?: readonly string[]
}

/** A supervisor of groups of one process each, by what they do. */
function supervised(t: Test, groups: { readonly [group: string]: string }, differences: Differences = {}) {
  const { order = [], overlaps = true, restarts = 3, endMs = 5000, args = [] } = differences
  const services = { any: './any.js' }
  const described = Object.fromEntries(Object.keys(groups).map((name) => [name, ['any' as const]]))
  const system = defineSystem({ services, deployments: { test: { groups: described } } })
  const lines: string[] = []
  const events: string[] = []
  let look = () => {}
  const note = (list: string[], text: string) => {
    list.push(text)
    look()
  }
  let giveUp: (given: { readonly id: string; readonly end: End }) => void
  const gaveUp = new Promise<{ readonly id: string; readonly end: End }>((resolve) => {
    giveUp = resolve
  })
  const options: SupervisorOptions = {
    processes: processesOf(system.deployments.get('test') as Deployment),
    launch: ({ id }) => ({ entry: program, args: [groups[id] ?? '', ...args], env: process.env, endMs }),
    order: () => order,
    overlaps: () => overlaps,
    limits: { ...restartLimits, firstMs: 100, restarts },
    on: {
      line: (id, line) => note(lines, `${id} ${line}`),
      ready: (id) => note(lines, `${id} ready`),
      leaving: (id) => note(events, `${id} leaving`),
      stayed: (id, { message }) => note(events, `${id} stayed: ${message}`),
      hung: (id, what) => note(events, `${id} hung: ${what}`),
      died: (id, end, waitMs) => note(events, `${id} died: ${describeEnd(end)}, ${waitMs}`),
      gaveUp: (id, end) => giveUp({ id, end }),
    },
  }
  const supervisor = new Supervisor(options)
  t.teardown(() => supervisor.kill())
  const until = <T>(holds: () => T): Promise<NonNullable<T>> =>
    new Promise((resolve, reject) => {
      const timer = setInterval(() => look(), 20)
      const late = setTimeout(() => {
        clearInterval(timer)
        reject(new Error(`It did not come about:\n${lines.join('\n')}\n${events.join('\n')}`))
      }, 10_000)
      look = () => {
        const value = holds()
        if (!value) return
        clearInterval(timer)
        clearTimeout(late)
        resolve(value)
      }
      look()
    })
  return { supervisor, lines, events, gaveUp, until }
}

function pids(supervisor: Supervisor): number[] {
  return supervisor.processes.flatMap(({ pid }) => pid ?? [])
}

function kill(pid: number | undefined): void {
  if (pid !== undefined) process.kill(pid, 'SIGKILL')
}

/** The path of a file that is not there yet. */
function fileOf(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'lucilius-supervise-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'file')
}
