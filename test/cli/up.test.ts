import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { readRecording } from '../../lib/system/recording.js'
import { isOneLine, lucilius } from './fake-io.js'
import { config, eventually, folderOf, sources, start, started } from './up-program.js'

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
      deployment: 'split',
      processes: [{ id: 'rates' }, { id: 'convert.1' }, {}],
    })
    t.match(await control.act('role:convert,cmd:rate'), { rate: 0.9 })
    t.same(
      (await control.list()).map(({ pattern }) => pattern),
      ['cmd:rate,role:convert', 'cmd:slow,role:convert', 'cmd:get,role:rates'].sort(),
    )
    const second = await lucilius(['up', '--record', 'no/where'], {
      cwd: up.folder,
      env: { LUCILIUS_RUN_DIR: up.runDir },
    })
    t.match(second.stdout, /^up .*\| 'up split' runs here already, pid \d+: /m, 'two beside each other are told of')
    await t.rejects(control.store.report(), { code: 'LUC_STORE_REQUIRED' }, 'none of its processes has a store')
    control.close()

    // As a terminal does it: to all of them. What runs may finish, and may still ask.
    const slow = up.control().then((client) => client.act('role:convert,cmd:slow,ms:700'))
    await up.until((line) => line.includes('slow began'))
    up.signalAll('SIGINT')
    t.strictSame(await up.ended, { code: 0, complaints: '' })
    const drained = up.lines.filter((line) => line.endsWith('| closed')).map((line) => line.split(' ')[0])
    t.strictSame([...drained.slice(0, 2).sort(), ...drained.slice(2)], ['convert.1', 'convert.2', 'rates'])
    t.ok(
      up.lines.some((line) => line.endsWith('slow done with 0.9')),
      'what ran was finished',
    )
    await slow.catch(() => {}) // The socket for commands was closed.
    t.strictSame(readdirSync(up.runDir), [], 'no socket is left')
    t.ok(up.isGone(), 'no process is left')
    t.match(up.lines.at(-1), /^up +\| ended$/, 'the last line says that it is over')
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
  t.match(up.lines.at(-1), /^up +\| ended, exit code 1$/)
})

t.test('the number of replicas may be given, and what is asked while they start is answered', async (t) => {
  const up = start(t, ['up', '--replicas', 'convert=3', '--replicas', 'rates=2'])
  await eventually(() => readdirSync(up.runDir).some((name) => name.endsWith('.sock')))
  const [rate] = await Promise.all([up.act('role:convert,cmd:rate'), up.until((line) => line === 'up: 5 processes')])
  t.match(rate, { rate: 0.9 })
  t.strictSame((await up.about()).map(({ id }) => id).sort(), [
    'convert.1',
    'convert.2',
    'convert.3',
    'rates.1',
    'rates.2',
  ])
  await t.rejects(up.act('role:nobody'), { code: 'LUC_ACTION_NOT_FOUND' }, 'once all are there nothing waits')
})

t.test('a service that no group has is warned of', async (t) => {
  const more = config.replace("rates: './rates.mjs'", "rates: './rates.mjs', mail: './mail.mjs'")
  const up = await started(
    t,
    ['up'],
    3,
    {},
    { 'lucilius.config.mjs': more, 'mail.mjs': 'export const mail = () => {}\n' },
  )
  const warnings = up.lines.filter((line) => line.includes('in no group'))
  t.match(warnings, [/^up +\| 'mail' is in no group of 'split': nobody runs it$/])
  t.equal(warnings.length, 1)
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

t.test('what services send to whom is taken down, for plan to check', async (t) => {
  const up = await started(t, ['up', '--record', 'run.ndjson'], 3)
  for (let asked = 0; asked < 6; asked++) t.match(await up.act('role:convert,cmd:rate'), { rate: 0.9 })
  up.signal('SIGINT')
  t.equal((await up.ended).code, 0)
  t.strictSame(await readRecording(join(up.folder, 'run.ndjson')), [
    { service: 'convert', kind: 'act', message: { cmd: 'get', role: 'rates' } },
  ])
  const plan = await lucilius(['plan', 'split', '--strict', '--from-trace', 'run.ndjson'], { cwd: up.folder })
  t.equal(plan.code, 0, plan.stdout + plan.stderr)
  const nowhere = await lucilius(['up', '--record', 'no/where'], { cwd: up.folder })
  t.equal(nowhere.code, 1)
  t.match(nowhere.stderr, /no\/where cannot be written \(ENOENT\)/)
})

t.test('when it is over no signal is heard any more', async (t) => {
  process.execArgv = []
  const folder = folderOf(t, { 'rates.mjs': 'export const rates = (app) => { app.add( }\n' })
  const heard = () => (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => process.listenerCount(signal))
  const before = heard()
  const { code } = await lucilius(['up'], {
    cwd: folder,
    env: { ...process.env, LUCILIUS_RUN_DIR: join(folder, 'run') },
  })
  t.equal(code, 1)
  t.strictSame(heard(), before)
})
