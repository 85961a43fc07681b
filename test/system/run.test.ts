import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type App, jsonLogger, LuciliusError, sharedSecret } from '../../lib/index.js'
import { silentLogger } from '../../lib/logger.js'
import { AddressBook } from '../../lib/system/address-book.js'
import { defineSystem } from '../../lib/system/define-system.js'
import { late } from '../../lib/system/late.js'
import { MOST_RECORDED, openRecording, readRecording } from '../../lib/system/recording.js'
import { onOneProcess, type ProcessPlan, processesOf, wholeSystem } from '../../lib/system/topology.js'
import type { Observer, Transport } from '../../lib/transport-kit.js'
import { recordingLogger } from '../core/recording-logger.js'
import { ask as askPlainly } from '../transports/http/ask.js'
import { Processes, SECRET, service, until } from './processes.js'

const rates = service((app) => {
  app.add('role:rates,cmd:get', ({ pair }) => ({ pair, rate: 0.9 }))
})
const convert = service((app) => {
  app.add('role:convert,cmd:amount', async ({ amount }, context) => {
    const { rate } = (await context.act('role:rates,cmd:get', { pair: 'usd_eur' })) as { rate: number }
    return { amount: Number(amount) * rate }
  })
})
const split = { split: { groups: { rates: ['rates'], convert: ['convert'] } } } as const

t.test('services of one process act on each other; it listens for nobody and needs no secret', async (t) => {
  const processes = new Processes({ services: { rates, convert } })
  t.teardown(() => processes.close())
  const deployment = wholeSystem(defineSystem({ services: { rates, convert } }))
  const running = await processes.start('all', { deployment, secret: undefined })
  t.equal(running.url, undefined)
  t.strictSame(running.doors, [])
  t.strictSame(await running.host.app.act('role:convert,cmd:amount,amount:10'), { amount: 9 })
  t.strictSame(await running.close(), { hung: [] })
})

t.test('plugins are loaded before the services, in every process, and both get their options', async (t) => {
  const order: string[] = []
  const noted = (what: string) => service((_app, options) => order.push(`${what} ${JSON.stringify(options)}`))
  const processes = new Processes({
    services: { rates: { module: noted('rates'), options: { a: 1 } }, convert: noted('convert') },
    plugins: { policy: { module: noted('policy'), options: { b: 2 } } },
    deployments: split,
  })
  t.teardown(() => processes.close())
  await processes.start('rates')
  await processes.start('convert')
  t.strictSame(order, ['policy {"b":2}', 'rates {"a":1}', 'policy {"b":2}', 'convert undefined'])
})

t.test('a process proves itself where it listens, and where somebody said that others reach it', async (t) => {
  const urls = ['http://nat.example:8400', 'http://of-another.example']
  const groups = {
    rates: { services: ['rates'], replicas: 2, listen: { host: 'localhost', urls } },
    convert: ['convert'],
  }
  const processes = new Processes({
    services: { rates, convert },
    deployments: { split: { transport: 'http', groups } },
  })
  t.teardown(() => processes.close())
  const { hello } = sharedSecret(SECRET, { mutual: true }).prove?.('') ?? {}
  const asked = async (url: string, host: string) => {
    const { headers } = await askPlainly(`${url}/stream`, { headers: { host, authorization: String(hello) } })
    return headers['www-authenticate']?.startsWith('Lucilius nonce=') === true
  }
  const proves = async (environment: { advertise?: string; peers?: Map<string, string[]> }) => {
    const running = await processes.start('rates.1', { environment: { drainMs: 100, ...environment } })
    const url = running.url as string
    const { host, port } = new URL(url)
    t.notOk(await asked(url, 'stranger.example'))
    const hosts = [
      host,
      `127.0.0.1:${port}`,
      'nat.example:8400',
      'of-another.example',
      'mine.example:9',
      'env.example:1',
    ]
    const answers = await Promise.all(hosts.map((one) => asked(url, one)))
    await running.close()
    return hosts.filter((one, index) => one !== host && answers[index]).slice(1)
  }
  t.strictSame(await proves({}), ['nat.example:8400'])
  t.strictSame(await proves({ advertise: 'mine.example' }), ['nat.example:8400', 'mine.example:9'])
  const peers = new Map([['LUCILIUS_PEERS_RATES', ['http://env.example:1', 'http://of-another.example']]])
  t.strictSame(await proves({ peers }), ['env.example:1'])
})

