import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { curlLine } from '../../lib/cli/dev/curl.js'
import { readRecording } from '../../lib/system/recording.js'
import { eventually, startDev } from './dev-program.js'
import { isOneLine, lucilius } from './fake-io.js'

t.setTimeout(120_000)

const config = `export default {
  name: 'shop',
  services: { rates: './rates.ts', count: './count.mjs' },
  deployments: {
    split: {
      groups: {
        count: ['count'],
        rates: { services: ['rates'], outside: { transport: 'http', expose: ['role:rates,cmd:*', 'role:count,cmd:*'] } },
      },
    },
  },
}
`

/** What comes at the end of the file can be given. */
const rates = (rate: string, more = '') => `export function rates(app: any) {
  app.add('role:rates,cmd:get', () => ({ rate: ${rate} }))
  app.add('role:rates,cmd:slow', async () => {
    console.log('slow began')
    await new Promise((resolve) => setTimeout(resolve, 400))
    return { rate: ${rate} }
  })
  ${more}
}
`
const count = `export const count = (app) => {
  let count = 0
  app.add('role:count,cmd:next', () => ++count)
}
`
/** An action that asks another service. */
const asks = "app.add('role:rates,cmd:count', (_, { act }) => act('role:count,cmd:next', { by: 1 }))"
const asked = { service: 'rates', kind: 'act', message: { cmd: 'next', role: 'count' } }
const files = { 'lucilius.config.mjs': config, 'rates.ts': rates('1'), 'count.mjs': count }

t.test('everything runs in one process, and a door comes with a line for the shell that works', async (t) => {
  const dev = startDev(t, files)
  await dev.says(/dev: shop: rates, count in one process, ready after \d+ ms/)
  const url = await dev.says(/http at (http:\S+)\n/)
  const line = await dev.says(/(curl .*)\n/)
  const curl = spawnSync('sh', ['-c', `${line} --silent`], { encoding: 'utf8' })
  t.strictSame(JSON.parse(curl.stdout), { rate: 1 })
  t.ok(line.endsWith(`${url}/act`))
  t.strictSame(await dev.act('role:rates,cmd:get'), { rate: 1 })
  const outside = await fetch(`${url}/act`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"role":"count","cmd":"next"}',
  })
  t.equal(outside.status, 404, 'a door lets in what it lets in when the groups run apart')

  dev.signalAll('SIGINT')
  t.match(await dev.ended, { code: 0, stderr: '' })
  t.ok(dev.isGone(), 'no process is left')
  t.strictSame(dev.sockets(), [], 'no socket is left')
})

t.test('a changed service answers anew, the others keep what they know, and no message is lost', async (t) => {
  const dev = startDev(t, files)
  await dev.says(/ready after/)
  const pid = await dev.pidOfSystem()
  t.equal(await dev.act('role:count,cmd:next'), 1)
  const slow = dev.act('role:rates,cmd:slow')
  await dev.says(/slow began/)
  const changed = performance.now()
  dev.write('rates.ts', rates('2'))
  // From now on until the new code answers, each is answered by the old or the new code.
  const replies: unknown[] = []
  await eventually(async () => {
    const reply = (await dev.act('role:rates,cmd:get')) as { rate: number }
    replies.push(reply.rate)
    return reply.rate === 2
  })
  t.comment(`edit to answer: ${Math.round(performance.now() - changed)} ms, with 400 ms of work to finish`)
  t.ok(replies.every((rate) => rate === 1 || rate === 2))
  t.strictSame(await slow, { rate: 1 }, 'what ran is finished by the old code')
  await dev.says(/dev: replaced rates \(rates\.ts\) within \d+ ms/)
  t.equal(await dev.act('role:count,cmd:next'), 2)
  t.equal(await dev.pidOfSystem(), pid)
})

