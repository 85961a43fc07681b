import t, { type Test } from 'tap'
import { hostApp } from '../../lib/host.js'
import { ActionError, type App, type AppOptions, type EventContext, lucilius, type Message } from '../../lib/index.js'
import type { StoredEvent, StoreHost } from '../../lib/store.js'
import { MemoryStore } from '../support/memory-store.js'
import { eventually, gate } from './eventually.js'
import { failureOf } from './failure.js'
import { recordingLogger } from './recording-logger.js'

t.jobs = 8

/** An app that is closed when the test ends. */
function made(t: Test, store: MemoryStore | undefined, options: AppOptions = {}): App {
  const app = lucilius({ name: 'shop', drainMs: 2000, ...(store && { store }), ...options })
  t.teardown(async () => {
    await app.close()
    if (store !== undefined && store.complaints.length > 0) throw new Error(store.complaints.join())
  })
  return app
}

const quick = { firstMs: 1, maxMs: 2 }

for (const parity of ['strict', 'off'] as const) {
  t.test(`${parity}: emit resolves once the event is stored, and a durable subscription gets it`, async (t) => {
    const store = new MemoryStore({ delayMs: () => 20 })
    const app = made(t, store, { parity })
    const seen: unknown[] = []
    app.event('role:order,event:created', { durable: true })
    app.on('role:order', { durable: 'mails' }, (message, context) => {
      seen.push(message, context.delivery, context.meta.id)
    })
    await app.ready()
    const emitted = app.emit('role:order,event:created', { order: 7, list: [{ sku: 'a' }] })
    await emitted
    t.strictSame(
      store.events.map(({ message }) => message),
      [{ role: 'order', event: 'created', order: 7, list: [{ sku: 'a' }] }],
    )
    await eventually(() => seen.length > 0)
    const [message, delivery, id] = seen as [Message, { firstAt: number; id: string }, string]
    t.strictSame(message, { role: 'order', event: 'created', order: 7, list: [{ sku: 'a' }] })
    t.equal(Object.isFrozen(message.list), parity === 'strict')
    t.match(delivery, { attempt: 1, id: store.events[0]?.id })
    t.ok(Math.abs(delivery.firstAt - Date.now()) < 5000)
    t.notOk('retained' in delivery)
    t.equal(id, delivery.id, 'the id of the message is that of the event')
    await eventually(() => store.ends.length > 0)
    t.match(store.ends, [{ subscription: 'shop.mails', kind: 'done' }])
  })
}

t.test('ordinary subscriptions observe a durable event once it is stored, as any other event', async (t) => {
  const store = new MemoryStore({ delayMs: () => 20 })
  const app = made(t, store)
  const seen: unknown[] = []
  app.event('e:1', { durable: true })
  app.on('e:1', (message, { delivery }) => {
    seen.push(message, delivery, store.events.length)
  })
  await app.emit('e:1', { n: 1 })
  await eventually(() => seen.length > 0)
  t.strictSame(seen, [{ e: 1, n: 1 }, undefined, 1])
})

t.test('trace, hops and identity reach the handler of a durable event', async (t) => {
  const store = new MemoryStore()
  const app = made(t, store)
  const metas: EventContext['meta'][] = []
  app.event('e:*', { durable: true })
  app.add('cmd:order', async (_, context) => {
    metas.push(context.meta)
    await context.emit('e:1')
  })
  app.on('e:1', { durable: 'one' }, async (_, context) => {
    metas.push(context.meta)
    await context.emit('e:2')
  })
  app.on('e:2', { durable: 'two' }, (_, context) => {
    metas.push(context.meta)
  })
  await app.act('cmd:order', {}, { identity: { user: 'ada' } })
  await eventually(() => metas.length === 3)
  t.strictSame(
    metas.map(({ hops, identity }) => [hops, identity]),
    [1, 2, 3].map((hops) => [hops, { user: 'ada' }]),
  )
  t.equal(new Set(metas.map(({ traceparent }) => traceparent.slice(3, 35))).size, 1, 'one trace')
  t.equal(new Set(metas.map(({ traceparent }) => traceparent)).size, 3, 'a span each')
})

t.test('durable events that lead to each other in a loop end by the number of hops', async (t) => {
  const store = new MemoryStore()
  const app = made(t, store, { maxHops: 5 })
  app.event('e:1', { durable: true })
  app.on('e:1', { durable: 'loop', maxDeliveries: 1 }, (_, context) => context.emit('e:1'))
  await app.emit('e:1')
  await eventually(() => store.dead.length > 0)
  t.equal(store.events.length, 5)
  t.match(store.dead, [{ failures: [{ code: 'LUC_TOO_MANY_HOPS' }] }])
})

t.test('what was emitted while nobody ran is delivered to the next that starts', async (t) => {
  const store = new MemoryStore()
  const seen: unknown[] = []
  const shop = () => {
    const app = made(t, store)
    app.event('e:1', { durable: true })
    return app
  }
  const first = shop()
  first.on('e:1', { durable: 'mails' }, () => {})
  await first.ready()
  await first.close()
  const emitter = shop()
  await emitter.emit('e:1', { n: 1 })
  await emitter.emit('e:1', { n: 2 })
  await emitter.close()
  const second = shop()
  second.on('e:1', { durable: 'mails' }, ({ n }) => seen.push(n))
  await second.ready()
  await eventually(() => seen.length === 2)
  t.strictSame(seen.sort(), [1, 2])
})

