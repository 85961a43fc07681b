import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { headers, type Msg, MsgHdrsImpl, type NatsConnection } from '@nats-io/transport-node'
import t, { type Test } from 'tap'
import { ActionError, type Authenticate, sharedSecret } from '../../../lib/index.js'
import type { Observer } from '../../../lib/transport-kit.js'
import { readHeaders, toHeaders } from '../../../transports/nats/fields.js'
import { nats } from '../../../transports/nats/index.js'
import { eventually, gate } from '../../core/eventually.js'
import { failureOf } from '../../core/failure.js'
import { skipWithout, startNats } from '../../support/brokers.js'
import { faultProxy } from '../../support/fault-proxy.js'
import { repoRoot } from '../../support/repo-root.js'
import { foreigner, kill, made, newSpace, startService } from './means.js'

const skip = skipWithout('nats-server')
const broker = skip === false ? await startNats(t) : undefined
const servers = broker?.url ?? ''

function test(title: string, run: (t: Test) => Promise<void>): void {
  t.test(title, { skip }, run)
}

t.test('options that make no sense are refused by name, and what may be a password is not shown', (t) => {
  const bad: readonly [object, RegExp][] = [
    [{ server: 'x' }, /there is no option 'server'.*servers/],
    [{ servers: [] }, /'servers'/],
    [{ servers: 7 }, /'servers'/],
    [{ servers: 'http://secret@127.0.0.1' }, /'servers'/],
    [{ servers: 'nats://u:secret@host:1/path' }, /'servers'/],
    [{ servers: 'nats://u:%secret@host' }, /'servers'/],
    [{ servers: 'a', url: 'nats://127.0.0.1:4222/lucilius/box' }, /'servers' or 'url'/],
    [{ url: 'nats://127.0.0.1:4222' }, /'url'/],
    [{ url: 'nats://127.0.0.1:4222/shop/a/b/c' }, /'url'/],
    [{ space: 'a.b' }, /'space'/],
    [{ space: '' }, /'space'/],
    [{ app: 'a>' }, /'app'/],
    [{ user: 'u', token: 'secret' }, /one of 'user'/],
    [{ pass: 'secret' }, /'pass' needs 'user'/],
    [{ servers: 'nats://u:secret@host', user: 'u' }, /not both/],
    [{ nkey: '' }, /'nkey'/],
    [{ tls: true }, /tls/],
    [{ maxBytes: 0 }, /'maxBytes'/],
    [{ pingMs: -1 }, /'pingMs'/],
    [{ store: { replicas: 6 } }, /replicas/],
    [{ store: { keep: 1 } }, /there is no option 'keep'/],
    [{ store: { ackWaitMs: 100 } }, /ackWaitMs/],
  ]
  for (const [options, message] of bad) {
    const error = thrown(() => nats(options))
    t.match(error, { code: 'LUC_OPTIONS_INVALID', message }, JSON.stringify(options))
    t.notMatch(error.message, /secret/)
  }
  t.end()
})

t.test('each end says what it needs', async (t) => {
  const app = made(t, 'app')
  const url = 'nats://127.0.0.1:1/lucilius/box'
  const { url: _, ...silent } = { url, patterns: ['a:1'] }
  t.match(await failureOf(app.listen(nats({ url }), { expose: [] })), { code: 'LUC_OPTIONS_INVALID' })
  t.match(await failureOf(app.connect(nats(), silent)), { code: 'LUC_OPTIONS_INVALID', message: /name of an app/ })
  t.match(await failureOf(app.connect(nats({ url }), silent)), { code: 'LUC_OPTIONS_INVALID', message: /patterns/ })
  const door = nats({ url: 'nats://127.0.0.1:1/lucilius/act/rates' })
  t.match(await failureOf(app.connect(door)), { code: 'LUC_FORBIDDEN', message: /patterns/ })
  const nowhere = await failureOf(app.listen(nats({ servers: 'nats://u:secret@127.0.0.1:1' }), { expose: [] }))
  t.match(nowhere, { code: 'LUC_LISTEN_FAILED', message: /127\.0\.0\.1:1\b/ })
  t.notMatch(nowhere.message, /secret/)
  const nameless = made(t, 'not a token')
  const options = { expose: [], audience: 'clients' } as const
  t.match(await failureOf(nameless.listen(nats(), options)), { code: 'LUC_OPTIONS_INVALID', message: /'app'/ })
})

