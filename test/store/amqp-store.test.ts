import { setTimeout as sleep } from 'node:timers/promises'
import amqplib from 'amqplib'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { matcherOf } from '../../lib/covers.js'
import { LuciliusError } from '../../lib/errors.js'
import type { OpenStore, StoreHost } from '../../lib/store.js'
import { Broker as Connection } from '../../transports/amqp/broker.js'
import { amqp } from '../../transports/amqp/index.js'
import { toSettings } from '../../transports/amqp/settings.js'
import { delayOf } from '../../transports/amqp/store/delays.js'
import { bindingsOf, type Headers, headersOf } from '../../transports/amqp/store/headers.js'
import { openAmqpStore } from '../../transports/amqp/store/index.js'
import { Ledger } from '../../transports/amqp/store/ledger.js'
import { type Broker, skipWithout, startRabbit } from '../support/brokers.js'
import { faultProxy } from '../support/fault-proxy.js'
import { handlesAll, Inbox, served } from './inbox.js'
import { appendAll, sample, soon, subscription } from './sample.js'
import { hostOf, type StoreStage } from './stage.js'
import { storeSuite } from './store-suite.js'
import { failure } from './verdicts.js'

const skip = skipWithout('rabbitmq')
let spaces = 0
const newSpace = () => `space-${++spaces}`

t.setTimeout(120_000)

t.test('a queue is bound so that it gets all that its pattern matches, and little else', async () => {
  const text = fc.constantFrom(
    'a',
    'b',
    'a*',
    '?',
    '1',
    'true',
    'x'.repeat(300),
    `${'x'.repeat(300)}*`,
    'ü'.repeat(200),
  )
  const key = fc.constantFrom('role', 'x-ray', 'x-match', 'cmd', 'n', 'ключ', 'k'.repeat(250), 'lucilius-durable')
  const value = fc.oneof(text, fc.constantFrom('', 1, -0, 1.5, true, false, null, undefined, Number.NaN), fc.object())
  const some = { maxKeys: 4 }
  fc.assert(
    fc.property(
      fc.dictionary(key, text, some),
      fc.dictionary(key, value, some),
      fc.boolean(),
      (pairs, message, many) => {
        const pattern = JSON.stringify(pairs).slice(1, -1)
        const long = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`property-${n}`, 'long enough']))
        const event = sample(1, { message: many ? { ...message, ...long } : message })
        const isLetIn = bindingsOf(pattern).some((binding) => lets(binding, headersOf(event)))
        const isMatch = matcherOf(pattern)(event.message)
        if (isMatch) return isLetIn
        const isExact =
          !Object.values(pairs).some((one) => /[*?]/.test(one) || one.length > 100) && !('k'.repeat(250) in pairs)
        return many || !isExact || !isLetIn
      },
    ),
    { numRuns: 2000 },
  )
})

t.test('what is to come again waits at least as long as it should, and at most 2.5 times', async (t) => {
  for (const ms of [200, 201, 499, 500, 700, 1_600, 6_400, 12_800, 29_999, 30_000, 45_000]) {
    const { tier, restMs } = delayOf(ms)
    t.equal(restMs, 0)
    t.ok(tier >= ms && tier <= ms * 2.5, `${ms} waits ${tier}`)
  }
  t.strictSame(delayOf(0), { tier: 200, restMs: 0 })
  let left = 24 * 3_600_000
  let waited = 0
  while (left > 0) {
    const { tier, restMs } = delayOf(left)
    waited += tier
    left = restMs
  }
  t.equal(waited, 24 * 3_600_000, 'a day, in parts')
})

t.test('RabbitMQ', { skip }, async (t) => {
  const broker = await startRabbit(t, { config: 'max_message_size = 600000' })
  storeSuite(t, stageOf(broker))
  t.test('amqp: beyond the suite', async (t) => beyond(t, broker))
  t.test('amqp: the store outlives its broker', async (t) => outlives(t, broker))
})