t.test(
  'what cannot be loaded or set up is shown with its place, the old code goes on, the next save mends it',
  async (t) => {
    const dev = startDev(t, files)
    await dev.says(/ready after/)
    t.equal(await dev.act('role:count,cmd:next'), 1)
    const wrong: [string, RegExp, RegExp][] = [
      ['export function rates(app: any) {\n  const = 2\n}\n', /rates\.ts:2:9\)/, /> 2 \| {3}const = 2/],
      [rates('2', "throw new Error('no rates')"), /no rates \(rates\.ts:8:9\)/, /> +8 \| {3}throw new Error/],
      ["import './nowhere.js'\n", /nowhere.*\(rates\.ts:1:8\)/s, /> 1 \| import/],
    ]
    for (const [text, message, frame] of wrong) {
      dev.write('rates.ts', text)
      await dev.says(message)
      await dev.says(frame)
      await dev.says(/the old code of 'rates' runs on/)
      t.strictSame(await dev.act('role:rates,cmd:get'), { rate: 1 })
    }
    // A file that was asked for and is there now counts as changed.
    dev.write('nowhere.js', '')
    await dev.says(/has no plugin in it/)
    dev.write('rates.ts', rates('3'))
    await dev.says(/replaced rates/)
    t.strictSame(await dev.act('role:rates,cmd:get'), { rate: 3 })
    t.equal(await dev.act('role:count,cmd:next'), 2)
  },
)

t.test('a helper that changed while its service was broken is not forgotten', async (t) => {
  const service = (name: string) => `import { rate } from './${name}.js'\n${rates('rate')}`
  const dev = startDev(t, { ...files, 'rates.ts': service('helper'), 'helper.js': 'export const rate = 1\n' })
  await dev.says(/ready after/)
  dev.write('rates.ts', 'const const\n')
  await dev.says(/runs on/)
  dev.write('helper.js', 'export const rate = 7\n')
  await dev.says(/runs on/)
  dev.write('rates.ts', service('helper'))
  await dev.says(/replaced rates/)
  t.strictSame(await dev.act('role:rates,cmd:get'), { rate: 7 })
  dev.write('helper.js', 'export const rate = 8\n')
  await dev.says(/replaced rates \(helper\.js\)/)
  t.strictSame(await dev.act('role:rates,cmd:get'), { rate: 8 })
})

t.test('the description and what services share start everything again, at the same address', async (t) => {
  const shared = {
    ...files,
    'rates.ts': `import './shared.js'\n${rates('1', asks)}`,
    'count.mjs': `import './shared.js'\n${count}`,
  }
  const dev = startDev(t, { ...shared, 'shared.js': '' }, ['--record', 'run.ndjson'])
  const url = await dev.says(/http at (http:\S+)/)
  const pid = await dev.pidOfSystem()
  await dev.act('role:rates,cmd:count')
  dev.write('shared.js', 'export const more = 1\n')
  await dev.says(/dev: shared\.js is part of rates and count: everything starts again\n/)
  await dev.says(/ready after/)
  t.not(await dev.pidOfSystem(), pid)
  dev.write('lucilius.config.mjs', config.replace("'shop'", "'market'"))
  await dev.says(/lucilius\.config\.mjs has changed: everything starts again/)
  await dev.says(/dev: market: .*ready/)
  const reply = await fetch(`${url}/act`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"role":"rates","cmd":"get"}',
  })
  t.strictSame(await reply.json(), { rate: 1 })
  t.equal(dev.sockets().length, 1)
  await dev.act('role:rates,cmd:count')
  dev.signal('SIGTERM')
  t.match(await dev.ended, { code: 0, stderr: '' })
  t.strictSame(await readRecording(join(dev.folder, 'run.ndjson')), [asked], 'what is sent is recorded, once')
})

t.test(
  'a start that fails says where and why, and a change starts it, where somebody is there to make one',
  async (t) => {
    const dev = startDev(t, { ...files, 'rates.ts': 'export function rates(app {\n}\n' }, [], {}, true)
    await dev.says(/rates\.ts:1:\d+\)/)
    await dev.says(/> 1 \| export function rates\(app \{/)
    await dev.says(/nothing runs; the next change starts it again/)
    dev.write('rates.ts', rates('1', 'app.onReady(() => { undefined.x })'))
    await dev.says(/rates\.ts:8:\d+\)/)
    await dev.says(/nothing runs/)
    dev.write('lucilius.config.mjs', 'export default { services: { rates: 7 } }\n')
    await dev.says(/lucilius: lucilius\.config\.mjs: services\.rates: /)
    await dev.says(/nothing runs/)
    dev.replace({ 'lucilius.config.mjs': config, 'rates.ts': rates('4') })
    await dev.says(/ready after/)
    t.strictSame(await dev.act('role:rates,cmd:get'), { rate: 4 })
  },
)