for (const transport of ['websocket', 'http'] as const) {
  t.test(
    `processes whose hooks act on each other start without waiting for each other, over ${transport}`,
    async (t) => {
      const asks = (own: string, other: string) =>
        service((app) => {
          app.add(`role:${own}`, () => own)
          app.onReady(async () => heard.push(`${own} of ${await app.act(`role:${other}`)}`))
        })
      const heard: string[] = []
      const processes = new Processes({
        services: { one: asks('one', 'two'), two: asks('two', 'one') },
        deployments: { split: { transport, groups: { one: ['one'], two: ['two'] } } },
      })
      t.teardown(() => processes.close())
      const listening: string[] = []
      const start = (id: string) => processes.start(id, {}, { onListening: (url) => listening.push(url) })
      await Promise.all([start('one'), start('two')])
      t.strictSame(heard.sort(), ['one of two', 'two of one'])
      t.strictSame(listening.length, 2, 'each told its address before its services started')
    },
  )

  t.test(`acts, events and errors flow both ways over ${transport}`, async (t) => {
    const seen: unknown[] = []
    const processes = new Processes({
      services: {
        rates: service((app) => {
          app.add('role:rates,cmd:set', async ({ rate }, context) => {
            await context.emit('role:rates,event:changed', { rate })
            return context.act('role:convert,cmd:last')
          })
        }),
        convert: service((app) => {
          app.on('role:rates,event:changed', ({ rate }) => seen.push(rate))
          app.add('role:convert,cmd:last', () => 'from convert')
        }),
      },
      deployments: { split: { transport, groups: { rates: ['rates'], convert: ['convert'] } } },
    })
    t.teardown(() => processes.close())
    const [one, two] = await Promise.all([processes.start('rates'), processes.start('convert')])
    await Promise.all([one.known(), two.known()])
    t.equal(one.host.app.list('role:convert').length, 1)
    t.equal(await two.host.app.act('role:rates,cmd:set,rate:2'), 'from convert')
    await until(() => seen.length > 0)
    t.strictSame(seen, [2])
    await t.rejects(two.host.app.act('role:rates,cmd:unknown'), { code: 'LUC_ACTION_NOT_FOUND' })
  })

  t.test(`a process that starts again on another port is found within a second, over ${transport}`, async (t) => {
    const processes = new Processes({
      services: { rates, convert },
      deployments: { split: { transport, groups: { rates: ['rates'], convert: ['convert'] } } },
    })
    t.teardown(() => processes.close())
    const asking = await processes.start('convert')
    const first = await processes.start('rates')
    const ask = () => asking.host.app.act('role:convert,cmd:amount,amount:10', {}, { timeoutMs: 3000 })
    t.strictSame(await ask(), { amount: 9 })
    await first.close()
    processes.addresses.set('rates', undefined)
    const parked = ask()
    const again = await processes.start('rates')
    const began = performance.now()
    t.strictSame(await parked, { amount: 9 }, 'what was asked meanwhile is answered')
    t.ok(performance.now() - began < 1000, `found after ${Math.round(performance.now() - began)} ms`)
    t.not(again.url, first.url)
  })
}

t.test('without a secret several processes do not start, and are told how to make one', async (t) => {
  const processes = new Processes({ services: { rates, convert }, deployments: split })
  await t.rejects(processes.start('rates', { secret: undefined }), {
    code: 'LUC_OPTIONS_INVALID',
    message: /^'rates' is one of several processes of 'split'.*LUCILIUS_SECRET.*openssl rand -base64 32$/,
  })
})