t.test('header fields are read alike from the bytes and through the library', (t) => {
  const fields = [
    'lucilius-timeout-ms',
    '2500',
    'lucilius-to',
    'a:x%20y,b:1',
    'traceparent',
    '00-1-2-01',
    'odd',
    'a: b',
  ]
  const sent = toHeaders([...fields, 'traceparent', 'x\r\nlucilius-hops: 9'])?.headers
  const bytes = (sent as unknown as { encode(): Uint8Array }).encode()
  const parsed = MsgHdrsImpl.decode(bytes)
  const expected = Object.fromEntries([0, 2, 4, 6].map((at) => [fields[at], fields[at + 1]]))
  t.strictSame(readHeaders({ _rdata: bytes, _msg: { hdr: bytes.length } } as never), expected)
  t.strictSame(readHeaders({ headers: parsed } as never), expected)
  t.strictSame(readHeaders({ _msg: { hdr: -1 } } as never), {})
  t.strictSame(readHeaders({} as never), {})
  const upper = Buffer.from('NATS/1.0\r\nLucilius-To:  a:1 \r\nno colon\r\nLucilius-To: b:1\r\n\r\n')
  t.strictSame(readHeaders({ _rdata: upper, _msg: { hdr: upper.length } } as never), { 'lucilius-to': 'a:1' })
  t.end()
})

t.test('lines without a colon cost no more than others', (t) => {
  const bytes = Buffer.from(`NATS/1.0\r\n${'a\r\n'.repeat(333_333)}b: 1\r\n\r\n`)
  const from = performance.now()
  t.strictSame(readHeaders({ _rdata: bytes, _msg: { hdr: bytes.length } } as never), { b: '1' })
  t.ok(performance.now() - from < 1000, 'within a second')
  t.end()
})

function thrown(run: () => unknown): Error {
  try {
    run()
  } catch (error) {
    return error as Error
  }
  throw new Error('It throws nothing.')
}

test('one connect finds everybody who listens, those who come later, and hears who goes', async (t) => {
  const space = newSpace()
  for (const name of ['one', 'two', 'three']) {
    const app = made(t, name)
    app.add(`role:${name}`, () => name)
    await app.listen(nats({ servers, space }), { expose: '*' })
  }
  const caller = made(t, 'caller')
  await caller.connect(nats({ servers, space }))
  for (const name of ['one', 'two', 'three']) t.equal(await caller.act(`role:${name}`), name)
  const later = made(t, 'later')
  later.add('role:later', () => 'later')
  const listener = await later.listen(nats({ servers, space }), { expose: '*' })
  await eventually(() => caller.find('role:later') !== undefined)
  t.equal(await caller.act('role:later'), 'later')
  const address = new URL(listener.url).pathname.split('/').at(-1)
  const foreign = await foreigner(t, servers)
  const gone = gate<Msg>()
  foreign.subscribe(`lucilius.${space}.gone`, { callback: (_, message) => gone.open(message) })
  await foreign.flush()
  await later.close()
  t.same((await gone.opened).json(), { address, gone: true })
  const other = made(t, 'other')
  await other.connect(nats({ servers, space: newSpace() }))
  t.match(await failureOf(other.act('role:one')), { code: 'LUC_ACTION_NOT_FOUND' }, 'spaces are apart')
})