t.test('of several instances one gets each event, and each subscription gets its own', async (t) => {
  const store = new MemoryStore()
  const seen: string[] = []
  const apps = ['a', 'b'].map((which) => {
    const app = made(t, store)
    app.on('e:1', { durable: 'mails' }, ({ n }) => seen.push(`mails ${n}`))
    app.on('e:1', { durable: 'books' }, ({ n }) => seen.push(`books ${n}`))
    if (which === 'a') app.event('e:1', { durable: true })
    return app
  })
  await Promise.all(apps.map((app) => app.ready()))
  for (let n = 0; n < 6; n++) await apps[0]?.emit('e:1', { n })
  await eventually(() => store.ends.length === 12)
  t.strictSame(
    seen.sort(),
    ['books', 'mails'].flatMap((name) => [0, 1, 2, 3, 4, 5].map((n) => `${name} ${n}`)),
  )
})

t.test('a failed event comes again, with the attempt counted and its first time', async (t) => {
  const store = new MemoryStore()
  const { logger, lines } = recordingLogger()
  const app = made(t, store, { logger })
  const tries: { attempt: number; firstAt: number; id: string }[] = []
  app.event('e:1', { durable: true })
  const subscription = app.on('e:1', { durable: 'mails', backoff: quick }, (_, { delivery }) => {
    if (delivery) tries.push(delivery)
    if (tries.length === 1) throw new Error('no mail today')
    if (tries.length === 2) throw new ActionError('POST_CLOSED', 'closed')
  })
  await app.emit('e:1')
  await eventually(() => store.ends.length === 3)
  t.strictSame(
    tries.map(({ attempt }) => attempt),
    [1, 2, 3],
  )
  t.equal(new Set(tries.map(({ firstAt, id }) => `${firstAt} ${id}`)).size, 1)
  t.strictSame(
    store.ends.map(({ kind }) => kind),
    ['again', 'again', 'done'],
  )
  t.equal(subscription.failures, 2)
  t.match(lines('warn'), [
    { subscription: 'shop.mails', attempt: 1, err: { message: 'no mail today' }, afterMs: Number },
    { subscription: 'shop.mails', attempt: 2, err: { code: 'POST_CLOSED' } },
  ])
  t.strictSame(lines('error'), [], 'it is no error until there is no way on')
})

t.test('after maxDeliveries an event is a dead letter, with all that failed', async (t) => {
  const store = new MemoryStore()
  const { logger, lines } = recordingLogger()
  const app = made(t, store, { logger })
  app.event('e:1', { durable: true })
  app.add('cmd:pay', () => {
    throw new ActionError('REFUSED', 'no money')
  })
  app.on('e:1', { durable: 'mails', maxDeliveries: 3, backoff: quick }, async ({ how }, { act, delivery }) => {
    if (how === 'act') await act('cmd:pay')
    throw delivery?.attempt === 2 ? new TypeError('x'.repeat(5000)) : 'a text'
  })
  await app.emit('e:1')
  await eventually(() => store.dead.length === 1)
  const [letter] = store.dead
  t.match(letter, { subscription: 'shop.mails', event: { message: { e: 1 } } })
  t.match(letter?.failures, [
    { attempt: 1, message: 'a text', at: Number, instance: String },
    { attempt: 2, message: 'x'.repeat(2000) },
    { attempt: 3, message: 'a text' },
  ])
  await app.emit('e:1', { how: 'act' })
  await eventually(() => store.dead.length === 2)
  t.match(store.dead[1]?.failures, Array(3).fill({ code: 'REFUSED', message: 'no money' }))
  t.match(lines('error'), [
    { subscription: 'shop.mails', attempt: 3 },
    { subscription: 'shop.mails', err: { code: 'REFUSED' } },
  ])
})

t.test('a dead letter that is replayed is handled with its attempts counted anew', async (t) => {
  const store = new MemoryStore()
  const host = hostApp({ name: 'shop', store })
  t.teardown(() => host.app.close())
  let mended = false
  const attempts: unknown[] = []
  host.app.event('e:1', { durable: true })
  host.app.on('e:1', { durable: 'mails', maxDeliveries: 2, backoff: quick }, (_, { delivery }) => {
    attempts.push(delivery?.attempt)
    if (!mended) throw new Error('not yet')
  })
  await host.app.emit('e:1')
  await eventually(() => store.dead.length === 1)
  mended = true
  const admin = (await host.store())?.admin
  const [letter] = (await admin?.deadLetters({ limit: 10 })) ?? []
  t.equal(await admin?.replay(letter?.id ?? ''), true)
  await eventually(() => store.ends.at(-1)?.kind === 'done')
  t.strictSame(attempts, [1, 2, 1])
})

t.test('a handler that takes too long has failed, and its signal aborts', async (t) => {
  const store = new MemoryStore()
  const app = made(t, store, { timeoutMs: 300 })
  const aborted: unknown[] = []
  const wait = (_: Message, { signal }: EventContext) =>
    new Promise<void>((resolve) => {
      signal.addEventListener('abort', () => {
        aborted.push(signal.reason.code)
        resolve()
      })
    })
  app.event('e:1', { durable: true })
  app.on('e:1', { durable: 'of-the-app', maxDeliveries: 2, backoff: quick }, wait)
  app.on('e:1', { durable: 'own', maxDeliveries: 1, timeoutMs: 20 }, wait)
  await app.emit('e:1')
  await eventually(() => store.dead.length === 2)
  t.strictSame(aborted, Array(3).fill('LUC_DEADLINE_EXCEEDED'))
  for (const { failures } of store.dead) t.match(failures.at(-1), { code: 'LUC_DEADLINE_EXCEEDED' })
})

t.test('what was delivered too often without an end becomes a dead letter, and is not handled again', async (t) => {
  const store = new MemoryStore()
  const started: number[] = []
  for (let life = 0; life < 3; life++) {
    const app = made(t, store, { drainMs: 1 })
    app.event('e:1', { durable: true })
    app.on('e:1', { durable: 'mails', maxDeliveries: 2 }, () => {
      started.push(life)
      store.handles[life]?.crash() // its process dies of it
    })
    await app.ready()
    // Nobody tells it that the event is stored.
    if (life === 0) app.emit('e:1', {}, { id: 'poison' }).catch(() => {})
    await eventually(() => started.length === Math.min(life + 1, 2) && (life < 2 || store.dead.length === 1))
  }
  t.strictSame(started, [0, 1])
  t.match(store.dead, [{ event: { id: 'poison' }, failures: [{ attempt: 3, message: /delivered 3 times/ }] }])
})