t.test('who does not know the secret is not let in, and keeps trying', async (t) => {
  const processes = new Processes({ services: { rates, convert }, deployments: split })
  t.teardown(() => processes.close())
  const [asking] = await Promise.all([
    processes.start('convert', { secret: 'another-secret-than-that' }),
    processes.start('rates'),
  ])
  await until(() => processes.logged(40).includes('could not connect to rates, trying again'))
  await t.rejects(asking.host.app.act('role:rates,cmd:get', {}, { timeoutMs: 200 }), { code: 'LUC_UNREACHABLE' })
  t.equal(processes.logged(40).filter((msg) => msg.includes('to rates')).length, 1, 'each kind of trouble is told once')
})

t.test('groups that do not list each other do not meet; replicas do', async (t) => {
  const counted = service((app) => {
    app.add('role:count', () => app.name)
    app.on('role:tick', { each: 'instance' }, () => void ticks.push(app.name))
  })
  const ticks: string[] = []
  const processes = new Processes({
    services: { counted, rates, convert },
    deployments: {
      split: {
        groups: {
          counted: { services: ['counted'], replicas: 2, peers: ['rates'] },
          rates: ['rates'],
          convert: ['convert'],
        },
      },
    },
  })
  t.teardown(() => processes.close())
  const [one, , , ask] = await Promise.all(
    ['counted.1', 'counted.2', 'rates', 'convert'].map((id) => processes.start(id)),
  )
  if (one === undefined || ask === undefined) throw new Error('they did not start')
  await until(() => processes.logged(30).filter((msg) => msg === 'connected').length >= 4)
  await one.host.app.emit('role:tick')
  await until(() => ticks.length === 2)
  await until(() => ask.host.app.list('role:rates').length > 0)
  await until(() => one.host.app.list('role:rates').length > 0)
  t.strictSame(ask.host.app.list('role:count'), [])
})

t.test('a process that comes later under a name nobody knew is met', async (t) => {
  const processes = new Processes({ services: { rates, convert }, deployments: split })
  t.teardown(() => processes.close())
  const [asking, answering] = await Promise.all([processes.start('convert'), processes.start('rates')])
  await until(() => asking.host.app.list('role:rates').length > 0)
  await answering.close()
  processes.addresses.set('rates', undefined)
  const again = new Processes({ services: { rates, convert }, deployments: split })
  t.teardown(() => again.close())
  const { url } = await again.start('rates')
  processes.addresses.set('rates.2', url)
  t.strictSame(await asking.host.app.act('role:convert,cmd:amount,amount:1'), { amount: 0.9 })
})

t.test('one that is to be looked into listens though it is alone', async (t) => {
  const processes = new Processes({ services: { rates } })
  t.teardown(() => processes.close())
  const deployment = wholeSystem(defineSystem({ services: { rates } }))
  const running = await processes.start('all', { deployment, reachable: true })
  t.match(running.url, /^ws:\/\/127\.0\.0\.1:\d+\/ws$/)
})

t.test('a door lets in what it exposes, and nothing else', async (t) => {
  const processes = new Processes({
    services: { rates, convert },
    deployments: {
      split: {
        groups: {
          rates: ['rates'],
          convert: {
            services: ['convert'],
            outside: [
              { transport: 'http', expose: ['role:convert,cmd:*'] },
              { transport: 'websocket', expose: ['role:convert,cmd:amount'] },
            ],
          },
        },
      },
    },
  })
  t.teardown(() => processes.close())
  const [running] = await Promise.all([processes.start('convert'), processes.start('rates')])
  t.strictSame(
    running.doors.map(({ transport, expose }) => ({ transport, expose })),
    [
      { transport: 'http', expose: ['cmd:*,role:convert'] },
      { transport: 'websocket', expose: ['cmd:amount,role:convert'] },
    ],
  )
  const post = (message: object) => ask(running.doors[0]?.url ?? '', message)
  t.strictSame(await post({ role: 'convert', cmd: 'amount', amount: 10 }), { amount: 9 })
  t.match(await post({ role: 'rates', cmd: 'get' }), { error: { code: 'LUC_ACTION_NOT_FOUND' } })
})