test('what is done with one transport shares one connection, and the last one out closes it', async (t) => {
  const { url, log } = await startNats(t, { config: 'http: "127.0.0.1:-1"' })
  const monitor = /http monitor on ([\d.:]+)/.exec(log())?.[1]
  const connections = async () => {
    const told = (await (await fetch(`http://${monitor}/connz`)).json()) as { num_connections: number }
    return told.num_connections
  }
  /** The server hears of the end of a connection when it has ended. */
  const becomes = async (wanted: number) => {
    const end = performance.now() + 5000
    while ((await connections()) !== wanted && performance.now() < end) await sleep(10)
    t.equal(await connections(), wanted)
  }
  const transport = nats({ servers: url })
  const service = made(t, 'service')
  service.add('a:1', () => 'one')
  const listener = await service.listen(transport, { expose: '*' })
  const door = await service.listen(transport, { expose: '*', audience: 'clients' })
  const caller = made(t, 'caller')
  const all = await caller.connect(transport)
  t.equal(await caller.act('a:1'), 'one')
  const asking = made(t, 'asking')
  const silent = await asking.connect(nats({ url: door.url }), { patterns: ['a:1'] })
  t.equal(await asking.act('a:1'), 'one')
  await becomes(2)
  await Promise.all([silent.close(), all.close()])
  await becomes(1)
  await listener.close()
  await door.close()
  await becomes(0)
  const again = await service.listen(transport, { expose: '*' })
  await becomes(1)
  await again.close()
})

test('whoever asks is told who listens and what is exposed, unless one has to prove something first', async (t) => {
  const space = newSpace()
  const foreign = await foreigner(t, servers)
  const ask = async () => {
    const answers: { name: string; announcement?: { actions: unknown } }[] = []
    const asked = await foreign.requestMany(`lucilius.${space}.ping`, '', { maxWait: 200, strategy: 'timer' })
    for await (const answer of asked) answers.push(answer.json())
    return answers.sort((a, b) => a.name.localeCompare(b.name))
  }
  const open = made(t, 'open')
  open.add('role:open', () => 1)
  const { url } = await open.listen(nats({ servers, space }), { expose: '*' })
  const closed = made(t, 'closed')
  closed.add('role:closed', () => 1)
  await closed.listen(nats({ servers, space }), { expose: '*', auth: sharedSecret('sixteen-characters') })
  const [first, second] = await ask()
  t.same(Object.keys(first ?? {}).sort(), ['address', 'instance', 'name'])
  t.match(second, { name: 'open', address: new URL(url).pathname.split('/').at(-1), instance: /./ })
  t.match(second?.announcement?.actions, [{ pattern: 'role:open', service: 'open' }])
  const heard = gate<Msg>()
  foreign.subscribe(`lucilius.${space}.here`, { callback: (_, message) => heard.open(message) })
  await foreign.flush()
  open.add('role:new', () => 1)
  t.match((await heard.opened).json(), {
    announcement: { actions: [{ pattern: 'role:open' }, { pattern: 'role:new' }] },
  })
})

test('a killed process is noticed within a second by the calls that wait for it, and acts go to the next one', async (t) => {
  const space = newSpace()
  const child = await startService(t, servers, space)
  const caller = made(t, 'caller')
  await caller.connect(nats({ servers, space }))
  const started = once(child, 'message')
  const slow = failureOf(caller.act('role:rates,cmd:slow'))
  await started
  const from = performance.now()
  await kill(child)
  t.match(await slow, { code: 'LUC_REPLY_LOST', handled: 'unknown' })
  t.ok(performance.now() - from < 1500, 'with half a second for a busy machine')
  const parked = caller.act('role:rates,cmd:get')
  const second = await startService(t, servers, space)
  t.equal(await parked, second.pid)
})