function stageOf(broker: Broker): StoreStage {
  return {
    name: 'amqp',
    recoversMs: 500,
    runs: 3,
    lacks: {
      duplicates: 'RabbitMQ keeps every event that it is given: the core filters ids',
      outage: 'a start of RabbitMQ takes 5 s: one test for all of it, below',
    },
    place: async (t) => {
      const space = newSpace()
      return {
        open: async (host) => {
          const proxy = await faultProxy(broker.port)
          t.teardown(() => proxy.close())
          const store = await open({ port: proxy.port }, space, host)
          const crash = async () => {
            proxy.cut()
            t.teardown(() => store.close())
          }
          return { store, crash }
        },
      }
    },
  }
}

/** New queues are not left alone for a while: the broker is not killed before they are settled. */
function open({ port }: { readonly port: number }, space: string, host = hostOf()): Promise<OpenStore> {
  const settings = toSettings({ url: `amqp://127.0.0.1:${port}`, space })
  return openAmqpStore(new Connection(settings), settings, host, { settleMs: 0, goneMs: 500 })
}

/** What is so with RabbitMQ only. */
function beyond(t: Test, broker: Broker): void {
  const opened = async (t: Test, space = newSpace(), host?: StoreHost) => {
    const store = await open(broker, space, host)
    t.teardown(() => store.close())
    return { store, space }
  }

  t.test('an event that is too long is refused, and others are stored meanwhile', async (t) => {
    const { store } = await opened(t)
    const inbox = await served(store, subscription(), handlesAll())
    const long = (n: number, length: number) => sample(n, { message: { role: 'order', n, text: 'x'.repeat(length) } })
    const appends = [1, 2, 3].map((n) => store.append(sample(n), soon()))
    await refused(t, store.append(long(4, 700_000), soon()), 'LUC_TOO_LARGE', /600000 bytes/)
    await Promise.all([...appends, store.append(sample(5), soon())])
    while (!inbox.numbers.includes(5)) await inbox.next()
    await refused(t, store.append(long(6, 2_000_000), soon()), 'LUC_TOO_LARGE')
    t.strictSame([...new Set(inbox.numbers)].toSorted(), [1, 2, 3, 5])
  })

  t.test('an event with very many properties comes to those that match it, and to no other', async (t) => {
    const { store } = await opened(t)
    const one = await served(store, subscription({ name: 'shop.one', pattern: 'property-199:yes' }), handlesAll())
    const other = await served(store, subscription({ name: 'shop.other', pattern: 'property-199:no' }), handlesAll())
    const many = Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`property-${n}`, 'yes']))
    await appendAll(store, [
      sample(1, { message: { ...many, n: 1 } }),
      sample(2, { message: { 'property-199': 'no', n: 2 } }),
    ])
    await Promise.all([one.has(1), other.has(1)])
    t.strictSame([one.numbers, other.numbers], [[1], [2]])
  })

  t.test('the report counts what is under way in all instances', async (t) => {
    const { store, space } = await opened(t)
    const { store: second } = await opened(t, space)
    const { store: third } = await opened(t, space)
    const inboxes = [
      await served(store, subscription({ concurrency: 1 })),
      await served(second, subscription({ concurrency: 2 })),
    ]
    await appendAll(
      store,
      [1, 2, 3, 4].map((n) => sample(n)),
    )
    await Promise.all([inboxes[0]?.has(1), inboxes[1]?.has(2)])
    const [row] = (await third.admin.report()).subscriptions
    t.match(row, { waiting: 4, running: 3 })
  })

  t.test('an instance of an older pattern leaves what it does not know to newer ones', async (t) => {
    const space = newSpace()
    const proxy = await faultProxy(broker.port)
    t.teardown(() => proxy.close())
    const old = await open({ port: proxy.port }, space)
    t.teardown(() => old.close())
    const { store } = await opened(t, space)
    const invoice = (n: number) => sample(n, { message: { role: 'invoice', n } })
    for (const [name, ordered] of [
      ['shop.free', false],
      ['shop.ordered', true],
    ] as const) {
      const before = subscription({ name, ordered })
      const after = subscription({ name, ordered, pattern: 'role:*' })
      const first = await served(old, before, handlesAll())
      await store.know(after)
      await appendAll(store, [sample(1), invoice(2), sample(3)])
      await first.has(ordered ? 1 : 2)
      const counted = proxy.counts.accepted
      proxy.cut()
      proxy.set({})
      while (proxy.counts.accepted === counted) await sleep(10)
      await appendAll(store, [invoice(4)])
      const second = await served(store, after, handlesAll())
      while (!second.numbers.includes(4) || !second.numbers.includes(2)) await second.next(20_000)
      const seen = [...first.numbers, ...second.numbers]
      t.strictSame([...new Set(seen)].toSorted(), [1, 2, 3, 4], name)
      if (ordered) t.strictSame([...new Set(seen)], [1, 2, 3, 4], 'in order')
      t.strictSame(await store.admin.deadLetters({ limit: 9 }), [])
    }
  })

  t.test('an older version that starts again costs a newer one nothing', async (t) => {
    const { store: one, space } = await opened(t)
    const { store: two } = await opened(t, space)
    const older = await served(one, subscription({ concurrency: 2 }), handlesAll())
    const newer = await served(two, subscription({ pattern: 'role:*', concurrency: 2 }), handlesAll())
    await older.service.stop()
    const { store: three } = await opened(t, space)
    const again = await served(three, subscription({ concurrency: 2 }), handlesAll())
    const invoice = (n: number) => sample(n, { message: { role: 'invoice', n } })
    await appendAll(one, [invoice(1), sample(2), invoice(3), invoice(4)])
    const isIn = (n: number) => [older, newer, again].some(({ numbers }) => numbers.includes(n))
    while (![1, 2, 3, 4].every(isIn)) await sleep(10)
    t.notOk(again.numbers.some((n) => n !== 2))
    await newer.service.stop()
    await appendAll(one, [invoice(5), sample(6)])
    while (!again.numbers.includes(6)) await sleep(10)
    const waits = async () => (await one.admin.report()).subscriptions.some(({ waiting }) => waiting > 0)
    while (await waits()) await sleep(50)
    t.pass('and what only the newer one wanted is behind it once that has gone')
  })

  t.test('whether a subscription is ordered cannot change, and it is told what to do', async (t) => {
    const { store } = await opened(t)
    await store.know(subscription({ name: 'shop.fixed' }))
    const ordered = subscription({ name: 'shop.fixed', ordered: true })
    await refused(t, store.know(ordered), 'LUC_STORE_FAILED', /kept not ordered.*events remove shop\.fixed/)
    await refused(
      t,
      store.serve(ordered, () => {}),
      'LUC_STORE_FAILED',
      /kept not ordered/,
    )
  })

  t.test('a subscription that is removed while it is served begins anew', async (t) => {
    const { store } = await opened(t)
    const inbox = await served(store, subscription(), new Inbox())
    await appendAll(store, [sample(1)])
    const lost = await inbox.next()
    t.equal(await store.admin.removeSubscription('shop.all'), true)
    await lost.end({ kind: 'dead', failures: [] })
    while ((await store.admin.report()).subscriptions.length === 0) await sleep(10)
    await appendAll(store, [sample(2)])
    const next = await inbox.next()
    t.equal(next.event.message.n, 2)
    await next.end({ kind: 'again', afterMs: 1, failure: failure(1) })
    await (await inbox.next()).end({ kind: 'done' })
    t.strictSame(await store.admin.deadLetters({ limit: 9 }), [])
  })

  t.test('a queue of retries that somebody deletes costs no event', async (t) => {
    const { store, space } = await opened(t)
    const inbox = await served(store, subscription())
    await appendAll(store, [sample(1), sample(2)])
    await (await inbox.next()).end({ kind: 'again', afterMs: 1, failure: failure(1) })
    const second = await inbox.next()
    const again = await inbox.next()
    t.equal(again.attempt, 2)
    await again.end({ kind: 'done' })
    const link = await amqplib.connect(broker.url)
    t.teardown(() => link.close())
    await (await link.createChannel()).deleteQueue(`lucilius.${space}.after-200.shop.all`)
    await second.end({ kind: 'again', afterMs: 1, failure: failure(1) })
    const third = await inbox.next()
    t.equal(third.event.message.n, 2)
    await third.end({ kind: 'again', afterMs: 1, failure: failure(2) })
    t.equal((await inbox.next()).event.message.n, 2, 'and there is another one by now')
    t.match((await store.admin.report()).subscriptions, [{ waiting: 1 }])
  })

  t.test('many events fail at the same time, without a warning of Node', async (t) => {
    const warnings: Error[] = []
    const warned = (warning: Error) => warnings.push(warning)
    process.on('warning', warned)
    t.teardown(() => process.off('warning', warned))
    const { store } = await opened(t)
    const again = { kind: 'again', afterMs: 1, failure: failure(1) } as const
    const inbox = new Inbox(({ attempt }) => (attempt === 1 ? again : { kind: 'done' }))
    await served(store, subscription({ concurrency: 50 }), inbox)
    await Promise.all(Array.from({ length: 50 }, (_, n) => store.append(sample(n), soon())))
    await inbox.has(100)
    t.strictSame(warnings, [])
  })

  t.test('what is no event lies with the dead letters, and can be dropped', async (t) => {
    const { store, space } = await opened(t)
    const inbox = await served(store, subscription(), handlesAll())
    const link = await amqplib.connect(broker.url)
    t.teardown(() => link.close())
    const channel = await link.createConfirmChannel()
    channel.sendToQueue(`lucilius.${space}.on.shop.all`, Buffer.from('{"no":"event"}'), { messageId: 'm/1' })
    await channel.waitForConfirms()
    await appendAll(store, [sample(2)])
    await inbox.has(1)
    let letters = await store.admin.deadLetters({ limit: 9 })
    while (letters.length === 0) letters = await store.admin.deadLetters({ limit: 9 })
    t.match(letters, [
      { event: { message: { unreadable: '{"no":"event"}' } }, failures: [{ message: /cannot be read/ }] },
    ])
    t.equal(await store.admin.drop(letters[0]?.id ?? ''), true)
    t.strictSame(inbox.numbers, [2])
  })

  t.test('two who read dead letters at the same time both see all of them', async (t) => {
    const { store, space } = await opened(t)
    const { store: second } = await opened(t, space)
    const dies = new Inbox(() => ({ kind: 'dead', failures: [] }))
    await served(store, subscription(), dies)
    await appendAll(
      store,
      Array.from({ length: 30 }, (_, n) => sample(n)),
    )
    while ((await store.admin.deadLetters({ limit: 99 })).length < 30) await sleep(10)
    const lists = [store, second, store, second].map(({ admin }) => admin.deadLetters({ limit: 99 }))
    for (const letters of await Promise.all(lists)) t.equal(letters.length, 30)
  })

  t.test('nothing that a ledger says is lost when the broker forgets the oldest part of its stream', async (t) => {
    const link = await amqplib.connect(broker.url)
    t.teardown(() => link.close())
    const channel = await link.createChannel()
    const [stream, queues] = ['ledger', 'ledger.queues']
    const bytes = 64 * 1024
    await channel.assertExchange(queues, 'direct')
    const limits = { 'x-max-length-bytes': bytes, 'x-stream-max-segment-size-bytes': bytes / 16 }
    await channel.assertQueue(stream, { arguments: { 'x-queue-type': 'stream', ...limits } })
    await channel.bindQueue(stream, queues, stream)
    const connection = new Connection(toSettings({ url: broker.url }))
    const ledgers = [0, 1].map(() => new Ledger(connection, { stream, queues, bytes }))
    for (const ledger of ledgers) t.teardown(() => ledger.close())
    const [one, two] = ledgers as [Ledger, Ledger]
    await one.write('gone', Buffer.from('old'))
    await one.write('kept', Buffer.from('old'))
    await one.write('kept', Buffer.from('new'))
    await one.read(soon())
    await one.write('gone', Buffer.alloc(0))
    for (let n = 0; n < 600; n++) {
      await one.write(`busy ${n % 3}`, Buffer.from(`${n}`.padEnd(500)))
      if (n % 20 === 0) await (n % 40 === 0 ? one : two).read(soon())
    }
    const fresh = new Ledger(connection, { stream, queues, bytes })
    t.teardown(() => fresh.close())
    const table = await fresh.read(soon())
    const first = await firstOffset(channel, stream)
    t.ok(first > 100, `the broker has forgotten the first ${first}`)
    t.equal(table.get('kept')?.toString(), 'new')
    t.equal(table.get('gone'), undefined)
    t.strictSame(
      table.entries().map(({ key }) => key),
      ['kept', 'busy 0', 'busy 1', 'busy 2'],
    )
    t.strictSame(
      table
        .entries()
        .slice(1)
        .map(({ body }) => Number(body)),
      [597, 598, 599],
    )
  })

  t.test('a store is empty until something was opened there', async (t) => {
    const transport = amqp({ url: broker.url, space: newSpace() })
    t.equal(await transport.isEmpty?.(), true)
    const settings = toSettings({ url: broker.url, space: `space-${spaces}` })
    await (await openAmqpStore(new Connection(settings), settings, hostOf(), { settleMs: 0 })).close()
    t.equal(await transport.isEmpty?.(), false)
  })
}