t.test('a service that ends the process, throws late or never comes to an end, ends only what runs', async (t) => {
  const dev = startDev(t, {
    ...files,
    'rates.ts': rates('1', "app.add('role:rates,cmd:end', () => { process.exit(3) })"),
  })
  await dev.says(/ready after/)
  await dev.act('role:rates,cmd:end').catch(() => {})
  await dev.says(/process\.exit\(3\) was called \(rates\.ts:8:\d+\)/)
  await dev.says(/nothing runs/)

  dev.write('rates.ts', rates('2', "app.onReady(() => { setTimeout(() => { throw new Error('late') }, 1000) })"))
  await dev.says(/ready after/)
  await dev.says(/uncaught exception: late \(rates\.ts:8:\d+\)/)
  await dev.says(/> +8 \|/)
  await dev.says(/nothing runs/)

  dev.write('rates.ts', rates('3', "app.add('role:rates,cmd:loop', () => { console.log('loops'); for (;;) {} })"))
  await dev.says(/ready after/)
  void dev.act('role:rates,cmd:loop').catch(() => {})
  await dev.says(/loops/)
  dev.write('rates.ts', rates('4'))
  await dev.says(/busy/)
  await dev.says(/ready after/)
  t.strictSame(await dev.act('role:rates,cmd:get'), { rate: 4 })
  t.equal(dev.sockets().length, 1, 'the socket of the one that was killed is gone')
})

t.test('without a description the modules in services are one, and a new one starts everything again', async (t) => {
  const dev = startDev(t, { 'services/rates.ts': rates('1') })
  await dev.says(/rates in one process/)
  dev.write('services/count.mjs', count)
  await dev.says(/services has other modules in it/)
  await dev.says(/count, rates in one process/)
  t.equal(await dev.act('role:count,cmd:next'), 1)
  rmSync(join(dev.folder, 'services/count.mjs'))
  await dev.says(/: rates in one process/)
  dev.write('lucilius.config.mjs', config)
  // The description that is there now names files that are not: what is missing is said, and it goes on with them.
  await dev.says(/there is no file/)
  dev.replace({ 'rates.ts': rates('1'), 'count.mjs': count })
  await dev.says(/rates, count in one process/)
})

t.test('folders and files that come back, as in a checkout of another branch, are seen', async (t) => {
  const moved = {
    'lucilius.config.mjs': config.replace('./rates.ts', './in/rates.ts'),
    'in/rates.ts': rates('1'),
    'count.mjs': count,
  }
  const dev = startDev(t, moved)
  await dev.says(/ready after/)
  rmSync(join(dev.folder, 'in'), { recursive: true })
  await dev.says(/the old code of 'rates' runs on/)
  dev.write('in/rates.ts', rates('2'))
  await dev.says(/replaced rates/)
  t.strictSame(await dev.act('role:rates,cmd:get'), { rate: 2 })
  dev.replace({ 'in/rates.ts': rates('3'), 'count.mjs': count.replace('++count', '--count') })
  await eventually(async () => (await dev.act('role:count,cmd:next')) === -1)
  t.strictSame(await dev.act('role:rates,cmd:get'), { rate: 3 })
})

t.test('a port that is asked for, or taken, is told', async (t) => {
  const first = startDev(t, files)
  const port = new URL(await first.says(/http at (http:\S+)/)).port
  const second = startDev(t, files, ['--port', port], {}, true)
  await second.says(
    new RegExp(`the http door of 'all' cannot open on port ${port} of 127\\.0\\.0\\.1: EADDRINUSE`, 'i'),
  )
  await second.says(/nothing runs/)
  first.signal('SIGTERM')
  t.match(await first.ended, { code: 0 })
  second.write('rates.ts', rates('2'))
  t.equal(new URL(await second.says(/http at (http:\S+)/)).port, port)
})