test('an act to somebody who has just gone is unhandled at once', async (t) => {
  const space = newSpace()
  const observer: Observer = {
    tell: () => ({ wire: 1, name: 'raw', instance: 'raw', draining: false, actions: [], subscriptions: [] }),
    onTell: () => () => {},
    hear: () => {},
    receive: async () => ({}),
    lost: () => {},
  }
  const from = performance.now()
  t.match(await failureOf(nats({ url: `${servers}/${space}/nobody` }).connect(observer)), { code: 'LUC_UNREACHABLE' })
  const child = await startService(t, servers, space)
  const foreign = await foreigner(t, servers)
  const { address } = (await foreign.request(`lucilius.${space}.ping`)).json<{ address: string }>()
  const connection = await nats({ url: `${servers}/${space}/${address}` }).connect(observer)
  await kill(child)
  // The server sees the end of the socket in its own time.
  await isGone(foreign, `lucilius.${space}.ping`)
  const message = { role: 'rates', cmd: 'get' }
  const act = () => connection.carry({ kind: 'act', message, meta: { timeoutMs: 5000 } }, { onCancel: undefined })
  t.match(await failureOf(act()), { code: 'LUC_UNREACHABLE', handled: 'no' })
  t.ok(performance.now() - from < 4000)
})

/** Resolves when the server has seen that nobody subscribes to a subject any more. */
async function isGone(foreign: NatsConnection, subject: string): Promise<void> {
  for (;;) {
    const answer = foreign.request(subject, '', { timeout: 50 })
    if (
      await answer.then(
        () => false,
        ({ message }) => /no responders/.test(message),
      )
    )
      return
  }
}

test('through a broker that is killed and started again', async (t) => {
  const space = newSpace()
  const service = made(t, 'service')
  let started = 0
  let calls = 0
  service.add('a:1', () => ++calls)
  service.add('slow:1', () => {
    started++
    return new Promise(() => {})
  })
  const listener = await service.listen(nats({ servers, space }), { expose: '*' })
  const shared = nats({ servers, space })
  const caller = made(t, 'caller')
  await caller.connect(shared)
  const direct = made(t, 'direct')
  await direct.connect(nats({ url: listener.url }))
  t.equal(await caller.act('a:1'), 1)
  const slow = [failureOf(caller.act('slow:1')), failureOf(direct.act('slow:1'))]
  await eventually(() => started === 2)
  await broker?.kill()
  for (const one of slow) t.match(await one, { code: 'LUC_REPLY_LOST', handled: 'unknown' })
  const parked = [caller.act('a:1', {}, { timeoutMs: 8000 }), direct.act('a:1', {}, { timeoutMs: 8000 })]
  t.match(await failureOf(caller.act('a:1', {}, { timeoutMs: 200 })), { code: 'LUC_UNREACHABLE', handled: 'no' })
  t.match(await failureOf(made(t, 'late').listen(nats({ servers }), { expose: [] })), { code: 'LUC_LISTEN_FAILED' })
  const waiting = made(t, 'waiting')
  const connecting = waiting.connect(nats({ servers, space }))
  await broker?.restart()
  t.same((await Promise.all(parked)).sort(), [2, 3])
  await connecting
  t.equal(await waiting.act('a:1'), 4, 'who came while there was no broker')
  const later = made(t, 'later')
  later.add('b:1', () => 'b')
  await later.listen(nats({ servers, space }), { expose: '*' })
  await eventually(() => caller.find('b:1') !== undefined)
})

test('who was cut off from the broker for a while is found again, and finds who came meanwhile', async (t) => {
  const space = newSpace()
  const proxy = await faultProxy(broker?.port ?? 0)
  t.teardown(() => proxy.close())
  const behind = { servers: `127.0.0.1:${proxy.port}`, space }
  const service = made(t, 'service')
  service.add('a:1', () => 'a')
  await service.listen(nats(behind), { expose: '*' })
  const foreign = await foreigner(t, servers)
  const near = made(t, 'near', { forgetMs: 50 })
  await near.connect(nats({ servers, space }))
  t.equal(await near.act('a:1'), 'a')
  const far = made(t, 'far')
  await far.connect(nats(behind))
  proxy.cut()
  await isGone(foreign, `lucilius.${space}.ping`)
  t.match(await failureOf(near.act('a:1', {}, { timeoutMs: 200 })), { code: 'LUC_UNREACHABLE' })
  await eventually(() => near.find('a:1') === undefined)
  const later = made(t, 'later')
  later.add('b:1', () => 'b')
  await later.listen(nats({ servers, space }), { expose: '*' })
  proxy.set({})
  await eventually(() => near.find('a:1') !== undefined && far.find('b:1') !== undefined)
  t.equal(await near.act('a:1'), 'a')
  t.equal(await far.act('b:1'), 'b')
})