t.test('doors of several groups in one process let in no more than when these run apart', async (t) => {
  const system = {
    services: { rates, convert },
    deployments: {
      split: {
        groups: { rates: ['rates'], convert: { services: ['convert'], outside: { transport: 'http', expose: '*' } } },
      },
    },
  } as const
  const processes = new Processes(system)
  t.teardown(() => processes.close())
  const running = await processes.start('all', { deployment: onOneProcess(defineSystem(system)), secret: undefined })
  const url = running.doors[0]?.url ?? ''
  t.strictSame(await ask(url, { role: 'convert', cmd: 'amount', amount: 10 }), { amount: 9 })
  t.match(await ask(url, { role: 'rates', cmd: 'get' }), { error: { code: 'LUC_ACTION_NOT_FOUND' } })
  t.strictSame(running.doors[0]?.expose, ['cmd:amount,role:convert'])
})

t.test('a door that cannot open is named with its port, and all that was opened is closed', async (t) => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.teardown(() => taken.close())
  const { port } = taken.address() as { port: number }
  let closed = false
  let first = ''
  const processes = new Processes({
    services: {
      rates: service((app) =>
        app.onClose(() => {
          closed = true
        }),
      ),
      convert,
    },
    deployments: {
      split: {
        groups: {
          rates: {
            services: ['rates'],
            outside: [
              { transport: 'websocket', expose: '*' },
              { transport: 'http', port, expose: '*' },
            ],
          },
          convert: ['convert'],
        },
      },
    },
  })
  const starting = processes.start(
    'rates',
    {},
    {
      onListening: (url) => {
        first = url
      },
    },
  )
  await t.rejects(starting, {
    code: 'LUC_LISTEN_FAILED',
    message: `The http door of 'rates' cannot open on port ${port} of 127.0.0.1: EADDRINUSE: it is taken. Take another one, or 0 for any that is free.`,
  })
  t.ok(closed, 'the services were closed')
  await t.rejects(fetch(first.replace('ws:', 'http:')), 'and so was the listener for peers')
})

t.test('a listener for peers that cannot open is told as that', async (t) => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.teardown(() => taken.close())
  const { port } = taken.address() as { port: number }
  const processes = new Processes({
    services: { rates, convert },
    deployments: { split: { groups: { rates: { services: ['rates'], listen: { port } }, convert: ['convert'] } } },
  })
  await t.rejects(processes.start('rates'), {
    code: 'LUC_LISTEN_FAILED',
    message: new RegExp(`^The listener of 'rates' for its peers cannot open on port ${port} of 127.0.0.1: EADDRINUSE`),
  })
})

t.test('a process whose door would let in internal actions does not start', async (t) => {
  let started = false
  const processes = new Processes({
    services: {
      rates: {
        module: service((app) => {
          app.use((inner: App) => void inner.add('role:rates,cmd:reset', () => 'reset'))
          app.onReady(() => {
            started = true
          })
        }),
        internal: ['role:rates,cmd:reset'],
      },
    },
    deployments: { split: { groups: { rates: { services: ['rates'], outside: { transport: 'http', expose: '*' } } } } },
  })
  await t.rejects(processes.start('rates'), {
    code: 'LUC_OPTIONS_INVALID',
    message: /^The http door of 'rates' would let in cmd:reset,role:rates, which 'rates' calls internal/,
  })
  t.notOk(started, 'nothing was started')
})

t.test('so does one that adds them while it starts', async (t) => {
  const processes = new Processes({
    services: {
      rates: {
        module: service((app) => app.onReady(() => void app.add('role:rates,cmd:reset', () => 'reset'))),
        internal: ['role:rates,cmd:reset'],
      },
    },
    deployments: {
      split: {
        groups: { rates: { services: ['rates'], outside: { transport: 'http', expose: ['role:rates,cmd:*'] } } },
      },
    },
  })
  await t.rejects(processes.start('rates'), { code: 'LUC_OPTIONS_INVALID' })
})