t.test('what runs ends without the one at the terminal, and a second signal ends all at once', async (t) => {
  const killed = startDev(t, files)
  await killed.says(/ready after/)
  killed.signal('SIGKILL')
  await eventually(() => killed.isGone())

  const dev = startDev(t, { ...files, 'rates.ts': rates('1', 'app.onClose(() => new Promise(() => {}))') }, [], {
    LUCILIUS_DRAIN_MS: '60000',
  })
  await dev.says(/ready after/)
  dev.signal('SIGTERM')
  await dev.says(/SIGTERM: draining/)
  await new Promise((resolve) => setTimeout(resolve, 300)) // within a quarter of a second it would be the same one
  dev.signal('SIGTERM')
  t.match(await dev.ended, { code: 143 })
  await eventually(() => dev.isGone())
})

t.test('--split runs processes of their own, and starts those again that a change concerns', async (t) => {
  const dev = startDev(t, files, ['--split', '--record', 'run.ndjson'])
  await dev.says(/shop: count, rates as processes of their own, ready/)
  t.equal(await dev.act('role:count,cmd:next'), 1)
  t.strictSame(await dev.act('role:rates,cmd:get'), { rate: 1 })
  dev.write('rates.ts', rates('2'))
  await dev.says(/dev: restarted rates \(rates\.ts\) within/)
  await eventually(async () => ((await dev.act('role:rates,cmd:get')) as { rate: number }).rate === 2)
  dev.write('rates.ts', 'const const\n')
  await dev.says(/rates\.ts:1:\d+\)/)
  await dev.says(/everything runs on as it was/)
  t.strictSame(await dev.act('role:rates,cmd:get'), { rate: 2 })
  t.equal(await dev.act('role:count,cmd:next'), 2, 'the other process knows what it knew')

  dev.write('rates.ts', rates('3', "throw new Error('no rates')"))
  await dev.says(/no rates/)
  dev.write('rates.ts', rates('4', asks))
  await eventually(async () => {
    const reply = await dev.act('role:rates,cmd:get').catch(() => ({ rate: 0 }))
    return (reply as { rate: number }).rate === 4
  })
  await dev.act('role:rates,cmd:count')
  dev.signalAll('SIGINT')
  t.match(await dev.ended, { code: 0 })
  t.ok(dev.isGone())
  t.strictSame(dev.sockets(), [])
  t.strictSame(await readRecording(join(dev.folder, 'run.ndjson')), [asked])
})

t.test('a call that no change of a file makes right is refused at once, in a line', async (t) => {
  const nowhere = mkdtempSync(join(tmpdir(), 'lucilius-dev-'))
  t.teardown(() => rmSync(nowhere, { recursive: true }))
  for (const [args, env] of [
    [['dev'], {}],
    [['dev', '--config', 'nowhere.ts'], {}],
    [['dev'], { LUCILIUS_LOG_LEVEL: 'loud' }],
  ] as const) {
    const { code, stderr } = await lucilius(args, { cwd: nowhere, env })
    t.equal(code, 2)
    t.ok(isOneLine(stderr), stderr)
  }
  for (const path of ['rates.ts', 'lucilius.config.mjs']) {
    const broken = await startDev(t, { ...files, [path]: "throw new Error('no rates')\n" }).ended
    t.equal(broken.code, 1, 'nobody is there to mend it')
    t.match(broken.stderr, path)
    t.ok(isOneLine(broken.stderr), broken.stderr)
  }
  writeFileSync(join(nowhere, 'lucilius.config.mjs'), config)
  const unwritable = await lucilius(['dev', '--record', 'no/where'], { cwd: nowhere })
  t.equal(unwritable.code, 1)
  t.match(unwritable.stderr, /no\/where cannot be written \(ENOENT\)/)
  const dev = startDev(t, files, ['--split', 'splt'])
  const { code, stderr } = await dev.ended
  t.equal(code, 2)
  t.match(stderr, /'splt'.*did you mean 'split'/)
  t.ok(isOneLine(stderr), stderr)
})

t.test('a quote in an example does not end the quotes of the shell', async (t) => {
  const door = { transport: 'http', url: 'http://127.0.0.1:1' }
  const line = curlLine({ ...door, example: { name: "d'or" } }) ?? ''
  const { stdout } = spawnSync('sh', ['-c', line.replace(/^curl/, 'printf "%s\\n"')], { encoding: 'utf8' })
  t.equal(stdout.split('\n')[3], '{"name":"d\'or"}')
  t.equal(curlLine(door), undefined)
  t.equal(curlLine({ ...door, transport: 'websocket', example: {} }), undefined)
})
