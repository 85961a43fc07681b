import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { LuciliusError } from '../../lib/errors.js'
import type { OpenStore, StoreHost } from '../../lib/store.js'
import { Broker as Connection } from '../../transports/nats/broker.js'
import { toSettings } from '../../transports/nats/settings.js'
import { isJetStreamEmpty, openJetStream, type StoreOptions } from '../../transports/nats/store/index.js'
import { token } from '../../transports/nats/store/token.js'
import { Vacancy } from '../../transports/nats/store/vacancy.js'
import { type Broker, skipWithout, startNats } from '../support/brokers.js'
import { faultProxy } from '../support/fault-proxy.js'
import { handlesAll, Inbox, served } from './inbox.js'
import { appendAll, sample, soon, subscription } from './sample.js'
import { hostOf } from './stage.js'
import { failure } from './verdicts.js'

interface Wish {
  readonly options?: StoreOptions
  readonly user?: string
  readonly host?: StoreHost
}

async function opened(t: Test, broker: { port: number }, space: string, wish: Wish = {}): Promise<OpenStore> {
  const { options, user, host } = wish
  const login = user === undefined ? {} : { user, pass: 'secret' }
  const connection = new Connection(toSettings({ servers: `127.0.0.1:${broker.port}`, space, ...login }))
  const store = await openJetStream(connection, { space, ackWaitMs: 500, ...options }, host ?? hostOf())
  t.teardown(() => store.close())
  return store
}

/** What an operator has: a client of NATS, without any of this. */
async function operator(t: Test, broker: Broker): Promise<{ nats: NatsConnection; manager: JetStreamManager }> {
  const nats = await connect({ servers: `127.0.0.1:${broker.port}` })
  t.teardown(() => nats.close())
  return { nats, manager: await jetstreamManager(nats) }
}

async function refusal(promise: Promise<unknown>): Promise<LuciliusError> {
  const error = await promise.then(
    () => new Error('it was not refused'),
    (error: unknown) => error,
  )
  if (error instanceof LuciliusError) return error
  throw error
}