t.test('a second process of a singleton does not start', async (t) => {
  const system = defineSystem({ services: { rates: { module: rates, singleton: true } } })
  const processes = new Processes({ services: { rates } })
  const deployment = wholeSystem(system)
  const [first] = processesOf(deployment)
  const loaded = { system, file: undefined, folder: '/' }
  await t.rejects(processes.start('all', { deployment, loaded, process: { ...(first as ProcessPlan), replica: 2 } }), {
    code: 'LUC_OPTIONS_INVALID',
    message: /there is one 'rates' in the whole system/,
  })
})

t.test('close names what still ran when the time was over', async (t) => {
  let began = () => {}
  const runs = new Promise<void>((resolve) => {
    began = resolve
  })
  const processes = new Processes({
    services: {
      slow: service((app) => {
        app.add('role:slow', () => {
          began()
          return new Promise(() => {})
        })
        app.add('role:quick', () => 'quick')
      }),
    },
    deployments: { split: { groups: { slow: ['slow'] } } },
  })
  const { host, close } = await processes.start('slow', { environment: { drainMs: 50 } })
  const failed = t.rejects(host.app.act('role:slow'), { code: 'LUC_CANCELLED' })
  await host.app.act('role:quick')
  await runs
  t.strictSame(await close(), { hung: ['role:slow'] })
  t.strictSame(await close(), { hung: ['role:slow'] }, 'closing twice is closing once')
  await failed
})

t.test('strict parity warns once for each pattern that a service sends and does not say it uses', async (t) => {
  const processes = new Processes(
    {
      services: {
        rates: { module: rates, uses: ['role:rates,event:changed'] },
        shop: {
          module: service((app) => {
            app.add('role:shop', async (_message, context) => {
              await context.act('role:rates,cmd:get', { pair: 'a' })
              await context.act('role:rates,cmd:get', { pair: 'b' })
              await context.act({ role: 'rates', cmd: 'get', pair: 'c' })
              await context.act('role:convert', { cmd: 'amount', amount: 1 })
              await context.emit('role:shop,event:sold')
              await context.act('role:inner')
              return 'done'
            })
            app.use((inner: App) => void inner.add('role:inner', (_message, context) => context.emit('role:deep')))
          }),
          uses: ['role:convert,cmd:*', 'role:inner'],
        },
        silent: service((app) => {
          app.add('role:silent', (_message, context) => context.act('role:rates,cmd:get'))
        }),
        convert: { module: convert, uses: ['role:rates'] },
      },
      deployments: { one: { groups: { all: '*' } } },
    },
    'one',
  )
  t.teardown(() => processes.close())
  const strict = await processes.start('all', { parity: 'strict' })
  await strict.host.app.act('role:shop')
  await strict.host.app.act('role:silent')
  const warned = () => processes.logged(40).filter((msg) => msg.includes("'uses'"))
  t.match(warned(), [
    /^'shop' acts on role:rates,cmd:get, which its 'uses' do not cover/,
    /^'shop' acts on cmd:get,role:rates, which/,
    /^'shop' emits role:shop,event:sold, which/,
    /^'shop' emits role:deep, which/,
  ])
  t.equal(warned().length, 4)
  const off = new Processes(
    {
      services: {
        shop: { module: service((app) => app.add('role:shop', (_m, c) => c.act('role:x').catch(() => {}))), uses: [] },
      },
      deployments: { one: { groups: { all: '*' } } },
    },
    'one',
  )
  t.teardown(() => off.close())
  await (await off.start('all', { parity: 'off' })).host.app.act('role:shop')
  t.strictSame(off.logged(40), [])
})

t.test('a recorded run has each message once, and is read again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luc-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'run.ndjson')
  const recording = await openRecording(file, silentLogger)
  const send = (pattern: string | object) =>
    recording.onSend({ service: 'shop', kind: 'act', pattern: pattern as string, message: {} })
  send('role:rates,cmd:get')
  send('cmd:get,role:rates')
  send({ role: 'rates', cmd: 'set', rate: 2, nested: { a: 1 }, none: null })
  recording.onSend({ service: 'shop', kind: 'emit', pattern: 'role:shop,event:sold', message: {} })
  await recording.close()
  t.strictSame(await readRecording(file), [
    { service: 'shop', kind: 'act', message: { cmd: 'get', role: 'rates' } },
    { service: 'shop', kind: 'act', message: { cmd: 'set', rate: 2, role: 'rates' } },
    { service: 'shop', kind: 'emit', message: { event: 'sold', role: 'shop' } },
  ])
  t.equal(statSync(file).mode & 0o777, 0o600, 'only its owner may read it')
  t.equal(readFileSync(file, 'utf8').split('\n').length, 4)
})

