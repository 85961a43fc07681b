import t from 'tap'
import { z } from 'zod'
import { type Context, lucilius } from '../../lib/index.js'
import { type CacheOptions, cache } from '../../plugins/cache/index.js'
import { inProcess } from '../../transports/in-process/index.js'

const pattern = 'role:area,cmd:of'

/** An app with a cache around one action that counts its runs. */
function counted(options: Partial<CacheOptions> = {}) {
  const app = lucilius()
  const areas = cache({ pattern, keys: ['side'], ttlMs: 1000, ...options })
  app.use(areas)
  const count = { runs: 0 }
  app.add(pattern, ({ side }) => ({ run: ++count.runs, area: Number(side ?? 0) ** 2 }))
  return { app, areas, count }
}

/** Runs of a handler that end when the test says so. */
function held() {
  const runs: { readonly context: Context; end(reply: unknown): void; fail(error: Error): void }[] = []
  let started = () => {}
  const handler = (_: unknown, context: Context) =>
    new Promise((resolve, reject) => {
      runs.push({ context, end: resolve, fail: reject })
      started()
    })
  const until = async (count: number) => {
    while (runs.length < count) {
      await new Promise<void>((resolve) => {
        started = resolve
      })
    }
    const run = runs[count - 1]
    if (run === undefined) throw new Error('no such run')
    return run
  }
  return { runs, handler, until }
}

t.test('a reply is remembered by the chosen keys, whatever else the message says', async (t) => {
  const { app, count } = counted()
  await using _ = app
  const first = await app.act(pattern, { side: 3, colour: 'red' })
  t.strictSame(await app.act(pattern, { side: 3, colour: 'blue' }), first)
  t.strictSame(await app.act(pattern, { side: 4 }), { run: 2, area: 16 })
  t.equal(count.runs, 2)
})

t.test('an absent key, null and a text that looks like a number are told apart', async (t) => {
  const { app, count } = counted()
  await using _ = app
  for (const message of [{}, { side: null }, { side: 1 }, { side: '1' }, { side: [] }]) await app.act(pattern, message)
  t.equal(count.runs, 5)
})

t.test('a reply is used for ttlMs and not longer', async (t) => {
  let time = 0
  const { app, count } = counted({ ttlMs: 100, now: () => time })
  await using _ = app
  await app.act(pattern, { side: 1 })
  time = 99
  await app.act(pattern, { side: 1 })
  t.equal(count.runs, 1)
  time = 100
  await app.act(pattern, { side: 1 })
  t.equal(count.runs, 2)
})

t.test('at most max replies are kept: the one that was not asked for longest goes', async (t) => {
  const { app, count } = counted({ max: 2 })
  await using _ = app
  for (const side of [1, 2, 1, 3]) await app.act(pattern, { side })
  t.equal(count.runs, 3)
  await app.act(pattern, { side: 1 })
  t.equal(count.runs, 3, '1 was asked for after 2')
  await app.act(pattern, { side: 2 })
  t.equal(count.runs, 4, '2 is gone')
})

t.test('a reply for one identity is never given to another, unless told so', async (t) => {
  const kept = counted()
  const mixed = counted({ perIdentity: false })
  for (const { app } of [kept, mixed]) {
    for (const identity of ['u1', 'u2', 'u1', undefined]) {
      await app.act(pattern, { side: 1 }, identity === undefined ? {} : { identity })
    }
    await app.close()
  }
  t.equal(kept.count.runs, 3)
  t.equal(mixed.count.runs, 1)
})

t.test('clear forgets replies, and a run that began before it leaves none', async (t) => {
  const { app, areas, count } = counted()
  await app.act(pattern, { side: 1 })
  areas.clear()
  await app.act(pattern, { side: 1 })
  t.equal(count.runs, 2)
  await app.close()

  const { runs, handler, until } = held()
  await using slow = lucilius()
  const squares = cache({ pattern, keys: [], ttlMs: 1000 })
  slow.use(squares)
  slow.add(pattern, handler)
  const before = slow.act(pattern)
  const first = await until(1)
  squares.clear()
  first.end('old')
  t.equal(await before, 'old')
  const after = slow.act(pattern)
  const second = await until(2)
  second.end('new')
  t.equal(await after, 'new')
  t.equal(await slow.act(pattern), 'new')
  t.equal(runs.length, 2)
})

t.test('undefined is a reply that is remembered like any other', async (t) => {
  await using app = lucilius()
  let runs = 0
  app.use(cache({ pattern, keys: [], ttlMs: 1000 }))
  app.add(pattern, () => void runs++)
  t.equal(await app.act(pattern), undefined)
  t.equal(await app.act(pattern), undefined)
  t.equal(runs, 1)
})

t.test('acts with equal keys share one run and its reply', async (t) => {
  const { runs, handler, until } = held()
  await using app = lucilius()
  app.use(cache({ pattern, keys: ['side'], ttlMs: 1000 }))
  app.add(pattern, handler)
  const acts = [1, 1, 1].map((side) => app.act(pattern, { side }))
  const run = await until(1)
  run.end('shared')
  t.strictSame(await Promise.all(acts), ['shared', 'shared', 'shared'])
  t.equal(runs.length, 1)
})