/** Resolves when it is so. The test runs out of time if it never is. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20))
}

const skip = skipWithout('nats-server')

setFlagsFromString('--expose-gc')
const collect: () => void = runInNewContext('gc')

t.test('a token is valid in NATS, and of one text only', async (t) => {
  t.equal(token('event:created,role:order'), 'event:created,role:order')
  t.equal(token('shop.mail_1'), 'shop=2Email_1')
  t.equal(token(''), '~')
  const text = fc.oneof(
    fc.string({
      unit: fc.constantFrom('a', '.', '*', '>', ' ', '~', '%', '=', '2', 'E', 'é', '\ud800', '\n'),
      maxLength: 8,
    }),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: fc.constantFrom('a', 'é'), minLength: 190, maxLength: 210 }),
  )
  fc.assert(
    fc.property(text, text, (one, other) => {
      const made = token(one)
      return (
        /^[\x21-\x7e]+$/.test(made) &&
        !/[.*>%]/.test(made) &&
        made.length <= 200 &&
        (one === other) === (made === token(other))
      )
    }),
    { numRuns: 200 },
  )
})

t.test('who waits for a vacancy again and again leaves nothing behind', async (t) => {
  let tell = () => {}
  const link = {
    isUp: false,
    follow: () => () => {},
    nats: {
      subscribe: (_: string, { callback }: { callback: (error: null, message: object) => void }) => {
        tell = () => callback(null, { string: () => '{"holder":null}' })
        return { unsubscribe: () => {} }
      },
    },
  }
  const vacancy = new Vacancy(link as never, 'x', 1000)
  const { signal } = new AbortController()
  const wait = async (times: number) => {
    for (let n = 0; n < times; n++) {
      const waiting = vacancy.wait(signal)
      tell()
      await waiting
    }
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = await wait(1000)
  const grown = (await wait(100_000)) - before
  t.ok(grown < 4_000_000, `${grown} bytes`)
  vacancy.close()
})

t.test('with a broker', { skip }, async (t) => {
  const broker = await startNats(t)
  const { nats, manager } = await operator(t, broker)

  t.test('an event is plain JSON at the subject of its declaration', async (t) => {
    const store = await opened(t, broker, 'follow')
    const heard = nats.subscribe('lucilius.follow.event.*', { max: 1 })
    await nats.flush()
    const event = sample(1)
    await appendAll(store, [event])
    for await (const message of heard) {
      t.equal(message.subject, 'lucilius.follow.event.event:created,role:order')
      t.strictSame(message.json(), event)
    }
  })

  t.test('streams are made with what the options say, and brought up to date with it', async (t) => {
    t.equal(await emptiness(broker, 'made'), true)
    await (await opened(t, broker, 'made', { options: { maxAgeMs: 60_000, maxBytes: 1_000_000 } })).close()
    t.equal(await emptiness(broker, 'made'), false)
    const first = await manager.streams.info('lucilius_made_events')
    t.match(first.config, {
      max_age: 60e9,
      max_bytes: 1_000_000,
      duplicate_window: 60e9,
      storage: 'file',
      discard: 'new',
    })
    await manager.streams.update('lucilius_made_events', { max_bytes: 2_000_000, description: 'ours' })
    await (await opened(t, broker, 'made', { options: { maxAgeMs: 7_200_000 } })).close()
    const { config } = await manager.streams.info('lucilius_made_events')
    t.match(config, { max_age: 7200e9, max_bytes: 2_000_000, duplicate_window: 60e9, description: 'ours' })
  })

  t.test('a stream that would lose events is refused, with what to do', async (t) => {
    await manager.streams.add({
      name: 'lucilius_taken_events',
      subjects: ['lucilius.taken.event.*'],
      retention: 'workqueue',
    })
    const error = await refusal(opened(t, broker, 'taken'))
    t.match(error, { code: 'LUC_STORE_FAILED', handled: 'no' })
    t.match(error.message, /lucilius_taken_events .* retention is 'workqueue'.*another space/)
  })

  t.test('so is one that would drop events to make room, or forget them with its server', async (t) => {
    const bad: readonly [string, object, RegExp][] = [
      ['events', { max_msgs: 5, discard: 'old' }, /'old'.*max_msgs/],
      ['events', { max_bytes: 5000, discard: 'old' }, /'old'.*max_bytes/],
      ['dead', { storage: 'memory' }, /storage is 'memory'/],
      ['state', { storage: 'memory', max_msgs_per_subject: 1 }, /storage is 'memory'/],
    ]
    for (const [at, [stream, config, message]] of bad.entries()) {
      const subjects = [`lucilius.harm${at}.${stream}.x`]
      await manager.streams.add({ name: `lucilius_harm${at}_${stream}`, subjects, ...config })
      t.match(await refusal(opened(t, broker, `harm${at}`)), { code: 'LUC_STORE_FAILED', handled: 'no', message })
    }
    await manager.streams.add({
      name: 'lucilius_bounded_events',
      subjects: ['lucilius.bounded.event.*'],
      discard: 'old',
    })
    const bounded = opened(t, broker, 'bounded', { options: { maxBytes: 5000 } })
    t.match(await refusal(bounded), { code: 'LUC_STORE_FAILED', message: /max_bytes/ })
    const subjects = ['lucilius.tries.failures.*.*']
    await manager.streams.add({ name: 'lucilius_tries_failures', subjects, storage: 'memory', max_msgs_per_subject: 1 })
    await opened(t, broker, 'tries')
  })

  t.test('a stream of somebody else with our subjects is told', async (t) => {
    await manager.streams.add({ name: 'other', subjects: ['lucilius.overlap.>'] })
    const error = await refusal(opened(t, broker, 'overlap'))
    t.match(error, { code: 'LUC_STORE_FAILED', handled: 'no' })
    t.match(error.message, /another stream of the account/)
  })

  t.test('copies need a cluster', async (t) => {
    const error = await refusal(opened(t, broker, 'copies', { options: { replicas: 3 } }))
    t.match(error.message, /'replicas' above 1 need a cluster/)
  })

  t.test('a full store refuses what is new, and keeps what it has', async (t) => {
    const store = await opened(t, broker, 'full', { options: { maxBytes: 3000 } })
    const inbox = await served(store, subscription())
    await appendAll(store, [sample(1), sample(2), sample(3)])
    const fill = async () => {
      for (let n = 4; n < 20; n++) await store.append(sample(n), soon())
    }
    const error = await refusal(fill())
    t.match(error, { code: 'LUC_STORE_FAILED', handled: 'no' })
    t.match(error.message, /its stream is full.*maxBytes/)
    await inbox.has(3)
    t.equal(inbox.numbers[0], 1)
  })

  t.test('an event that the server does not take is too large', async (t) => {
    const store = await opened(t, broker, 'large')
    const text = 'x'.repeat(1024 * 1024 - 16 * 1024)
    const error = await refusal(store.append(sample(1, { message: { role: 'order', text } }), soon()))
    t.match(error, { code: 'LUC_TOO_LARGE', handled: 'no' })
  })

  t.test('the largest event can die of the longest failures', async (t) => {
    const store = await opened(t, broker, 'largest')
    const inbox = await served(store, subscription())
    const text = 'x'.repeat(1024 * 1024 - 17 * 1024)
    await store.append(sample(1, { message: { role: 'order', text } }), soon())
    const failures = Array.from({ length: 200 }, (_, at) => failure(at + 1, '\u0000'.repeat(2000)))
    await (await inbox.next()).end({ kind: 'dead', failures })
    const [letter] = await store.admin.deadLetters({ limit: 1 })
    t.equal(letter?.event.message.text, text)
    t.equal(letter?.failures.at(-1)?.attempt, 200, 'the last ones are kept')
  })

  t.test('what is no event is passed over', async (t) => {
    const store = await opened(t, broker, 'foreign')
    const shared = await served(store, subscription(), handlesAll())
    const ordered = await served(store, subscription({ name: 'shop.ordered', ordered: true }), handlesAll())
    for (const text of ['', 'no JSON', '{}', '{"id":"1","message":[]}', '{"__proto__":1}']) {
      await nats.request('lucilius.foreign.event.x', text)
    }
    await appendAll(store, [sample(1)])
    await Promise.all([shared.has(1), ordered.has(1)])
    const { subscriptions } = await store.admin.report()
    t.strictSame(
      subscriptions.map(({ waiting }) => waiting),
      [0, 0],
    )
  })

  t.test('a subscription that becomes ordered, or shared again, loses nothing', async (t) => {
    const store = await opened(t, broker, 'turn')
    const wish = { name: 'shop.turn' }
    const shared = await served(store, subscription({ ...wish, concurrency: 2 }))
    await appendAll(store, [sample(1), sample(2), sample(3)])
    await (await shared.next()).end({ kind: 'done' })
    await shared.next()
    await shared.service.stop()
    await shared.all[1]?.end({ kind: 'back' })
    const ordered = await served(store, subscription({ ...wish, ordered: true, concurrency: 2 }))
    await ordered.has(2)
    t.strictSame(ordered.numbers, [2, 3])
    await (await ordered.next()).end({ kind: 'done' })
    await ordered.service.stop()
    await ordered.all[1]?.end({ kind: 'back' })
    await appendAll(store, [sample(4)])
    const again = await served(store, subscription(wish), handlesAll())
    await again.has(2)
    t.strictSame(again.numbers.toSorted(), [3, 4])
  })

  t.test('an ordered event is ended as soon as that is in writing', async (t) => {
    const store = await opened(t, broker, 'prompt', { options: { ackWaitMs: 5000 } })
    const inbox = await served(store, subscription({ ordered: true }))
    await appendAll(
      store,
      Array.from({ length: 20 }, (_, n) => sample(n)),
    )
    const from = performance.now()
    for (let n = 0; n < 20; n++) await (await inbox.next()).end({ kind: 'done' })
    const ms = performance.now() - from
    t.ok(ms < 3000, `it took ${ms} ms`)
  })

  for (const ordered of [false, true]) {
    const kind = ordered ? 'an ordered' : 'a shared'
    const event = (n: number, name: string) => sample(n, { message: { role: 'order', event: name, n } })

    t.test(`what the wider pattern of ${kind} subscription is about waits for a new instance`, async (t) => {
      const space = `rolling-${ordered}`
      const narrow = subscription({ pattern: 'event:created,role:order', ordered, concurrency: 2 })
      const wide = subscription({ pattern: 'event:*,role:order', ordered, concurrency: 2 })
      const one = await opened(t, broker, space)
      const first = await served(one, narrow, handlesAll())
      await appendAll(one, [event(1, 'paid'), event(2, 'created')])
      await first.has(1)
      const two = await opened(t, broker, space)
      await two.know(wide)
      await appendAll(two, [event(3, 'paid'), event(4, 'paid'), event(5, 'created'), event(6, 'paid')])
      await one.append(event(7, 'created'), soon()) // behind all the others: once it came, they have been looked at
      if (!ordered) await first.has(3)
      const second = await served(two, wide, handlesAll())
      if (!ordered) await first.service.stop()
      await second.has(ordered ? 5 : 3)
      t.strictSame(ordered ? second.numbers : second.numbers.toSorted(), ordered ? [3, 4, 5, 6, 7] : [3, 4, 6])
      t.strictSame(first.numbers.toSorted(), ordered ? [2] : [2, 5, 7])
      t.ok(
        second.all.every(({ attempt }) => attempt === 1),
        'having been handed on is no attempt',
      )
    })

    t.test(`an older version of ${kind} subscription that starts again costs a newer one nothing`, async (t) => {
      const space = `again-${ordered}`
      const narrow = subscription({ pattern: 'event:created,role:order', ordered, concurrency: 2 })
      const wide = subscription({ pattern: 'event:*,role:order', ordered, concurrency: 2 })
      const [one, two] = [await opened(t, broker, space), await opened(t, broker, space)]
      const older = await served(one, narrow, handlesAll())
      const newer = await served(two, wide, handlesAll())
      await one.know(narrow) // as another instance of it does that starts
      const numbers = [1, 2, 3, 4]
      await appendAll(
        one,
        numbers.map((n) => event(n, n === 3 ? 'created' : 'paid')),
      )
      const isIn = (n: number) => newer.numbers.includes(n) || older.numbers.includes(n)
      await until(() => isIn(3))
      if (!ordered) await older.service.stop() // What it has handed on comes to it again, too: that may take a while.
      await until(() => numbers.every(isIn))
      t.notOk(older.all.some(({ event }) => event.message.event === 'paid'))
      if (!ordered) return
      await newer.service.stop()
      await appendAll(one, [event(7, 'paid'), event(8, 'created')])
      await until(() => older.numbers.includes(8))
      await until(async () => (await one.admin.report()).subscriptions.every(({ waiting }) => waiting === 0))
      t.pass('and what only the newer one wanted is behind it once that has gone')
    })

    t.test(`${kind} subscription that was stopped leaves nothing behind`, async (t) => {
      const store = await opened(t, broker, `left-${ordered}`)
      const serveOnce = async () => {
        const inbox = await served(store, subscription({ ordered }))
        const under = await inbox.next()
        await inbox.service.stop()
        await under.end({ kind: 'done' })
        return new WeakRef(inbox)
      }
      await store.know(subscription({ ordered }))
      await appendAll(store, [sample(1)])
      const left = await serveOnce()
      const end = performance.now() + 8000
      while (left.deref() !== undefined && performance.now() < end) {
        await new Promise((resolve) => setTimeout(resolve, 100))
        collect()
      }
      t.equal(left.deref(), undefined)
    })
  }

  t.test('an instance of the former pattern goes on as far as it can if the new one has gone', async (t) => {
    const narrow = subscription({ pattern: 'event:created,role:order', ordered: true })
    const one = await opened(t, broker, 'back')
    const first = await served(one, narrow, handlesAll())
    await one.know(subscription({ pattern: 'event:*,role:order', ordered: true }))
    await appendAll(one, [sample(1), sample(2, { message: { role: 'order', event: 'paid', n: 2 } }), sample(3)])
    await first.has(1)
    await one.know(narrow) // as an instance does that starts
    await first.has(2)
    t.strictSame(first.numbers, [1, 3])
  })

  t.test('what a closing instance has under way comes to the next one at once', async (t) => {
    const slow = { options: { ackWaitMs: 60_000 } }
    const one = await opened(t, broker, 'closing', slow)
    const first = await served(one, subscription())
    await appendAll(one, [sample(1), sample(2), sample(3)])
    await first.has(3)
    await one.close()
    const second = await served(await opened(t, broker, 'closing', slow), subscription(), handlesAll())
    await second.has(3, 5000)
    t.strictSame(second.numbers.toSorted(), [1, 2, 3])
  })

  t.test('an instance that was taken for dead and lives says nothing more of an ordered subscription', async (t) => {
    const proxy = await faultProxy(broker.port)
    t.teardown(() => proxy.close())
    const ordered = subscription({ name: 'shop.ordered', ordered: true, concurrency: 1 })
    const one = await opened(t, proxy, 'fenced')
    const two = await opened(t, broker, 'fenced')
    const first = await served(one, ordered)
    await appendAll(two, [sample(1), sample(2)])
    const late = await first.next()
    const second = await served(two, ordered)
    proxy.set({ frozen: true })
    const same = await second.next()
    t.strictSame([same.event, same.attempt], [late.event, 2])
    proxy.cut()
    proxy.set({})
    await late.end({ kind: 'done' })
    t.equal(second.all.length, 1, 'the event is still that of the other instance')
    await same.end({ kind: 'done' })
    await (await second.next()).end({ kind: 'done' })
    await appendAll(one, [sample(3)])
    await (await second.next()).end({ kind: 'done' })
    t.strictSame([first.numbers, second.numbers], [[1], [1, 2, 3]])
  })

  t.test('a subscription that is removed while it is served is told, and not made anew', async (t) => {
    const told: string[] = []
    const host = {
      ...hostOf(),
      log: (level: string, _: object, text: string) => void (level === 'error' && told.push(text)),
    }
    const store = await opened(t, broker, 'removed', { host })
    const shared = await served(store, subscription(), handlesAll())
    const ordered = await served(store, subscription({ name: 'shop.ordered', ordered: true }), handlesAll())
    t.equal(await store.admin.removeSubscription('shop.all'), true)
    t.equal(await store.admin.removeSubscription('shop.ordered'), true)
    const end = performance.now() + 5000
    while (told.length < 2 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10))
    t.match(told.toSorted(), [/shop\.all is gone from the store/, /shop\.ordered is gone from the store/])
    await appendAll(store, [sample(1)])
    t.strictSame((await store.admin.report()).subscriptions, [])
    t.strictSame([...shared.numbers, ...ordered.numbers], [])
  })

  t.test('a dead letter whose subscription is gone is not delivered to nobody', async (t) => {
    const store = await opened(t, broker, 'gone')
    const inbox = await served(store, subscription(), new Inbox(() => ({ kind: 'dead', failures: [failure(1)] })))
    await appendAll(store, [sample(1)])
    await inbox.has(1)
    const [letter] = await lettersOf(store)
    await inbox.service.stop()
    await manager.streams.purge('lucilius_gone_state')
    const error = await refusal(store.admin.replay(letter?.id ?? ''))
    t.match(error.message, /there is no subscription shop\.all any more/)
    t.equal((await lettersOf(store)).length, 1)
  })
})

t.test('a broker that has lost all it had begins anew, and so do its subscriptions', { skip }, async (t) => {
  const broker = await startNats(t)
  const store = await opened(t, broker, 'lost')
  const shared = await served(store, subscription(), handlesAll())
  const ordered = await served(store, subscription({ name: 'shop.ordered', ordered: true }), handlesAll())
  await appendAll(store, [sample(1)])
  await Promise.all([shared.has(1), ordered.has(1)])
  await broker.kill()
  rmSync(join(broker.folder, 'data'), { recursive: true })
  await broker.restart()
  await appendAll(store, [sample(2), sample(3)])
  await Promise.all([shared.has(3), ordered.has(3)])
  t.strictSame(shared.numbers, [1, 2, 3])
  t.strictSame(ordered.numbers, [1, 2, 3])
})

/** As docs/nats.md says. */
const streams = ['events', 'retained', 'dead', 'failures', 'state'].map((name) => `lucilius_shop_${name}`)
const allowed = [
  ...['event.*', 'retained.>', 'replay.*', 'dead.*', 'failures.>', 'state.>'].map((end) => `lucilius.shop.${end}`),
  '$JS.ACK.lucilius_shop_events.>',
  ...streams.flatMap((stream) => [
    `$JS.API.STREAM.*.${stream}`,
    `$JS.API.STREAM.MSG.*.${stream}`,
    `$JS.API.CONSUMER.*.${stream}`,
    `$JS.API.CONSUMER.*.${stream}.>`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
  ]),
]