t.test('a recording is bounded, and says so', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luc-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const lines: string[] = []
  const file = join(folder, 'run.ndjson')
  const recording = await openRecording(file, jsonLogger({ write: (line) => lines.push(line) }))
  for (let at = 0; at < MOST_RECORDED + 10; at++) {
    recording.onSend({ service: 'shop', kind: 'act', pattern: { at }, message: {} })
  }
  await recording.close()
  t.equal((await readRecording(file)).length, MOST_RECORDED)
  t.equal(lines.length, 1)
})

t.test('a recording that is none is refused with the line', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'luc-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'run.ndjson')
  const good = '{"service":"a","kind":"act","message":{"a":1}}\n'
  for (const bad of ['{', '7', '{"service":"a"}', '{"service":"a","kind":"ask","message":{}}']) {
    writeFileSync(file, `${good}\n${bad}\n`)
    await t.rejects(readRecording(file), { code: 'LUC_OPTIONS_INVALID', message: new RegExp(`^${file}:3`) })
  }
  await t.rejects(readRecording(join(folder, 'none')), { code: 'LUC_OPTIONS_INVALID', message: /\(ENOENT\)\.$/ })
  await t.rejects(openRecording(join(folder, 'no', 'where'), silentLogger), { code: 'LUC_OPTIONS_INVALID' })
})

t.test('an address book tells of changes and of new names', async (t) => {
  const book = new AddressBook([['a', undefined]])
  const named: string[] = []
  const stop = book.onId((id) => named.push(id))
  const changed = book.changed('a')
  book.set('a', 'ws://127.0.0.1:1/ws')
  await changed
  book.set('b', undefined)
  stop()
  book.set('c', undefined)
  t.strictSame(named, ['b'])
  t.strictSame(book.ids(), ['a', 'b', 'c'])
  t.equal(book.urlOf('a'), 'ws://127.0.0.1:1/ws')
  const over = new AbortController()
  const given = book.changed('a', over.signal)
  over.abort()
  await given
  await book.changed('a', over.signal)
})

t.test('a late transport waits for an address, tries a new one at once, and ends when nobody wants it', async (t) => {
  const addresses = new AddressBook([['a', undefined]])
  const tried: string[] = []
  const to = (url: string): Transport => ({
    name: 'fake',
    listen: () => Promise.reject(new Error('unused')),
    connect: async () => {
      tried.push(url)
      if (url !== 'good') throw new LuciliusError('LUC_UNREACHABLE', 'not there')
      return { carry: () => Promise.reject(new Error('unused')), close: async () => {} }
    },
  })
  const transport = late({ id: 'a', name: 'fake', addresses, to, log: silentLogger })
  const observer = (): Observer => ({
    tell: () => ({ wire: 1, name: 'x', instance: 'y', actions: [], subscriptions: [], draining: false }),
    onTell: () => () => {},
    hear: () => {},
    receive: () => Promise.resolve({}),
    lost: () => {},
  })
  const first = transport.connect(observer())
  addresses.set('a', 'bad')
  await until(() => tried.length > 1)
  addresses.set('a', 'good')
  await first
  t.equal(tried.at(-1), 'good')

  for (const url of [undefined, 'bad']) {
    addresses.set('a', url)
    const unwanted = observer()
    const waiting = transport.connect(unwanted)
    unwanted.onGiveUp?.()
    await t.rejects(waiting, { code: 'LUC_UNREACHABLE' })
  }
  await t.rejects(transport.listen({} as never), { code: 'LUC_OPTIONS_INVALID' })
})