test("a clients' door answers anybody's requests", async (t) => {
  const space = newSpace()
  const app = made(t, 'rates')
  const seen: unknown[] = []
  app.add('role:rates,cmd:get', ({ pair }, { meta, signal }) => {
    seen.push({ traceparent: meta.traceparent, hops: meta.hops, identity: meta.identity, aborted: signal.aborted })
    if (pair === 'none') throw new ActionError('PAIR_UNKNOWN', 'No such pair.', { pair })
    return pair === undefined ? undefined : { rate: 0.5 }
  })
  app.add('role:rates,cmd:hidden', () => 'hidden')
  const listener = await app.listen(nats({ servers, space }), { expose: ['role:rates,cmd:get'], audience: 'clients' })
  t.equal(listener.url, `${servers}/${space}/act/rates`)
  const foreign = await foreigner(t, servers)
  const ask = (message: unknown, fields: { [name: string]: string } = {}) => {
    const all = headers()
    for (const [name, value] of Object.entries(fields)) all.set(name, value)
    const text = typeof message === 'string' ? message : JSON.stringify(message)
    return foreign.request(`lucilius.${space}.act.rates`, text, { timeout: 5000, headers: all })
  }
  const get = { role: 'rates', cmd: 'get' }
  t.same((await ask({ ...get, pair: 'usd_eur' })).json(), { rate: 0.5 })
  t.equal((await ask(get)).data.length, 0, 'a reply of undefined is empty')
  const refused = await ask({ ...get, pair: 'none' })
  t.equal(refused.headers?.get('lucilius-error'), 'PAIR_UNKNOWN')
  const error = { code: 'PAIR_UNKNOWN', message: 'No such pair.', handled: 'yes', details: { pair: 'none' } }
  t.same(refused.json(), { error })
  for (const message of [
    { role: 'rates', cmd: 'hidden' },
    { role: 'rates', cmd: 'nothing' },
  ]) {
    t.match((await ask(message)).json(), { error: { code: 'LUC_ACTION_NOT_FOUND', handled: 'no' } })
  }
  t.match((await ask('{')).json(), { error: { code: 'LUC_WIRE_INVALID' } })
  t.match((await ask([1])).json(), { error: { code: 'LUC_MESSAGE_INVALID' } })
  t.match((await ask(get, { 'Lucilius-Timeout-Ms': 'soon' })).json(), { error: { code: 'LUC_WIRE_INVALID' } })
  t.match((await ask(get, { 'lucilius-timeout-ms': '0' })).json(), { error: { code: 'LUC_DEADLINE_EXCEEDED' } })
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  seen.length = 0
  await ask(get, { Traceparent: traceparent, 'lucilius-hops': '7', 'lucilius-identity': '"root"' })
  t.match(seen, [{ traceparent: /^00-4bf92f3577b34da6a3ce929d0e0e4736-/, hops: 1, identity: undefined }])
  foreign.publish(`lucilius.${space}.act.rates`, JSON.stringify({ ...get, pair: 'silent' }))
  await eventually(() => seen.length === 2)

  const caller = made(t, 'caller')
  await caller.connect(nats({ servers, space, app: 'rates' }), { patterns: ['role:rates,cmd:get'] })
  t.same(await caller.act('role:rates,cmd:get', { pair: 'usd_eur' }), { rate: 0.5 })
  const { handled: _, ...known } = error
  t.match(await failureOf(caller.act('role:rates,cmd:get', { pair: 'none' })), known)
  const byUrl = made(t, 'by-url')
  await byUrl.connect(nats({ url: listener.url }), { patterns: ['role:rates'] })
  t.same(await byUrl.act('role:rates', { cmd: 'get', pair: 'usd_eur' }), { rate: 0.5 })
  t.match(await failureOf(made(t, 'peer').connect(nats({ url: listener.url }))), { code: 'LUC_FORBIDDEN' })
  await app.close()
  const nobody = failureOf(caller.act('role:rates,cmd:get', {}, { timeoutMs: 300 }))
  t.match(await nobody, { code: 'LUC_UNREACHABLE', handled: 'no' })
})