/** A kill of the broker just after the first event was stored, and what had been put everywhere before. */
async function outlives(t: Test, broker: Broker): Promise<void> {
  const logged: string[] = []
  const host: StoreHost = {
    ...hostOf(),
    log: (level, _facts, text) => level !== 'debug' && logged.push(`${level}: ${text}`),
  }
  const store = await amqp({ url: broker.url, space: newSpace() }).openStore(host)
  t.teardown(() => store.close())
  const slow = await served(store, subscription({ name: 'shop.slow', concurrency: 1 }))
  const inbox = await served(
    store,
    subscription(),
    new Inbox(({ event, attempt }) => verdictOf(event.message.n, attempt)),
  )
  await appendAll(store, [sample(-1), sample(-2, { retain: true, key: 'k' })])
  while ((await store.admin.report()).subscriptions.find(({ name }) => name === 'shop.all')?.dead !== 1) await sleep(10)
  const numbers = Array.from({ length: 400 }, (_, n) => n)
  let stored = 0
  const appends = numbers.map(async (n) => {
    await sleep(n)
    await store.append(sample(n), soon(60_000))
    stored++
  })
  while (stored < 100) await sleep(1)
  await broker.kill()
  await broker.restart()
  await Promise.all(appends)
  const isThere = (n: number) =>
    inbox.all.some(({ event, attempt }) => event.message.n === n && (n !== -2 || attempt === 2))
  while (![...numbers, -2].every(isThere)) await inbox.next(20_000)
  t.pass('every event came')
  const [under] = slow.all
  const isAgain = () => slow.all.filter(({ event }) => event.id === under?.event.id).length > 1
  for (let one = await slow.next(); !isAgain(); one = await slow.next()) await one.end({ kind: 'done' })
  t.pass('what was under way came again')
  t.strictSame(
    (await store.admin.deadLetters({ limit: 9 })).map(({ event }) => event.message.n),
    [-1],
  )
  t.strictSame(
    (await store.retained(() => true)).map(({ message }) => message.n),
    [-2],
  )
  t.strictSame(logged, [
    'warn: The store is lost. What is emitted waits until it is there again.',
    'info: The store is there again.',
  ])
}