t.test('events of one key are handled one after the other, and no key waits for another', async (t) => {
  const store = new MemoryStore()
  const app = made(t, store)
  const done: string[] = []
  const running = new Set<unknown>()
  const blocked = gate()
  app.event('e:1', { durable: true })
  app.on(
    'e:1',
    { durable: 'books', orderBy: ['shop', 'order'], backoff: quick },
    async ({ order, n }, { delivery }) => {
      t.notOk(running.has(order), `${order} runs once at a time`)
      running.add(order)
      try {
        if (order === 'a' && n === 0) await blocked.opened
        await new Promise((resolve) => setImmediate(resolve))
        if (order === 'b' && (delivery?.attempt ?? 0) < 3) throw new Error('twice')
        done.push(`${order}${n}`)
      } finally {
        running.delete(order)
      }
    },
  )
  await app.ready()
  for (let n = 0; n < 30; n++) for (const order of ['a', 'b', 'c']) await app.emit('e:1', { shop: 1, order, n })
  await eventually(() => done.length === 60)
  t.notOk(
    done.some((one) => one.startsWith('a')),
    'a waits for its first',
  )
  blocked.open()
  await eventually(() => done.length === 90)
  for (const order of ['a', 'b', 'c']) {
    t.strictSame(
      done.filter((one) => one.startsWith(order)),
      Array.from({ length: 30 }, (_, n) => `${order}${n}`),
    )
  }
})

t.test('the next of a key begins when it is in writing that the one before need not come again', async (t) => {
  const store = new MemoryStore({ delayMs: () => 10 })
  const app = made(t, store)
  const ended: number[] = []
  app.event('e:1', { durable: true })
  app.on('e:1', { durable: 'books', orderBy: 'key' }, () => ended.push(store.ends.length))
  await app.ready()
  await Promise.all([0, 1, 2].map((n) => app.emit('e:1', { key: 1, n })))
  await eventually(() => ended.length === 3)
  t.strictSame(ended, [0, 1, 2])
})

t.test('what waited behind others of its key while processes died is not taken for what killed them', async (t) => {
  const store = new MemoryStore()
  const started: string[] = []
  for (let life = 0; life < 21; life++) {
    const app = made(t, store, { drainMs: 1 })
    app.event('e:1', { durable: true })
    app.on(
      'e:1',
      { durable: 'books', orderBy: 'key', maxDeliveries: 2, backoff: quick },
      async ({ n }, { delivery }) => {
        started.push(`${n}`)
        if (n === 'poison') {
          await new Promise((resolve) => setImmediate(resolve))
          store.handles[life]?.crash()
          return new Promise(() => {}) // a process that is dead does nothing more
        }
        if (started.length < 22) throw new Error(`not at attempt ${delivery?.attempt}`)
        return undefined
      },
    )
    await app.ready()
    // Nobody tells it that they are stored.
    if (life === 0) for (const n of ['poison', 'other']) app.emit('e:1', { key: 1, n }).catch(() => {})
    await eventually(() => (life < 20 ? started.length > life : store.waiting('shop.books').length === 0))
  }
  t.strictSame(started, [...Array(20).fill('poison'), 'other', 'other'], 'ten times maxDeliveries')
  t.match(store.dead, [{ event: { message: { n: 'poison' } }, failures: [{ attempt: 21 }] }])
  t.equal(store.ends.at(-1)?.kind, 'done')
})

t.test('a backlog in order outlives the crashes of many processes', async (t) => {
  const store = new MemoryStore()
  const handled: unknown[] = []
  for (let life = 0, crashes = 0; life <= 12; life++) {
    const app = made(t, store, { drainMs: 1 })
    app.event('e:1', { durable: true })
    app.on('e:1', { durable: 'books', orderBy: 'key' }, ({ n }) => {
      if (life < 12 && (life < 11 || handled.length > 0)) {
        crashes++
        store.handles[life]?.crash()
        return new Promise(() => {}) // a process that is dead does nothing more
      }
      handled.push(n)
      return undefined
    })
    await app.ready()
    // Nobody tells it that they are stored.
    if (life === 0) for (let n = 0; n < 5; n++) app.emit('e:1', { key: 1, n }).catch(() => {})
    await eventually(() => (life < 12 ? crashes > life : store.waiting('shop.books').length === 0))
  }
  t.strictSame(handled, [0, 1, 2, 3, 4])
  t.strictSame(store.dead, [])
})

t.test('an ordered event that fails for good makes room for the next of its key', async (t) => {
  const store = new MemoryStore()
  const app = made(t, store)
  const tries: string[] = []
  app.event('e:1', { durable: true })
  app.on('e:1', { durable: 'books', orderBy: 'order', maxDeliveries: 3, backoff: quick }, ({ n }, { delivery }) => {
    tries.push(`${n}.${delivery?.attempt}`)
    if (n === 0) throw new Error('never')
  })
  await app.emit('e:1', { order: 1, n: 0 })
  await app.emit('e:1', { order: 1, n: 1 })
  await app.emit('e:1', { n: 2 }) // without a key it is ordered with others without
  await eventually(() => store.ends.length === 3)
  t.strictSame(
    tries.filter((one) => !one.startsWith('2')),
    ['0.1', '0.2', '0.3', '1.1'],
  )
  t.match(store.dead, [{ event: { message: { n: 0 } }, failures: [{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }] }])
})