test("a clients' door knows who asks, where it wants to", async (t) => {
  const space = newSpace()
  const app = made(t, 'who')
  app.add('a:1', (_, { meta }) => meta.identity)
  const auth: Authenticate = ({ headers: { authorization } }) => {
    if (authorization !== 'Bearer me') throw new Error('unknown')
    return { user: 'me' }
  }
  await app.listen(nats({ servers, space, app: 'door' }), { expose: '*', audience: 'clients', auth })
  const foreign = await foreigner(t, servers)
  const ask = (authorization: string) => {
    const all = headers()
    all.set('Authorization', authorization)
    return foreign.request(`lucilius.${space}.act.door`, '{"a":1}', { timeout: 5000, headers: all })
  }
  t.same((await ask('Bearer me')).json(), { user: 'me' })
  t.match((await ask('Bearer you')).json(), { error: { code: 'LUC_UNAUTHENTICATED', handled: 'no' } })
})

test('instances of a door share its requests, and none is lost while they come and go', async (t) => {
  const space = newSpace()
  const counts: number[] = []
  const open = async (index: number) => {
    const app = made(t, 'door', { drainMs: 2000 })
    counts[index] = 0
    app.add('a:1', async ({ n }) => {
      counts[index] = (counts[index] ?? 0) + 1
      await new Promise((resolve) => setTimeout(resolve, 1))
      return n
    })
    await app.listen(nats({ servers, space }), { expose: '*', audience: 'clients' })
    return app
  }
  const apps = [await open(0), await open(1), await open(2)]
  const foreign = await foreigner(t, servers)
  let sent = 0
  const ask = async (): Promise<void> => {
    while (sent < 2000) {
      const n = sent++
      const answer = await foreign.request(`lucilius.${space}.act.door`, JSON.stringify({ a: 1, n }), { timeout: 5000 })
      if (answer.string() !== String(n)) t.fail(`${n} was answered ${answer.string()}`)
    }
  }
  const asking = Promise.all(Array.from({ length: 64 }, ask))
  await eventually(() => sent > 500)
  await apps[0]?.close()
  await eventually(() => sent > 1200)
  await Promise.all([apps[1]?.close(), open(3)])
  await asking
  t.ok(
    counts.every((count) => count > 50),
    `${counts}`,
  )
  t.equal(
    counts.reduce((sum, count) => sum + count),
    2000,
    'each was handled once',
  )
})

test('no act between peers is lost or run twice while they come and go', async (t) => {
  const space = newSpace()
  const runs = new Map<number, number>()
  const open = async () => {
    const app = made(t, 'service', { drainMs: 2000 })
    app.add('a:1', async ({ n }) => {
      runs.set(n as number, (runs.get(n as number) ?? 0) + 1)
      await new Promise((resolve) => setTimeout(resolve, 1))
      return n
    })
    await app.listen(nats({ servers, space }), { expose: '*' })
    return app
  }
  const first = await open()
  const second = await open()
  const caller = made(t, 'caller')
  await caller.connect(nats({ servers, space }))
  let sent = 0
  const ask = async (): Promise<void> => {
    while (sent < 2000) {
      const n = sent++
      if ((await caller.act('a:1', { n })) !== n) t.fail(`${n} was answered wrongly`)
    }
  }
  const asking = Promise.all(Array.from({ length: 64 }, ask))
  await eventually(() => sent > 500)
  await first.close()
  await eventually(() => sent > 1200)
  const third = await open()
  await second.close()
  await asking
  t.equal(runs.size, 2000)
  t.ok([...runs.values()].every((count) => count === 1))
  await third.close()
})

