import t, { type Test } from 'tap'
import { type App, type AppOptions, lucilius } from '../../../lib/index.js'
import { websocket } from '../../../transports/websocket/index.js'
import { eventually } from '../../core/eventually.js'
import { type Failure, failureOf } from '../../core/failure.js'
import { type FaultProxy, faultProxy } from '../../support/fault-proxy.js'
import { start } from './process.js'

function client(t: Test, options: AppOptions = {}): App {
  const app = lucilius({ name: 'client', drainMs: 100, timeoutMs: 5000, ...options })
  t.teardown(() => app.close())
  return app
}

/** A service in this process behind a proxy, and a client that goes through it. */
async function behindProxy(t: Test, options: AppOptions = {}) {
  const service = lucilius({ name: 'service', drainMs: 100 })
  t.teardown(() => service.close())
  const runs = new Map<unknown, number>()
  service.add('a:1', async ({ n }) => {
    runs.set(n, (runs.get(n) ?? 0) + 1)
    await new Promise((resolve) => setImmediate(resolve))
    return { n }
  })
  service.add('a:again', { idempotent: true }, ({ n }) => ({ n }))
  const listener = await service.listen(websocket({ port: 0 }), { expose: '*', audience: 'peers' })
  const proxy = await faultProxy(Number(new URL(listener.url).port))
  t.teardown(() => proxy.close())
  const app = client(t, options)
  await app.connect(websocket({ url: `ws://127.0.0.1:${proxy.port}/ws`, pingMs: 200, handshakeTimeoutMs: 500 }))
  return { service, proxy, app, runs }
}

