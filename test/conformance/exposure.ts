import type { Test } from 'tap'
import { type ConnectOptions, jsonLogger, type ListenOptions } from '../../lib/index.js'
import type { Call, Envelope, Observer, Outcome } from '../../lib/transport-kit.js'
import { eventually } from '../core/eventually.js'
import { failureOf } from '../core/failure.js'
import type { Means } from './means.js'
import { join, made, play, type Stage } from './scene.js'

/** Nothing is reachable unless exposed. */
export function exposure(t: Test, stage: Stage): void {
  const { means } = stage
  if (means === undefined) return

  t.test('only patterns with exactly the keys of an exposed one are let in', async (t) => {
    const { caller, service, join } = play(t, stage)
    for (const pattern of ['role:x', 'role:x,cmd:a', 'role:x,cmd:b', 'role:x,cmd:a,admin:true', 'role:y,cmd:a', '']) {
      service.add(pattern, () => pattern)
    }
    await join({ expose: ['role:x,cmd:*'] })
    t.strictSame(
      caller.list().map(({ pattern }) => pattern),
      ['cmd:a,role:x', 'cmd:b,role:x'],
    )
    t.equal(await caller.act('role:x,cmd:a'), 'role:x,cmd:a')
    for (const message of ['role:x', 'role:y,cmd:a', 'z:1']) {
      t.match(await failureOf(caller.act(message)), { code: 'LUC_ACTION_NOT_FOUND', handled: /^no$/ }, message)
    }
  })

  t.test("expose '*' lets in every action of the app but the catch-all, and none that it learned", async (t) => {
    const { caller, service, other } = play(t, stage)
    service.add('a:1', () => 'mine')
    service.add('', () => 'catch-all')
    other.add('b:1', () => 'learned')
    await join(means, service, other)
    await join(means, caller, service)
    t.strictSame(
      caller.list().map(({ pattern }) => pattern),
      ['a:1'],
    )
    t.match(await failureOf(caller.act('b:1')), { code: 'LUC_ACTION_NOT_FOUND' })
    t.match(await failureOf(caller.act('c:1')), { code: 'LUC_ACTION_NOT_FOUND' })
    t.equal(await service.act('b:1'), 'learned')
  })

  t.test('an unexposed, more specific action under an exposed one is not reachable', async (t) => {
    const { caller, service, join } = play(t, stage)
    let ran = 0
    service.add('a:1', () => 'exposed')
    service.add('a:1,admin:true', () => ++ran)
    await join({ expose: ['a:*'] })
    t.equal(await caller.act('a:1'), 'exposed')
    t.match(await failureOf(caller.act('a:1', { admin: true })), { handled: /^no$/ })
    t.equal(ran, 0)
    t.equal(await caller.act('a:1', { admin: true }, { exact: true }), 'exposed', 'exact routes by the pattern alone')
  })

  t.test('the author is warned of a pattern that is exposed and lets nothing in', async (t) => {
    const lines: string[] = []
    const logger = jsonLogger({ level: 'warn', write: (line) => void lines.push(line) })
    const service = made(t, { name: 'service', parity: stage.parity, logger })
    service.add('x:1,y:1', () => 1)
    await service.listen(means.listen(), { expose: ['x:1', 'x:1,y:*'], audience: 'peers' })
    t.equal(lines.length, 1)
    t.match(lines[0], /'x:1' is exposed.*exactly the keys/)
    t.match(lines[0], /x:1,y:1/)
  })

  t.test('the author is warned of an action that exposure makes unreachable', async (t) => {
    const lines: string[] = []
    const logger = jsonLogger({ level: 'warn', write: (line) => void lines.push(line) })
    const service = made(t, { name: 'service', parity: stage.parity, logger })
    service.add('a:1', () => 1)
    service.add('a:1,admin:true', () => 1)
    const caller = made(t, { name: 'caller', parity: stage.parity })
    service.add('b:1', () => 1)
    await join(means, caller, service, ['a:*', 'b:1'])
    t.equal(await caller.act('a:1'), 1)
    t.strictSame(lines, [])
    for (let time = 0; time < 3; time++) await failureOf(caller.act('a:1', { admin: true }))
    t.equal(lines.length, 1, 'when it happens, and once')
    t.match(lines[0], /a:1,admin:true/)
    t.match(JSON.stringify(service.explain('a:1,admin:true')), /not exposed/, 'explain says so, too')
    t.notMatch(JSON.stringify(service.explain('a:1')), /not exposed/)
  })

  t.test('unknown and unexposed are answered alike, byte for byte', async (t) => {
    const service = made(t, { name: 'service', parity: stage.parity })
    let ran = 0
    service.add('a:1', () => 'exposed')
    service.add('secret:1', () => ++ran)
    service.add('a:1,secret:1', () => ++ran)
    service.add('', () => ++ran)
    const ask = await raw(t, means, service, { expose: ['a:1'], audience: 'peers' })
    const strip = (outcome: Outcome) => JSON.stringify(outcome)
    const unknown = strip(await ask({ message: { nothing: 1 } }))
    t.match(unknown, /LUC_ACTION_NOT_FOUND/)
    t.equal(strip(await ask({ message: { secret: 1 } })), unknown)
    t.equal(strip(await ask({ message: { a: 1, secret: 1 } })), unknown)
    const wrong = strip(await ask({ message: { nothing: 1 }, to: 'nothing:1' }))
    t.equal(strip(await ask({ message: { secret: 1 }, to: 'secret:1' })), wrong, 'and with a pattern that is named')
    const below = strip(await ask({ message: { nothing: 1 }, below: 'nothing:1,x:1' }))
    t.equal(strip(await ask({ message: { secret: 1 }, below: 'secret:1,x:1' })), below, 'and as a prior')
    const by = strip(await ask({ message: { nothing: 1 }, by: '{"nothing":1}' }))
    t.equal(strip(await ask({ message: { secret: 1 }, by: '{"secret":1}' })), by, 'and by a pattern instead')
    t.equal(ran, 0)
    t.strictSame(await ask({ message: { a: 1 } }), { reply: 'exposed' })
  })

  t.test('the pattern that an envelope names is an assertion, not an order', async (t) => {
    const service = made(t, { name: 'service', parity: stage.parity })
    service.add('a:1', () => 'wide')
    service.add('a:1,b:2', () => 'narrow')
    const ask = await raw(t, means, service, { expose: '*', audience: 'peers' })
    t.match(await ask({ message: { a: 1, b: 2 }, to: 'a:1' }), {
      error: { code: 'LUC_ROUTE_CHANGED', handled: /^no$/ },
    })
    t.strictSame(await ask({ message: { a: 1, b: 2 }, to: 'a:1,b:2' }), { reply: 'narrow' })
    t.strictSame(await ask({ message: { a: 1, b: 2 }, below: 'a:1,b:2', to: 'a:1' }), { reply: 'wide' })
  })

  t.test('what arrives expired is not started', async (t) => {
    const service = made(t, { name: 'service', parity: stage.parity })
    let ran = 0
    service.add('a:1', () => ++ran)
    const ask = await raw(t, means, service, { expose: '*', audience: 'peers' })
    t.match(await ask({ message: { a: 1 }, timeoutMs: 0 }), {
      error: { code: 'LUC_DEADLINE_EXCEEDED', handled: /^no$/ },
    })
    t.equal(ran, 0)
  })

  t.test('a time-out and hops from the wire are clamped and counted', async (t) => {
    const service = made(t, { name: 'service', parity: stage.parity, maxTimeoutMs: 1000, maxHops: 5 })
    service.add('a:1', (_, { meta }) => [meta.deadline - Date.now(), meta.hops])
    const ask = await raw(t, means, service, { expose: '*', audience: 'peers' })
    const { reply } = (await ask({ message: { a: 1 }, timeoutMs: 1e12, hops: 5 })) as { reply: [number, number] }
    t.ok(reply[0] <= 1100, `${reply[0]} ms`)
    t.equal(reply[1], 5)
    t.match(await ask({ message: { a: 1 }, hops: 6 }), { error: { code: 'LUC_TOO_MANY_HOPS', handled: /^no$/ } })
  })

  t.test('accept bounds what a peer may announce', async (t) => {
    const { caller, service } = play(t, stage)
    service.add('a:1', () => 1)
    service.add('b:1', () => 1)
    const listener = await service.listen(means.listen(), { expose: '*', audience: 'peers' })
    await caller.connect(means.connect(listener.url), { accept: ['a:*'] })
    t.strictSame(
      caller.list().map(({ pattern }) => pattern),
      ['a:1'],
    )
    service.add('b:2', () => 1)
    service.add('a:2', () => 1)
    await eventually(() => caller.list().length === 2)
    t.equal(caller.find('b:2'), undefined)
  })

  t.test('events pass a listener only as far as its lists say', async (t) => {
    const { caller, service } = play(t, stage)
    const seen: string[] = []
    for (const app of [caller, service]) app.on('', ({ e }) => seen.push(`${app.name}:${e}`))
    const events = { in: ['e:in'], out: ['e:out'] }
    const listener = await service.listen(means.listen(), { expose: [], events, audience: 'peers' })
    await caller.connect(means.connect(listener.url))
    for (const app of [caller, service]) for (const e of ['in', 'out']) await app.emit({ e })
    await eventually(() => seen.length >= 6)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    t.strictSame(seen.sort(), ['caller:in', 'caller:out', 'caller:out', 'service:in', 'service:in', 'service:out'])
  })

  t.test('by default no event passes', async (t) => {
    const { caller, service } = play(t, stage)
    const seen: string[] = []
    for (const app of [caller, service]) app.on('e:1', () => seen.push(app.name))
    const listener = await service.listen(means.listen(), { expose: '*', audience: 'peers' })
    await caller.connect(means.connect(listener.url))
    await caller.emit('e:1')
    await service.emit('e:1')
    await eventually(() => seen.length >= 2)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    t.strictSame(seen.sort(), ['caller', 'service'])
  })

  t.test('listen needs to be told what to expose', async (t) => {
    const app = made(t, { parity: stage.parity })
    const listen = (options: unknown) => failureOf(app.listen(means.listen(), options as ListenOptions))
    t.match(await listen(undefined), { code: 'LUC_EXPOSE_REQUIRED' })
    t.match(await listen({}), { code: 'LUC_EXPOSE_REQUIRED' })
    t.match(await listen({ expose: 'a:1' }), { code: 'LUC_OPTIONS_INVALID' })
    t.match(await listen({ expose: [''] }), { code: 'LUC_OPTIONS_INVALID' })
    t.match(await listen({ expose: ['a:b:c'] }), { code: 'LUC_PATTERN_INVALID' })
    t.match(await listen({ expose: '*', event: {} }), { code: 'LUC_OPTIONS_INVALID', message: /'event'.*'events'/ })
    t.match(await listen({ expose: '*', events: { inn: [] } }), { code: 'LUC_OPTIONS_INVALID', message: /'in'/ })
    t.match(await listen({ expose: '*', audience: 'all' }), { code: 'LUC_OPTIONS_INVALID', message: /audience/ })
    const { url } = await made(t, { parity: stage.parity }).listen(means.listen(), { expose: '*', audience: 'peers' })
    const connect = (options: unknown) => failureOf(app.connect(means.connect(url), options as ConnectOptions))
    t.match(await connect({ acept: [] }), { code: 'LUC_OPTIONS_INVALID', message: /'acept'.*'accept'/ })
    t.match(await connect({ accept: 'a:1' }), { code: 'LUC_OPTIONS_INVALID', message: /accept/ })
  })
}

interface Asked {
  readonly message: object
  readonly to?: string
  readonly below?: string
  readonly by?: string
  readonly timeoutMs?: number
  readonly hops?: number
}

/** Speaks to a listener as a peer that sends whatever it likes. */
async function raw(
  t: Test,
  means: Means,
  to: ReturnType<typeof made>,
  options: ListenOptions,
): Promise<(asked: Asked) => Promise<Outcome>> {
  const listener = await to.listen(means.listen(), options)
  const observer: Observer = {
    tell: () => ({ wire: 1, name: 'raw', instance: 'raw-1', draining: false, actions: [], subscriptions: [] }),
    onTell: () => () => {},
    hear: () => {},
    receive: async () => ({}),
    lost: () => {},
  }
  const connection = await means.connect(listener.url).connect(observer)
  t.teardown(() => connection.close())
  return ({ message, timeoutMs = 5000, hops = 1, ...way }) => {
    const meta = { id: 'raw', traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`, timeoutMs, hops }
    const call: Call = { onCancel: undefined }
    return connection.carry({ kind: 'act', message, meta, ...way } as Envelope, call)
  }
}