test('what is larger than the server takes is refused with the code for it', async (t) => {
  const space = newSpace()
  const service = made(t, 'service')
  service.add('a:1', ({ text }) => (text as string).length)
  service.add('a:2', () => 'x'.repeat(1024 * 1024 - 2))
  service.add('a:3', () => 'x'.repeat(1024 * 1024 - 3))
  const listener = await service.listen(nats({ servers, space }), { expose: '*', audience: 'peers' })
  const caller = made(t, 'caller')
  await caller.connect(nats({ url: listener.url }))
  const room = 1024 * 1024 - JSON.stringify({ a: 1, text: '' }).length
  const failure = await failureOf(caller.act('a:1', { text: 'x'.repeat(room) }))
  t.match(failure, { code: 'LUC_TOO_LARGE', handled: 'no', message: /max_payload/ })
  t.equal(await caller.act('a:1', { text: 'x'.repeat(room - 200) }), room - 200)
  t.equal(((await caller.act('a:2')) as string).length, 1024 * 1024 - 2, 'a reply has no header fields')
  const smaller = await startNats(t, { config: 'max_payload: 100000' })
  const small = made(t, 'small')
  small.add('a:1', () => 'x'.repeat(100_000))
  const there = await small.listen(nats({ servers: smaller.url }), { expose: '*' })
  await caller.connect(nats({ url: there.url }), { accept: ['a:1'] })
  const direct = made(t, 'direct')
  await direct.connect(nats({ url: there.url }))
  t.match(await failureOf(direct.act('a:1')), { code: 'LUC_REPLY_INVALID', handled: 'yes', message: /100000/ })
})

test('garbage on every subject changes nothing', async (t) => {
  const space = newSpace()
  const service = made(t, 'service')
  service.add('a:1', () => 'one')
  await service.listen(nats({ servers, space }), { expose: '*' })
  await service.listen(nats({ servers, space }), { expose: '*', audience: 'clients' })
  const caller = made(t, 'caller')
  await caller.connect(nats({ servers, space }))
  const foreign = await foreigner(t, servers)
  const subjects = new Set<string>()
  foreign.subscribe(`lucilius.${space}.>`, {
    callback: (_, { subject, reply }) => {
      for (const one of [subject, reply ?? '']) if (one.startsWith('lucilius.')) subjects.add(one)
    },
  })
  await foreign.flush()
  t.equal(await caller.act('a:1'), 'one')
  await eventually(() => [...subjects].some((one) => one.includes('.reply.')))
  for (const name of ['ping', 'here', 'gone', 'act.service']) subjects.add(`lucilius.${space}.${name}`)
  for (const subject of [...subjects]) {
    const mailbox = /\.to\.[^.]+\./.exec(subject)?.[0]
    if (mailbox === undefined) continue
    for (const rest of ['act', 'event.x', 'reply.x.1', 'reply.x', 'reply.x.NaN', 'line.x', 'found']) {
      subjects.add(`lucilius.${space}${mailbox}${rest}`)
    }
  }
  const payloads = [
    '',
    '{',
    'null',
    '[]',
    '{"kind":"open"}',
    '{"kind":"ping","id":"x"}',
    '{"kind":"act","id":0}',
    '{"address":1}',
    '{"address":"a.b"}',
    '{"__proto__":{}}',
    '['.repeat(2000),
    randomBytes(100),
  ]
  const all = [...subjects]
  const bad = headers()
  bad.set('lucilius-timeout-ms', 'soon')
  bad.set('lucilius-error', '')
  bad.set('lucilius-services', '%')
  for (const subject of all) {
    for (const payload of payloads) {
      foreign.publish(subject, payload)
      foreign.publish(subject, payload, { headers: bad })
      for (const reply of all.slice(0, 12)) foreign.publish(subject, payload, { reply })
    }
  }
  // An answer to the question who is there is no goodbye, wherever it is sent.
  foreign.publish(`lucilius.${space}.ping`, '', { reply: `lucilius.${space}.gone` })
  await foreign.flush()
  t.ok(all.length > 15)
  const replies = await Promise.all(Array.from({ length: 20 }, () => caller.act('a:1')))
  t.ok(replies.every((one) => one === 'one'))
})