t.test('that nobody is where a process should be is one line, after 10 s a warning, and no stack', async (t) => {
  const addresses = new AddressBook()
  addresses.set('order', 'ws://127.0.0.1:7401/ws')
  const { logger, lines } = recordingLogger()
  const { now } = performance
  t.teardown(() => {
    performance.now = now
  })
  let tries = 0
  const to = (url: string): Transport => ({
    name: 'fake',
    listen: () => Promise.reject(new Error('unused')),
    connect: async () => {
      tries++
      // From the third try on it has waited for long.
      if (tries === 3) performance.now = () => now.call(performance) + 11_000
      throw new LuciliusError('LUC_UNREACHABLE', `${url} refuses`)
    },
  })
  const observer = { onGiveUp: undefined } as unknown as Observer
  const waiting = late({ id: 'order', name: 'fake', addresses, to, log: logger }).connect(observer)
  const told = (level: 'info' | 'warn') => lines(level).map(({ msg, err }) => ({ msg, err }))
  await until(() => tries === 3)
  const place = "'order' at ws://127.0.0.1:7401/ws"
  t.strictSame(told('info'), [{ msg: `waiting for ${place}: nobody listens there yet`, err: undefined }])
  await until(() => told('warn').length > 0)
  const warning = `still waiting for ${place}: nobody has listened there for 11 s`
  t.strictSame(told('warn'), [{ msg: warning, err: undefined }])
  t.match(lines('debug')[0], { err: { message: 'ws://127.0.0.1:7401/ws refuses' } }, 'whoever looks closer sees why')
  observer.onGiveUp?.()
  await t.rejects(waiting, { code: 'LUC_UNREACHABLE' })
})

t.test('connections between processes that one runs together are told at debug', async (t) => {
  const processes = new Processes({ services: { rates, convert }, deployments: split })
  t.teardown(() => processes.close())
  await Promise.all(['rates', 'convert'].map((id) => processes.start(id, { quietConnections: true })))
  await until(() => processes.logged(20).filter((msg) => msg === 'connected').length === 2)
  t.notOk(processes.logged(30).includes('connected'))
  const [one] = processes.lines.filter(({ msg }) => msg === 'connected')
  t.match(one?.transport, /^websocket to (rates|convert)$/, 'the process stands there, not only its group')
})

t.test('after a service was replaced the doors let in what is there by now', async (t) => {
  const answering = (text: string, ...more: string[]) => ({
    name: 'in-a-test',
    setup: (app: App) => {
      for (const cmd of ['amount', ...more]) app.add({ role: 'convert', cmd }, () => text)
    },
  })
  const system = {
    services: { rates, convert: { module: async () => answering('old'), internal: ['cmd:secret,role:convert'] } },
    deployments: {
      split: {
        groups: { rates: ['rates'], convert: { services: ['convert'], outside: { transport: 'http', expose: '*' } } },
      },
    },
  } as const
  const processes = new Processes(system)
  t.teardown(() => processes.close())
  const running = await processes.start('all', { deployment: onOneProcess(defineSystem(system)), secret: undefined })
  const url = running.doors[0]?.url ?? ''
  t.equal(await ask(url, { role: 'convert', cmd: 'amount' }), 'old')
  await running.host.replace('convert', answering('new', 'more'))
  await running.adjust()
  t.equal(running.doors[0]?.url, url, 'the address stays')
  t.equal(await ask(url, { role: 'convert', cmd: 'amount' }), 'new')
  t.equal(await ask(url, { role: 'convert', cmd: 'more' }), 'new')
  await running.host.replace('convert', answering('newer', 'secret'))
  await t.rejects(running.adjust(), { code: 'LUC_OPTIONS_INVALID' })
})

t.test('a service that cannot be loaded keeps the process from starting', async (t) => {
  const processes = new Processes({
    services: { rates: () => Promise.reject(new Error('no such thing')) },
    deployments: { split: { groups: { rates: ['rates'] } } },
  })
  await t.rejects(processes.start('rates'), { code: 'LUC_PLUGIN_FAILED', message: /rates.*no such thing/ })
})

async function ask(url: string, message: object): Promise<unknown> {
  const response = await fetch(new URL('/act', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(message),
  })
  return response.json()
}