const permissions = `
jetstream { max_file_store: 1G }
accounts {
  plain { users: [{ user: plain, password: secret }] }
  shop {
    jetstream: enabled
    users: [
      { user: shop, password: secret, permissions: {
        publish: ${JSON.stringify(allowed)}
        subscribe: ["lucilius.shop.inbox.>", "lucilius.shop.state.>"]
      } }
      { user: reader, password: secret, permissions: {
        publish: ["$JS.API.STREAM.INFO.*"]
        subscribe: ["lucilius.shop.inbox.>"]
      } }
    ]
  }
}`

t.test('the permissions of docs/nats.md are enough, and what is missing is named', { skip }, async (t) => {
  const broker = await startNats(t, { config: permissions })
  const store = await opened(t, broker, 'shop', { user: 'shop' })
  const shared = await served(store, subscription())
  const ordered = await served(store, subscription({ name: 'shop.ordered', ordered: true }), handlesAll())
  await appendAll(store, [sample(1, { retain: true })])
  await (await shared.next()).end({ kind: 'again', afterMs: 1, failure: failure(1) })
  await (await shared.next()).end({ kind: 'dead', failures: [failure(1), failure(2)] })
  await ordered.has(1)
  const [letter] = await lettersOf(store)
  t.equal(await store.admin.replay(letter?.id ?? ''), true)
  await (await shared.next()).end({ kind: 'done' })
  t.equal((await store.retained(() => true)).length, 1)
  t.equal((await store.admin.report()).subscriptions.length, 2)
  t.equal(await store.admin.removeSubscription('shop.all'), true)
  const reader = await opened(t, broker, 'shop', { user: 'reader' })
  const error = await refusal(reader.append(sample(2), soon(3000)))
  t.match(error, { code: 'LUC_STORE_FAILED', handled: 'no' })
  t.match(error.message, /does not permit it: lucilius\.shop\.event\.event:created,role:order.*docs\/nats\.md/)
})

t.test('an account without JetStream is told at once, with what to do', { skip }, async (t) => {
  const broker = await startNats(t, { config: permissions })
  const error = await refusal(opened(t, broker, 'shop', { user: 'plain' }))
  t.match(error, { code: 'LUC_STORE_FAILED', handled: 'no' })
  t.match(error.message, /JetStream is not enabled for the account/)
  t.equal(await emptiness(broker, 'shop', 'plain'), true)
})

function emptiness(broker: Broker, space: string, user?: string): Promise<boolean> {
  const login = user === undefined ? {} : { user, pass: 'secret' }
  const connection = new Connection(toSettings({ servers: `127.0.0.1:${broker.port}`, space, ...login }))
  return isJetStreamEmpty(connection, { space })
}

/** The dead letters, as soon as there are some. */
async function lettersOf(store: OpenStore) {
  const end = performance.now() + 5000
  for (;;) {
    const letters = await store.admin.deadLetters({ limit: 10 })
    if (letters.length > 0 || performance.now() > end) return letters
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