test('each sample of docs/wire.md is answered with the one that follows it', async (t) => {
  const rates = made(t, 'rates')
  rates.add('role:rates,cmd:get', { idempotent: true }, ({ pair }) => {
    if (pair === 'usd_eur') return { pair, rate: 0.5 }
    throw new ActionError('PAIR_UNKNOWN', 'There is no rate of this pair.', { pair: pair as string })
  })
  rates.on('role:rates,event:wanted', () => {})
  await rates.listen(nats({ servers }), { expose: '*', events: { in: '*' } })
  await rates.listen(nats({ servers }), { expose: '*', audience: 'clients' })
  const foreign = await foreigner(t, servers)
  const { address, instance } = (await foreign.request('lucilius.lucilius.ping')).json<Record<string, string>>()
  const page = readFileSync(join(repoRoot(), 'docs/wire.md'), 'utf8')
    .replaceAll('BOX', address ?? '')
    .replaceAll('LINE', 'line1')
    .replaceAll(/\bOWN\b/g, 'me')
    .replaceAll('8f2e6c1d4b7a4f0e', instance ?? '')
  const samples = [...page.matchAll(/^```nats (sent|received)\n(.*?)^```$/gms)].map(([, mark, body = '']) => {
    const [head = '', payload = ''] = body.split('\n\n')
    const [subject = '', ...lines] = head.trimEnd().split('\n')
    const fields = lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const)
    return { mark, subject, payload: payload.trim(), fields }
  })
  t.ok(samples.length >= 10)
  const received: Msg[] = []
  for (const subject of ['me', 'lucilius.lucilius.to.me.>']) {
    foreign.subscribe(subject, { callback: (_, message) => void received.push(message) })
  }
  for (const { mark, subject, payload, fields } of samples) {
    const reply = fields.find(([name]) => name === 'reply-to')?.[1] ?? ''
    const rest = fields.filter(([name]) => name !== 'reply-to')
    if (mark === 'sent') {
      const all = headers()
      for (const [name, value] of rest) all.set(name, value)
      foreign.publish(subject, payload, { reply, headers: all })
      continue
    }
    await eventually(() => received.length > 0)
    const answer = received.shift() as Msg
    t.equal(answer.subject, subject)
    t.equal(answer.reply ?? '', reply)
    t.strictSame(answer.data.length === 0 ? '' : answer.json(), payload === '' ? '' : JSON.parse(payload))
    for (const [name, value] of rest) t.equal(answer.headers?.get(name), value)
  }
})

test('the program of docs/nats.md prints what the page says', async (t) => {
  const page = readFileSync(join(repoRoot(), 'docs/nats.md'), 'utf8')
  const [, code = '', printed = ''] = /^```ts nocheck[^\n]*\n(.*?)^```\n+```text\n(.*?)^```$/ms.exec(page) ?? []
  const file = join(broker?.folder ?? '', 'program.mjs')
  const from = (path: string) => new URL(`../../../${path}/index.js`, import.meta.url).href
  const program = code
    .replace("'lucilius'", `'${from('lib')}'`)
    .replace("'lucilius/transports/nats'", `'${from('transports/nats')}'`)
    .replaceAll('nats()', `nats({ servers: '${servers}', space: '${newSpace()}' })`)
  writeFileSync(file, program)
  t.equal(execFileSync(process.execPath, [file], { encoding: 'utf8' }), printed)
})