/** -1 dies; -2 fails at first, and waits while the broker is away. */
function verdictOf(n: unknown, attempt: number) {
  if (n === -1) return { kind: 'dead', failures: [failure(1)] } as const
  return n === -2 && attempt === 1
    ? ({ kind: 'again', afterMs: 2_000, failure: failure(1) } as const)
    : ({ kind: 'done' } as const)
}

/** What a headers exchange does (`x-match: all`), as documented. */
function lets(binding: Headers, headers: Headers): boolean {
  return Object.entries(binding).every(([name, value]) => {
    if (name.startsWith('x-')) return true
    return Object.hasOwn(headers, name) && (value === null || headers[name] === value)
  })
}

async function firstOffset(channel: amqplib.Channel, stream: string): Promise<number> {
  await channel.prefetch(1)
  return new Promise((resolve, reject) => {
    channel
      .consume(stream, (message) => resolve(Number(message?.properties.headers?.['x-stream-offset'])), {
        arguments: { 'x-stream-offset': 'first' },
      })
      .catch(reject)
  })
}

async function refused(t: Test, promise: Promise<unknown>, code: string, text = /./): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  )
  t.ok(error instanceof LuciliusError, 'it is refused')
  if (!(error instanceof LuciliusError)) return
  t.equal(error.code, code)
  t.match(error.message, text)
}