t.test('no more handlers run at once than concurrency allows, ordered or not', async (t) => {
  for (const order of [{}, { orderBy: 'n' }]) {
    const store = new MemoryStore()
    const app = made(t, store)
    let most = 0
    let running = 0
    app.event('e:1', { durable: true })
    app.on('e:1', { durable: 'mails', concurrency: 3, ...order }, async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
    })
    await app.ready()
    await Promise.all(Array.from({ length: 20 }, (_, n) => app.emit('e:1', { n })))
    await eventually(() => store.ends.length === 20)
    t.equal(most, 3)
  }
})

t.test('an event that is emitted twice with one id is one event', async (t) => {
  const store = new MemoryStore()
  const app = made(t, store)
  const seen: unknown[] = []
  app.event('e:1', { durable: true })
  app.on('e:1', { durable: 'mails' }, (_, { delivery }) => seen.push(delivery?.id))
  await app.emit('e:1', { n: 1 }, { id: 'order-7' })
  await app.emit('e:1', { n: 1 }, { id: 'order-7' })
  await app.emit('e:1', { n: 1 }, { id: 'order-8' })
  await eventually(() => seen.length === 2)
  await app.close()
  t.strictSame(seen, ['order-7', 'order-8'])
  for (const id of ['', 'a b', 'a\n', 'ü', 'x'.repeat(201), 7 as unknown as string]) {
    t.match(await failureOf(made(t, store).emit('e:1', {}, { id })), { code: 'LUC_OPTIONS_INVALID', message: /'id'/ })
  }
})