t.test('a run that fails fails for all who share it, and is not remembered', async (t) => {
  const { runs, handler, until } = held()
  await using app = lucilius()
  app.use(cache({ pattern, keys: [], ttlMs: 1000 }))
  app.add(pattern, handler)
  const acts = [app.act(pattern), app.act(pattern)]
  const failures = acts.map((act) => t.rejects(act, { code: 'LUC_ACTION_FAILED' }))
  const first = await until(1)
  first.fail(new Error('flood'))
  await Promise.all(failures)
  t.equal(runs.length, 1)
  const again = app.act(pattern)
  const second = await until(2)
  second.end('dry')
  t.equal(await again, 'dry')
})

t.test('a caller that gives up does not fail the others: the next one runs', async (t) => {
  const { runs, handler, until } = held()
  await using app = lucilius()
  app.use(cache({ pattern, keys: [], ttlMs: 1000 }))
  app.add(pattern, handler)
  const leaver = new AbortController()
  const waiter = new AbortController()
  const left = t.rejects(app.act(pattern, {}, { signal: leaver.signal }), { code: 'LUC_CANCELLED' })
  const first = await until(1)
  const gone = t.rejects(app.act(pattern, {}, { signal: waiter.signal }), { code: 'LUC_CANCELLED' })
  const others = [app.act(pattern), app.act(pattern)]
  waiter.abort()
  await gone
  leaver.abort()
  await left
  const second = await until(2)
  t.ok(first.context.signal.aborted)
  t.notOk(second.context.signal.aborted, 'the one that left while waiting does not run')
  first.end('late')
  second.end('in time')
  t.strictSame(await Promise.all(others), ['in time', 'in time'])
  t.equal(runs.length, 2, 'one run for the one that left, one for the rest')
  t.equal(await app.act(pattern), 'in time', 'the late reply is not remembered')
})

t.test('each act that waits for a shared run keeps its own deadline', async (t) => {
  const { runs, handler, until } = held()
  await using app = lucilius()
  app.use(cache({ pattern, keys: [], ttlMs: 1000 }))
  app.add(pattern, handler)
  const patient = app.act(pattern)
  const run = await until(1)
  await t.rejects(app.act(pattern, {}, { timeoutMs: 5 }), { code: 'LUC_DEADLINE_EXCEEDED' })
  run.end('done')
  t.equal(await patient, 'done')
  t.equal(runs.length, 1)
})

t.test('a message that its schema refuses fails nobody else with equal keys', async (t) => {
  await using app = lucilius()
  app.use(cache({ pattern, keys: [], ttlMs: 1000 }))
  app.add(pattern, { message: z.object({ side: z.number() }) }, ({ side }) => side ** 2)
  const bad = t.rejects(app.act({ role: 'area', cmd: 'of', side: 'x' }), { code: 'LUC_MESSAGE_INVALID' })
  t.equal(await app.act(pattern, { side: 2 }), 4)
  await bad
})

t.test('neither a caller nor the handler can change a remembered reply', async (t) => {
  await using app = lucilius({ parity: 'off' })
  const table = { list: [1] }
  app.use(cache({ pattern, keys: [], ttlMs: 1000 }))
  app.add(pattern, () => table)
  await app.act(pattern)
  table.list.push(2)
  const reply = (await app.act(pattern)) as typeof table // what the handler replies
  t.strictSame(reply, { list: [1] })
  t.throws(() => reply.list.push(3), TypeError)
})

t.test('an action and its prior of the same pattern have replies of their own', async (t) => {
  await using app = lucilius()
  app.use(cache({ pattern, keys: ['side'], ttlMs: 1000 }))
  app.add(pattern, () => 'older')
  app.add(pattern, async (_, { prior }) => ['newer', await prior()])
  t.strictSame(await app.act(pattern, { side: 1 }), ['newer', 'older'])
  t.strictSame(await app.act(pattern, { side: 1 }), ['newer', 'older'])
})

t.test('at the caller, a hit does not go to the peer', async (t) => {
  let runs = 0
  await using there = lucilius({ name: 'areas' })
  there.add(pattern, () => ++runs)
  const listener = await there.listen(inProcess(), { expose: '*' })
  await using here = lucilius({ name: 'walls' })
  here.use(cache({ pattern, keys: ['side'], ttlMs: 1000, at: 'caller' }))
  await here.connect(inProcess({ url: listener.url }))
  t.equal(await here.act(pattern, { side: 1 }), 1)
  t.equal(await here.act(pattern, { side: 1 }), 1)
  t.equal(runs, 1)
})

t.test('options that cannot work are refused with what to write instead', async (t) => {
  const good = { pattern, keys: ['side'], ttlMs: 1 }
  const refused = (options: object, message: RegExp) =>
    t.throws(() => cache({ ...good, ...options } as CacheOptions), { code: 'LUC_OPTIONS_INVALID', message })
  refused({ keys: undefined }, /'keys' names the properties/)
  refused({ ttlMs: 0 }, /'ttlMs' is a number/)
  refused({ max: 0.5 }, /'max' is a whole number/)
  refused({ at: 'handler' }, /'at' is 'caller'/)
  refused({ ttl: 5 }, /no option 'ttl'/)
})