/** Acts again and again from several callers until `over`; counts what became of it. */
async function load(app: App, pattern: string, callers: number, over: () => boolean) {
  const seen = { ok: 0, wrong: 0, failures: [] as Failure[] }
  let n = 0
  const call = async () => {
    while (!over()) {
      const mine = ++n
      try {
        const reply = (await app.act(pattern, { n: mine })) as { n: number }
        if (reply.n === mine) seen.ok++
        else seen.wrong++
      } catch (error) {
        seen.failures.push(error as Failure)
      }
      // Lets the sockets have their turn when everything fails at once.
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await Promise.all(Array.from({ length: callers }, call))
  return seen
}

const after = (ms: number) => {
  const end = performance.now() + ms
  return () => performance.now() > end
}

const harms: readonly [string, (proxy: FaultProxy) => void][] = [
  ['latency and jitter', (proxy) => proxy.set({ latencyMs: 5, jitterMs: 20 })],
  ['slicing into single bytes', (proxy) => proxy.set({ slice: 1 })],
  ['slicing with jitter', (proxy) => proxy.set({ slice: 300, jitterMs: 1 })],
]

for (const [name, harm] of harms) {
  t.test(`nothing is lost, wrong or done twice under ${name}`, async (t) => {
    const { app, proxy, runs } = await behindProxy(t)
    harm(proxy)
    const { ok, wrong, failures } = await load(app, 'a:1', 16, after(400))
    t.ok(ok > 0, `${ok} replies`)
    t.equal(wrong, 0)
    t.strictSame(failures, [])
    t.equal(runs.size, ok)
    t.notOk([...runs.values()].some((times) => times > 1))
  })
}

for (const pattern of ['a:1', 'a:again']) {
  t.test(`connections that are cut again and again: ${pattern} is never wrong, hung or done twice`, async (t) => {
    const { app, proxy, runs } = await behindProxy(t, { retry: { perSecond: 100_000 } })
    const over = after(1200)
    let cuts = 0
    const timer = setInterval(() => {
      if (cuts++ % 2 === 0) proxy.cut()
      else proxy.set({})
    }, 60)
    const { ok, wrong, failures } = await load(app, pattern, 16, over)
    clearInterval(timer)
    t.ok(ok > 0 && proxy.counts.resets > 0, `${ok} replies, ${proxy.counts.resets} resets`)
    t.equal(wrong, 0)
    t.notOk([...runs.values()].some((times) => times > 1))
    if (pattern === 'a:again') t.strictSame(failures, [], 'what is idempotent is tried again')
    for (const { code, handled } of failures) t.match({ code, handled }, { code: 'LUC_REPLY_LOST', handled: 'unknown' })
  })
}

t.test('connections that are reset in the middle of a frame lose replies, not callers', async (t) => {
  const { app, proxy, runs } = await behindProxy(t)
  proxy.set({ resetAfter: 20_000, slice: 700 })
  const { ok, wrong, failures } = await load(app, 'a:1', 32, after(500))
  proxy.set({})
  t.ok(ok > 0 && proxy.counts.resets > 0, `${ok} replies, ${failures.length} lost, ${proxy.counts.resets} resets`)
  t.equal(wrong, 0)
  t.notOk([...runs.values()].some((times) => times > 1))
  t.ok(failures.every(({ code }) => code === 'LUC_REPLY_LOST'))
  t.match(await app.act('a:1', { n: 'last' }), { n: 'last' })
})

t.test('a frozen connection is noticed by its missing pongs, and what waited for it is told', async (t) => {
  const { app, proxy } = await behindProxy(t)
  proxy.set({ frozen: true })
  const began = performance.now()
  t.match(await failureOf(app.act('a:1', { n: 1 })), { code: 'LUC_REPLY_LOST', handled: 'unknown' })
  t.ok(performance.now() - began < 1500, 'long before its deadline')
  proxy.set({})
  t.match(await app.act('a:1', { n: 2 }), { n: 2 })
})

t.test('acts wait for a connection that is away, and are served in order when it is back', async (t) => {
  const { app, proxy, runs } = await behindProxy(t)
  proxy.cut()
  // A second reset is an attempt to connect again: the loss is known.
  await eventually(() => proxy.counts.resets > 1)
  const replies: number[] = []
  const acts = Array.from({ length: 50 }, async (_, n) => {
    await app.act('a:1', { n })
    replies.push(n)
  })
  t.strictSame(replies, [])
  proxy.set({})
  await Promise.all(acts)
  t.strictSame([...runs.keys()], [...Array(50).keys()])
})

t.test('acts wait for an app without a name, which comes back as another service', async (t) => {
  const app = client(t)
  const serve = async (port: number) => {
    const service = lucilius({ drainMs: 50 })
    t.teardown(() => service.close())
    service.add('a:1', ({ n }) => n)
    const { url } = await service.listen(websocket({ port }), { expose: '*', audience: 'peers' })
    return { service, port: Number(new URL(url).port), url }
  }
  const { service, port, url } = await serve(0)
  await app.connect(websocket({ url }))
  await service.close()
  const acts = Array.from({ length: 10 }, (_, n) => app.act('a:1', { n }))
  await serve(port)
  t.strictSame(await Promise.all(acts), [...Array(10).keys()])
})

t.test('an act that was never written is not handled when the connection goes', async (t) => {
  const service = lucilius({ name: 'service', drainMs: 50 })
  t.teardown(() => service.close())
  service.add('a:1', () => new Promise(() => {}))
  const options = { expose: '*', audience: 'peers' } as const
  const { url } = await service.listen(websocket({ port: 0, maxInFlight: 2 }), options)
  const heard: unknown[] = []
  const connection = await websocket({ url }).connect({
    tell: () => ({ wire: 1, name: 'x', instance: 'x', actions: [], subscriptions: [], draining: false }),
    onTell: () => () => {},
    hear: (told) => void heard.push(told),
    receive: async () => ({}),
    lost: () => void heard.push('lost'),
  })
  const carry = () => failureOf(connection.carry({ kind: 'act', message: { a: 1 }, meta: {} }, { onCancel: undefined }))
  const acts = Promise.all([carry(), carry(), carry(), carry()])
  await connection.ping?.()
  await connection.close()
  const found = (await acts).map(({ code, handled }) => `${code} ${handled}`)
  t.strictSame(found, [...Array(2).fill('LUC_REPLY_LOST unknown'), ...Array(2).fill('LUC_UNREACHABLE no')])
  t.match(await carry(), { code: 'LUC_UNREACHABLE', handled: 'no' })
  t.equal(heard.filter((one) => one === 'lost').length, 1)
  await t.rejects(connection.ping?.() ?? Promise.resolve())
})

t.test(
  'kill -9 of the server: what ran is unknown and told at once, what comes then waits for the next one',
  async (t) => {
    const first = await start(t, 0, 'first')
    const app = client(t)
    await app.connect(websocket({ url: first.url }))
    const lost = Array.from({ length: 64 }, (_, n) => failureOf(app.act('a:slow', { n, ms: 60_000 })))
    await eventually(() => first.started.length === 64)
    const began = performance.now()
    await first.kill()
    for (const error of await Promise.all(lost)) t.match(error, { code: 'LUC_REPLY_LOST', handled: 'unknown' })
    t.ok(performance.now() - began < 1000)
    const parked = app.act('a:1', { n: 1 })
    const second = await start(t, first.port, 'second')
    t.match(await parked, { n: 1, tag: 'second' })
    t.strictSame(second.started, [], 'nothing is sent a second time')
  },
)

t.test('kill -9 of one of two: what is idempotent is answered by the other', async (t) => {
  const one = await start(t, 0, 'one')
  const two = await start(t, 0, 'two')
  const app = client(t, { retry: { perSecond: 1000 } })
  for (const { url } of [one, two]) await app.connect(websocket({ url }))
  const acts = Array.from({ length: 40 }, (_, n) => app.act('a:again', { n, ms: 300 }))
  await app.act('a:1', { n: 0 })
  await one.kill()
  const replies = (await Promise.all(acts)) as { n: number; tag: string }[]
  t.strictSame(
    replies.map(({ n }) => n),
    [...Array(40).keys()],
  )
  t.ok(replies.every(({ tag }) => tag === 'two'))
})

t.test('a stopped process is avoided after its first calls expired, and used again when it goes on', async (t) => {
  const one = await start(t, 0, 'one')
  const two = await start(t, 0, 'two')
  const app = client(t, { timeoutMs: 300 })
  for (const { url } of [one, two]) await app.connect(websocket({ url }))
  one.child.kill('SIGSTOP')
  const tags = async (count: number) => {
    const replies = Array.from({ length: count }, (_, n) => app.act('a:1', { n }).catch((error: Failure) => error))
    return (await Promise.all(replies)).map(
      (reply) => (reply as { tag?: string; code?: string }).tag ?? (reply as Failure).code,
    )
  }
  t.ok((await tags(16)).includes('LUC_DEADLINE_EXCEEDED'))
  t.strictSame([...new Set(await tags(50))], ['two'])
  one.child.kill('SIGCONT')
  let back: unknown[] = []
  while (!back.includes('one')) back = await tags(4)
  t.notOk((await tags(50)).includes('LUC_DEADLINE_EXCEEDED'))
})

t.test('a rolling restart under load shows no error', { timeout: 60_000 }, async (t) => {
  const services = [await start(t), await start(t)]
  const app = client(t)
  for (const { url } of services) await app.connect(websocket({ url }))
  let over = false
  const loaded = load(app, 'a:1', 64, () => over)
  for (let round = 0; round < 3; round++) {
    for (const [index, service] of services.entries()) {
      await service.close()
      services[index] = await start(t, service.port)
      await eventually(() => app.list('a:1').length > 0)
    }
  }
  over = true
  const { ok, wrong, failures } = await loaded
  t.ok(ok > 1000, `${ok} replies`)
  t.equal(wrong, 0)
  t.strictSame(failures, [])
})

t.test('a restart of the only server under load parks what comes meanwhile and shows no error', async (t) => {
  let service = await start(t)
  const app = client(t)
  await app.connect(websocket({ url: service.url }))
  let over = false
  const loaded = load(app, 'a:1', 64, () => over)
  for (let round = 0; round < 3; round++) {
    await service.close()
    service = await start(t, service.port)
    await app.act('a:1', { n: 'between' })
  }
  over = true
  const { ok, wrong, failures } = await loaded
  t.ok(ok > 64, `${ok} replies`)
  t.equal(wrong, 0)
  t.strictSame(failures, [])
})