t.test('what is delivered twice is handled once, and an end that got lost is made good', async (t) => {
  let lost = 0
  const store = new MemoryStore({ deliverTwice: () => true, loseEnd: () => lost++ % 3 === 0 })
  const app = made(t, store)
  const seen: unknown[] = []
  app.event('e:1', { durable: true })
  app.on('e:1', { durable: 'mails', backoff: quick }, async ({ n }, { delivery }) => {
    await new Promise((resolve) => setImmediate(resolve))
    if (n === 3 && delivery?.attempt === 1) throw new Error('once')
    seen.push(n)
  })
  await app.ready()
  for (let n = 0; n < 10; n++) await app.emit('e:1', { n })
  await eventually(() => store.waiting('shop.mails').length === 0)
  t.strictSame(seen.sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  t.strictSame(store.dead, [])
})

t.test('a delivery is kept alive while its handler runs', async (t) => {
  const store = new MemoryStore()
  const app = made(t, store)
  const finish = gate()
  app.event('e:1', { durable: true })
  app.on('e:1', { durable: 'mails', orderBy: 'key' }, () => finish.opened)
  await app.emit('e:1', { key: 1 })
  await app.emit('e:1', { key: 1 })
  await eventually(() => store.extended >= 2)
  finish.open()
  await eventually(() => store.ends.length === 2)
})

t.test(
  'an app without a store cannot start with something durable or retained, and hears of the choices',
  async (t) => {
    for (const register of [
      (app: App) => void app.on('role:order', { durable: 'mails' }, () => {}),
      (app: App) => void app.event('role:order', { durable: true }),
      (app: App) => void app.event('role:order', { retain: true }),
    ]) {
      const app = made(t, undefined).use(function notify(app: App) {
        register(app)
      })
      const failure = await failureOf(app.ready())
      t.match(failure, { code: 'LUC_STORE_REQUIRED', message: /'notify'.*role:order.*embedded.*nats.*amqp/ })
      t.match(await failureOf(app.emit('role:order')), { code: 'LUC_STORE_REQUIRED' })
    }
    const late = made(t, undefined)
    await late.ready()
    t.match(await failureOf(() => late.on('a:1', { durable: 'x' }, () => {})), { code: 'LUC_STORE_REQUIRED' })
    t.match(await failureOf(() => late.event('a:1', { retain: true })), { code: 'LUC_STORE_REQUIRED' })
  },
)

t.test('a store that cannot be opened fails the start, saying where and why', async (t) => {
  const store = new MemoryStore()
  store.refusal = 'fail'
  const app = made(t, store)
  app.event('e:1', { durable: true })
  t.match(await failureOf(app.ready()), { code: 'LUC_STORE_FAILED', message: /memory:\/\/here cannot be reached/ })
  t.match(await failureOf(app.act('a:1')), { code: 'LUC_STORE_FAILED' })
  const broken = made(t, undefined, {
    store: {
      name: 'broken',
      openStore: async () => {
        throw new Error('no disk')
      },
    },
  })
  broken.event('e:1', { durable: true })
  t.match(await failureOf(broken.ready()), { code: 'LUC_STORE_FAILED', message: /'broken'.*no disk/, handled: 'no' })
})

t.test('an app that is closed while its store opens ends at once', async (t) => {
  const store = new MemoryStore()
  store.refusal = 'wait'
  const app = made(t, store)
  app.event('e:1', { durable: true })
  const ready = failureOf(app.ready())
  await new Promise((resolve) => setImmediate(resolve))
  const began = performance.now()
  await app.close()
  t.match(await ready, { code: 'LUC_SERVICE_CLOSED' })
  t.ok(performance.now() - began < 1000)
})

t.test('an app with a store and nothing for it never opens it', async (t) => {
  const store = new MemoryStore()
  store.refusal = 'fail'
  const app = made(t, store)
  app.add('a:1', () => 1)
  await app.act('a:1')
  await app.emit('e:1')
  t.strictSame(store.handles, [])
  const empty = Object.assign(new MemoryStore(), { isEmpty: async () => true })
  const observing = made(t, empty)
  observing.on('e:1', () => {})
  await observing.ready()
  t.strictSame(empty.handles, [], 'nor to look for what is retained where certainly nothing is')
})

t.test('emit fails with what the store says, and within the time that is left', async (t) => {
  const store = new MemoryStore({ failAppend: ({ message }) => message.fail as 'before' | 'after' | undefined })
  const app = made(t, store, { timeoutMs: 300 })
  const seen: unknown[] = []
  app.event('e:1', { durable: true })
  app.on('e:1', (message) => seen.push(message))
  t.match(await failureOf(app.emit('e:1', { fail: 'before' })), { code: 'LUC_STORE_FAILED', handled: 'no' })
  t.match(await failureOf(app.emit('e:1', { fail: 'after' })), { code: 'LUC_STORE_FAILED', handled: 'unknown' })
  store.mischief = { delayMs: () => 60_000 }
  const began = performance.now()
  t.match(await failureOf(app.emit('e:1')), { code: 'LUC_STORE_FAILED', handled: 'unknown', message: /300 ms/ })
  app.add('cmd:emit', (_, { emit }) => emit('e:1'))
  t.match(await failureOf(app.act('cmd:emit', {}, { timeoutMs: 50 })), { code: 'LUC_DEADLINE_EXCEEDED' })
  t.ok(performance.now() - began < 5000)
  t.strictSame(seen, [], 'what may not be stored nobody observes')
})

t.test('a message that cannot be kept is refused where it is emitted', async (t) => {
  for (const parity of ['strict', 'off'] as const) {
    const store = new MemoryStore()
    const app = made(t, store, { parity })
    app.event('e:*', { durable: true, key: ['shop', 'order'] })
    app.event('e:2', { durable: true, orderBy: 'order' })
    app.event('e:3', { durable: true })
    const missing = { code: 'LUC_MESSAGE_INVALID', message: /e:\*.*'order'/, details: { path: 'order' }, handled: 'no' }
    t.match(await failureOf(app.emit('e:1', { shop: 1 })), missing)
    t.match(await failureOf(app.emit('e:1', { shop: 1, order: {} })), missing)
    t.match(await failureOf(app.emit('e:1', { shop: 1, order: null })), missing)
    t.match(await failureOf(app.emit('e:3', { n: 1n })), { code: 'LUC_NOT_PORTABLE' })
    t.match(await failureOf(app.emit('e:3', { text: 'x'.repeat(2 ** 20) })), { code: 'LUC_TOO_LARGE' })
    await app.emit('e:1', { shop: 1, order: 'a' })
    await app.emit('e:2', { order: true })
    await app.emit('e:3')
    t.strictSame(
      store.events.map(({ key, declared }) => [declared, key]),
      [
        ['e:*', '["1","a"]'],
        ['e:2', 'true'],
        ['e:3', ''],
      ],
    )
  }
})

t.test('an event is kept as it was when it was emitted', async (t) => {
  const store = new MemoryStore()
  const app = made(t, store, { parity: 'off' })
  app.event('e:1', { durable: true })
  const message = { list: [1] }
  const observed: unknown[] = []
  app.on('e:1', ({ list }) => observed.push(list))
  const emitted = app.emit('e:1', message)
  message.list.push(2)
  await emitted
  const ready = app.emit('e:1', message)
  message.list.push(3)
  await ready
  t.strictSame(
    store.events.map((event) => event.message.list),
    [
      [1, 2], // it waited for the app
      [1, 2],
    ],
  )
  await app.close()
  t.strictSame(observed, [
    [1, 2],
    [1, 2],
  ])
})

t.test('the most specific declaration counts, and of equal ones the last', async (t) => {
  const store = new MemoryStore()
  const app = made(t, store)
  app.event('e:*', { durable: true })
  app.event('e:2', { durable: false })
  const first = app.event('e:3', { durable: false })
  const last = app.event('e:3', { retain: true })
  for (const e of [1, 2, 3]) await app.emit({ e })
  last.remove()
  last.remove()
  await app.emit('e:3')
  first.remove()
  await app.emit('e:3')
  t.strictSame(
    store.events.map(({ message, durable, retain }) => [message.e, durable, retain]),
    [
      [1, true, false],
      [3, false, true],
      [3, true, false],
    ],
  )
})

t.test('options that make no sense are refused where they stand', async (t) => {
  const app = made(t, new MemoryStore())
  const on = (options: object, pattern = 'a:1') =>
    failureOf(() => app.on(pattern, options as { durable: string }, () => {}))
  const code = 'LUC_OPTIONS_INVALID'
  t.match(await on({ durable: '' }), { code, message: /'durable' is a name/ })
  t.match(await on({ durable: 'a.b' }), { code })
  t.match(await on({ durable: true }), { code })
  t.match(await on({ durable: 'x'.repeat(96) }), { code, message: /100 letters/ })
  t.match(await on({ durable: 'x', each: 'instance' }), { code, message: /'each'/ })
  for (const option of ['orderBy', 'maxDeliveries', 'concurrency', 'backoff', 'timeoutMs']) {
    t.match(await on({ [option]: 1 }), { code, message: new RegExp(`'${option}' goes with 'durable'`) })
    t.match(await on({ durable: 'x', [option]: -1 }), { code, message: new RegExp(option) })
  }
  t.match(await on({ durable: 'x', orderBy: [] }), { code })
  t.match(await on({ durable: 'x', orderBy: ['a', 'a'] }), { code })
  t.match(await on({ durable: 'x', backoff: { firstMS: 1 } }), { code, message: /firstMs/ })
  app.on('a:1', { durable: 'taken' }, () => {})
  t.match(await on({ durable: 'taken' }, 'b:1'), { code, message: /'taken' already/ })
  const event = (options?: unknown) => failureOf(() => app.event('a:1', options as object))
  t.match(await event(), { code })
  t.match(await event({}), { code, message: /durable: true/ })
  t.match(await event({ durable: 'yes' }), { code })
  t.match(await event({ retain: true, key: '' }), { code, message: /'key'/ })
  t.match(await event({ retain: true, key: 'a', orderBy: 'a' }), { code, message: /another word/ })
  t.match(await event({ retain: true, keys: 'a' }), { code, message: /'keys'/ })
  t.match(await failureOf(() => lucilius({ store: {} as MemoryStore })), { code, message: /'store'/ })
  const odd = made(t, new MemoryStore()).use(
    (app: App) => void app.on('a:1', { durable: 'x' }, () => {}),
    {},
    { as: 'two words' },
  )
  t.match(await failureOf(odd.ready()), { message: /'two words.x'.*as: / })
})

t.test('an app that is not named keeps the names of its subscriptions', async (t) => {
  const store = new MemoryStore()
  const app = lucilius({ store })
  t.teardown(() => app.close())
  app.on('e:1', { durable: 'mails' }, () => {})
  await app.ready()
  t.strictSame(store.subscriptions, ['app.mails'])
})

t.test('what an onReady hook emits is not missed, and handlers run once the services are ready', async (t) => {
  const store = new MemoryStore()
  const app = made(t, store)
  const seen: string[] = []
  const elsewhere = gate()
  const other = made(t, store)
  other.on('e:1', { durable: 'elsewhere' }, () => elsewhere.open())
  await other.ready()
  app.use(function notify(app: App) {
    app.event('e:1', { durable: true })
    app.on('e:1', { durable: 'mails' }, () => seen.push('handled'))
    app.onReady(async () => {
      await app.emit('e:1')
      await elsewhere.opened
      seen.push('ready')
    })
  })
  await app.ready()
  await eventually(() => seen.length === 2)
  t.strictSame(seen, ['ready', 'handled'])
})

t.test('a hook that fails gives nothing away: no attempt is used up', async (t) => {
  const store = new MemoryStore()
  const emitter = made(t, store)
  emitter.event('e:1', { durable: true })
  emitter.on('e:1', { durable: 'mails' }, () => {})
  await emitter.ready()
  await emitter.close()
  const second = made(t, store)
  second.event('e:1', { durable: true })
  await second.emit('e:1')
  for (let life = 0; life < 3; life++) {
    const broken = made(t, store)
    broken.on('e:1', { durable: 'mails', maxDeliveries: 1 }, () => {})
    broken.onReady(() => {
      throw new Error('no database')
    })
    t.match(await failureOf(broken.ready()), { code: 'LUC_PLUGIN_FAILED' })
  }
  const attempts: unknown[] = []
  const third = made(t, store)
  third.on('e:1', { durable: 'mails', maxDeliveries: 1 }, (_, { delivery }) => attempts.push(delivery?.attempt))
  await third.ready()
  await eventually(() => attempts.length > 0)
  t.strictSame(attempts, [1])
})

t.test('a durable subscription may come while the app runs, and misses nothing that is emitted after it', async (t) => {
  const store = new MemoryStore({ delayMs: () => 5 })
  const { logger, lines } = recordingLogger()
  const app = made(t, store, { logger })
  const seen: unknown[] = []
  await app.ready()
  t.strictSame(store.handles, [])
  app.event('e:1', { durable: true })
  const subscription = app.on('e:1', { durable: 'mails' }, ({ n }) => seen.push(n))
  await app.emit('e:1', { n: 1 })
  await eventually(() => seen.length === 1)
  subscription.remove()
  subscription.remove()
  await app.emit('e:1', { n: 2 })
  t.equal(store.waiting('shop.mails').length, 1, 'it stays in the store')
  const again = app.on('e:1', { durable: 'mails' }, ({ n }) => seen.push(n))
  await app.emit('e:1', { n: 3 })
  await eventually(() => seen.length === 3)
  again.remove()
  app.on('e:1', { durable: 'mails' }, ({ n }) => seen.push(n))
  await app.emit('e:1', { n: 4 })
  await eventually(() => seen.length === 4)
  t.strictSame(seen.sort(), [1, 2, 3, 4])
  t.strictSame(lines('error'), [])
})

t.test('a subscription that comes while its store is away is served once it is back', async (t) => {
  const store = new MemoryStore()
  const { logger, lines } = recordingLogger()
  const app = made(t, store, { logger })
  await app.ready()
  store.refusal = 'fail'
  const seen: unknown[] = []
  app.event('e:1', { durable: true })
  app.on('e:1', { durable: 'mails' }, ({ n }) => seen.push(n))
  t.match(await failureOf(app.emit('e:1')), { code: 'LUC_STORE_FAILED', handled: 'no' })
  store.refusal = undefined
  await eventually(() => store.subscriptions.length > 0)
  await app.emit('e:1', { n: 1 })
  await eventually(() => seen.length > 0)
  t.match(lines('error'), [{ subscription: 'shop.mails', err: { code: 'LUC_STORE_FAILED' } }])
})

t.test('a closing app lets handlers of durable events end, which may still emit durably', async (t) => {
  const store = new MemoryStore()
  const app = made(t, store)
  const started = gate()
  const finish = gate()
  const steps: string[] = []
  app.event('e:*', { durable: true })
  app.on('e:1', { durable: 'mails' }, async (_, { emit }) => {
    started.open()
    await finish.opened
    await emit('e:2')
    steps.push('handled')
  })
  app.onClose(() => steps.push(`closed, ${store.ends.length} ended`))
  await app.emit('e:1')
  await started.opened
  const closed = app.close()
  finish.open()
  await closed
  t.strictSame(steps, ['handled', 'closed, 1 ended'])
  t.strictSame(
    store.events.map(({ message }) => message.e),
    [1, 2],
  )
  t.ok(store.handles[0]?.isGone)
})

t.test('what is emitted durably and not waited for is stored before the app is closed', async (t) => {
  const store = new MemoryStore({ delayMs: () => 30 })
  const app = made(t, store)
  app.event('e:1', { durable: true })
  await app.ready()
  const emitted = app.emit('e:1')
  await app.close()
  await emitted
  t.equal(store.events.length, 1)
})

t.test('a handler that outlives the drain is cut off, and its event goes to another instance', async (t) => {
  const store = new MemoryStore()
  const app = made(t, store, { drainMs: 30 })
  const reasons: unknown[] = []
  const started = gate()
  app.event('e:1', { durable: true })
  const subscription = app.on('e:1', { durable: 'mails', maxDeliveries: 1 }, (_, { signal }) => {
    started.open()
    return new Promise(() => {
      signal.addEventListener('abort', () => reasons.push(signal.reason.code))
    })
  })
  await app.emit('e:1')
  await started.opened
  await app.close()
  t.strictSame(reasons, ['LUC_CANCELLED'])
  t.equal(subscription.failures, 0, 'it has not failed')
  t.match(store.ends, [{ kind: 'back' }])
  const attempts: unknown[] = []
  const next = made(t, store)
  next.on('e:1', { durable: 'mails', maxDeliveries: 1 }, (_, { delivery }) => attempts.push(delivery?.attempt))
  await next.ready()
  await eventually(() => attempts.length > 0)
  t.strictSame(attempts, [1])
})

t.test('while an instance drains nobody overtakes what it still runs of a key', async (t) => {
  const store = new MemoryStore()
  const started = gate()
  const finish = gate()
  const done: unknown[] = []
  const old = made(t, store)
  old.event('e:1', { durable: true })
  old.on('e:1', { durable: 'books', orderBy: 'order' }, async ({ n }) => {
    if (n === 0) {
      started.open()
      await finish.opened
    }
    done.push(`old ${n}`)
  })
  await old.ready()
  for (let n = 0; n < 3; n++) await old.emit('e:1', { order: 1, n })
  await started.opened
  const next = made(t, store)
  const later = gate()
  next.event('e:2', { durable: true })
  next.on('e:2', { durable: 'later' }, () => later.open())
  next.on('e:1', { durable: 'books', orderBy: 'order' }, ({ n }) => done.push(`next ${n}`))
  await next.ready()
  const closed = old.close()
  await next.emit('e:2')
  await later.opened
  t.strictSame(done, [])
  finish.open()
  await closed
  await eventually(() => done.length === 3)
  t.strictSame(done, ['old 0', 'next 1', 'next 2'])
})

t.test('an event that waits for another try in order is given back when the app closes', async (t) => {
  const store = new MemoryStore()
  const app = made(t, store)
  app.event('e:1', { durable: true })
  const failing = app.on('e:1', { durable: 'books', orderBy: 'n', backoff: { firstMs: 60_000, maxMs: 60_000 } }, () => {
    throw new Error('later')
  })
  await app.emit('e:1', { n: 1 })
  await eventually(() => failing.failures === 1)
  const began = performance.now()
  await app.close()
  t.ok(performance.now() - began < 1000, 'nobody waits for it')
  t.match(store.ends, [{ kind: 'back' }])
})

t.test('an ordered event that fails while the app closes goes to another instance at once', async (t) => {
  const store = new MemoryStore()
  const app = made(t, store)
  const started = gate()
  const finish = gate()
  app.event('e:1', { durable: true })
  app.on('e:1', { durable: 'books', orderBy: 'n', backoff: { firstMs: 60_000, maxMs: 60_000 } }, async () => {
    started.open()
    await finish.opened
    throw new Error('not today')
  })
  await app.emit('e:1', { n: 1 })
  await started.opened
  const began = performance.now()
  const closed = app.close()
  finish.open()
  await closed
  t.ok(performance.now() - began < 1000)
  t.match(store.ends, [{ kind: 'back' }])
})

t.test('what is not stored in time is not stored later', async (t) => {
  const memory = new MemoryStore()
  const { opened, open } = gate()
  const store = {
    name: 'slow',
    openStore: async (host: StoreHost) => {
      await opened
      const open = await memory.openStore(host)
      // It does not look whether anybody still waits for it.
      return { ...open, append: (event: StoredEvent) => open.append(event, new AbortController().signal) }
    },
  }
  const app = made(t, undefined, { store, timeoutMs: 300 })
  await app.ready()
  app.event('e:1', { durable: true })
  t.match(await failureOf(app.emit('e:1', { n: 1 })), {
    code: 'LUC_STORE_FAILED',
    handled: 'no',
    message: /'slow'.*300 ms/,
  })
  open()
  await app.emit('e:1', { n: 2 })
  t.match(memory.events, [{ message: { n: 2 } }])
  t.equal(memory.events.length, 1)
})

t.test('what is emitted while a new subscription learns what is retained comes after that', async (t) => {
  const store = new MemoryStore()
  const app = made(t, store)
  app.event('e:1', { retain: true, key: 'key' })
  await app.emit('e:1', { key: 'a', n: 1 })
  await app.emit('e:1', { key: 'b', n: 2 })
  store.mischief = { delayMs: () => 30 }
  const seen: unknown[] = []
  app.on('e:*', ({ n }, { delivery }) => seen.push([n, delivery?.retained ?? false]))
  await app.emit('e:2', { n: 3 })
  await app.emit('e:2', { n: 4 })
  await eventually(() => seen.length === 4)
  t.strictSame(seen, [
    [1, true],
    [2, true],
    [3, false],
    [4, false],
  ])
  const { logger, lines } = recordingLogger()
  const few = made(t, store, { logger, park: { max: 1 } })
  few.event('e:9', { durable: true })
  await few.ready()
  few.on('e:3', ({ n }) => seen.push(n))
  for (let n = 0; n < 3; n++) await few.emit('e:3', { n })
  await eventually(() => seen.length === 5)
  t.equal(seen[4], 0)
  t.equal(lines('warn').length, 2, 'what waits is bounded, and what is lost is told')
})

t.test('a new subscription that cannot learn what is retained observes what is emitted', async (t) => {
  const store = new MemoryStore()
  const { logger, lines } = recordingLogger()
  const app = made(t, store, { logger })
  app.event('e:9', { durable: true })
  await app.ready()
  const seen: unknown[] = []
  store.handles[0]?.crash()
  app.on('e:1', ({ n }) => seen.push(n))
  await app.emit('e:1', { n: 1 })
  await eventually(() => seen.length === 1)
  t.match(lines('error'), [{ pattern: 'e:1', err: { code: 'LUC_STORE_FAILED' } }])
})

t.test('a new subscription gets the retained values first', async (t) => {
  const store = new MemoryStore()
  const rates = made(t, store, { name: 'rates' })
  rates.event('role:rates,event:changed', { retain: true, key: 'pair' })
  for (const [pair, rate] of [
    ['usd_eur', 1],
    ['usd_chf', 2],
    ['usd_eur', 3],
  ] as const) {
    await rates.emit('role:rates,event:changed', { pair, rate })
  }
  const seen: unknown[] = []
  const convert = made(t, store, { name: 'convert' })
  convert.on('role:rates', { each: 'instance' }, ({ pair, rate }, { delivery }) => {
    seen.push([pair, rate, delivery?.retained])
  })
  convert.on('role:other', () => seen.push('other'))
  await convert.ready()
  t.strictSame(
    seen,
    [
      ['usd_chf', 2, true],
      ['usd_eur', 3, true],
    ],
    'it has them when it is ready',
  )
  convert.on('role:rates,pair:usd_chf', ({ rate }, { delivery }) => seen.push([rate, delivery]))
  convert.event('role:rates,event:changed', { retain: true, key: 'pair' })
  await convert.emit('role:rates,event:changed', { pair: 'usd_chf', rate: 4 })
  await eventually(() => seen.length === 5)
  t.match(seen.slice(2), [
    [2, { attempt: 1, retained: true, firstAt: Number, id: String }],
    [4, undefined],
    ['usd_chf', 4, undefined],
  ])
})

t.test('an event that is only retained reaches no durable subscription', async (t) => {
  const store = new MemoryStore()
  const { logger, lines } = recordingLogger()
  const app = made(t, store, { logger })
  const seen: unknown[] = []
  app.event('e:1', { retain: true })
  app.event('e:2', { durable: true, retain: true })
  app.on('', { durable: 'all' }, ({ e }) => seen.push(e))
  await app.emit('e:1')
  await app.emit('e:1')
  await app.emit('e:2')
  await eventually(() => seen.length > 0)
  await app.close()
  t.strictSame(seen, [2])
  t.match(lines('warn'), [{ subscription: 'shop.all' }], 'which is told once')
  t.equal(lines('warn').length, 1)
})

t.test('a plain event that a durable subscription would observe is told of', async (t) => {
  const { logger, lines } = recordingLogger()
  const app = made(t, new MemoryStore(), { logger })
  app.on('e:1', { durable: 'mails' }, () => {})
  app.on('e:2', { durable: 'other' }, () => {})
  await app.emit('e:1')
  await app.emit('e:1')
  await app.emit('e:3')
  t.match(lines('warn'), [{ subscription: 'shop.mails', pattern: 'e:1' }])
  t.equal(lines('warn').length, 1)
})

t.test('a replaced service keeps its durable subscriptions, and nothing is lost or done twice', async (t) => {
  const store = new MemoryStore()
  const host = hostApp({ name: 'shop', store, drainMs: 2000 })
  t.teardown(() => host.app.close())
  const seen: string[] = []
  const started = gate()
  const finish = gate()
  const notify = (version: string) =>
    function notify(app: App) {
      app.event('e:1', { durable: true })
      app.on('e:1', { durable: 'mails', orderBy: 'key' }, async ({ n }) => {
        if (version === 'old') {
          started.open()
          await finish.opened
        }
        seen.push(`${version} ${n}`)
      })
      app.on('e:1', ({ n }) => seen.push(`plain ${version} ${n}`))
    }
  host.app.use(notify('old'))
  await host.app.ready()
  await host.app.emit('e:1', { key: 1, n: 0 })
  await host.app.emit('e:1', { key: 1, n: 1 })
  await started.opened
  const replaced = host.replace('notify', notify('new'))
  await new Promise((resolve) => setImmediate(resolve))
  finish.open()
  await replaced
  await host.app.emit('e:1', { key: 1, n: 2 })
  await eventually(() => store.ends.filter(({ kind }) => kind === 'done').length === 3)
  t.strictSame(
    seen.filter((one) => !one.startsWith('plain')),
    ['old 0', 'new 1', 'new 2'],
  )
  t.match(host.inventory(), {
    subscriptions: [
      { pattern: 'e:1', service: 'notify', each: false, durable: 'mails' },
      { pattern: 'e:1', service: 'notify', each: false, durable: undefined },
    ],
    events: [{ pattern: 'e:1', service: 'notify', durable: true, retain: false }],
  })
  const broken = await failureOf(host.replace('notify', () => Promise.reject(new Error('broken'))))
  t.match(broken, { code: 'LUC_PLUGIN_FAILED' })
  await host.app.emit('e:1', { key: 1, n: 3 })
  await eventually(() => seen.includes('new 3'))
  const lame = (app: App) => app.onReady(() => Promise.reject(new Error('lame')))
  t.match(await failureOf(host.replace('notify', lame)), { code: 'LUC_PLUGIN_FAILED' })
  await host.app.emit('e:1', { key: 1, n: 4 })
  host.app.event('e:1', { durable: true })
  await host.app.emit('e:1', { key: 1, n: 5 })
  await host.replace('notify', notify('third'))
  await eventually(() => seen.includes('third 5'))
  t.notOk(seen.includes('third 4'), 'nobody declared it')
})
