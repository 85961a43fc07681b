import t from 'tap'
import { mayMeet } from '../../lib/covers.js'
import { type Context, type Logger, LuciliusError, lucilius } from '../../lib/index.js'
import { toPattern } from '../../lib/pattern.js'
import { Peer } from '../../lib/peers/peer.js'
import type { AnnouncedAction, Announcement, Observer, Outcome, Receiver, Transport } from '../../lib/transport-kit.js'
import { log } from '../../plugins/log/index.js'
import { inProcess } from '../../transports/in-process/index.js'
import { eventually, gate } from './eventually.js'
import { failureOf } from './failure.js'

t.test('an act that outlives the handler which made it is waited for when the app closes', async (t) => {
  const app = lucilius()
  const held = gate()
  app.add('role:slow', () => held.opened)
  let outcome = 'none'
  app.add('role:quick', (_, { act }) => {
    act('role:slow').then(
      () => (outcome = 'replied'),
      (error) => (outcome = error.code),
    )
    return entered.opened
  })
  const entered = gate()
  await app.ready()
  const quick = app.act('role:quick')
  const closed = app.close()
  entered.open()
  await quick
  setImmediate(() => held.open())
  await closed
  t.equal(outcome, 'replied')
})

t.test(
  'a handler that goes on after it has settled acts no longer than its deadline, however fast it settled',
  async (t) => {
    for (const parity of ['strict', 'off'] as const) {
      const app = lucilius({ parity })
      let act: Context['act'] | undefined
      app.add('role:inner', () => 1)
      app.add('role:outer', (_, context) => {
        act = context.act as Context['act']
      })
      await app.ready()
      await app.act('role:outer', {}, { timeoutMs: 100 })
      t.equal(await act?.('role:inner'), 1, 'at once it may')
      const late = performance.now() + 160
      await eventually(() => performance.now() > late)
      const error = await failureOf(act?.('role:inner') as Promise<unknown>)
      t.match(error, { code: 'LUC_DEADLINE_EXCEEDED', handled: /^no$/ })
      await app.close()
    }
  },
)

t.test('an act whose time was up when the app became ready is not started', async (t) => {
  const app = lucilius()
  let runs = 0
  app.use({
    name: 'busy',
    setup: () => {
      const end = performance.now() + 5
      while (performance.now() < end) {}
    },
  })
  app.add('role:a', () => ++runs)
  const error = await failureOf(app.act('role:a', {}, { timeoutMs: 2 }))
  t.match(error, { code: 'LUC_DEADLINE_EXCEEDED', handled: /^no$/ })
  t.equal(runs, 0)
  await app.close()
})

t.test('an event that is emitted right before the app closes is observed to the end', async (t) => {
  const app = lucilius()
  const seen: boolean[] = []
  app.on('event:a', async (_, { signal }) => {
    await new Promise(setImmediate)
    seen.push(signal.aborted)
  })
  await app.ready()
  const emitted = app.emit('event:a')
  await app.close()
  await emitted
  t.strictSame(seen, [false])
})

t.test('strict parity finds getters and symbol keys among the first properties of an app that runs', async (t) => {
  const app = lucilius({ parity: 'strict' })
  app.add('a:1', () => 1)
  app.add('a:1,b:1', (_, { prior }) => prior(getter()))
  await app.ready()
  const getter = () => ({
    get x() {
      return 1
    },
  })
  const symbol = () => ({ [Symbol('x')]: 1 })
  for (const make of [getter, symbol]) {
    for (const sent of [
      () => app.act('a:1', make()),
      () => app.act({ a: 1 }, make()),
      () => app.act(Object.defineProperty(make(), 'a', { value: 1, enumerable: true }) as never),
      () => app.emit('a:1', make()),
    ]) {
      t.match(await failureOf(sent), { code: 'LUC_NOT_PORTABLE', handled: /^no$/ })
    }
  }
  const { details } = await failureOf(app.act('a:1,b:1'))
  t.strictSame(details, { cause: 'LUC_NOT_PORTABLE' }, 'in a message for a prior as well')
  await app.close()
})

t.test('exact takes an object whose undefined properties are as if they were not there', async (t) => {
  const app = lucilius()
  app.add('a:1', () => 'plain')
  app.add('a:1,b:2', () => 'special')
  await app.ready()
  t.equal(await app.act({ a: 1, c: undefined }, { b: 2 }, { exact: true }), 'plain')
  t.equal(await app.act({ a: 1, c: undefined }, { b: 2 }), 'special')
  await app.close()
})

t.test('patterns may meet if some message matches both', async (t) => {
  const meets = (a: string, b: string) => {
    const both = [mayMeet(toPattern(a), toPattern(b)), mayMeet(toPattern(b), toPattern(a))]
    return both.every(Boolean) || (both.some(Boolean) ? 'one way only' : false)
  }
  t.equal(meets('role:rates', 'event:changed'), true)
  t.equal(meets('role:rates,a:1', 'a:1,event:*'), true)
  t.equal(meets('role:r*', 'role:rates'), true)
  t.equal(meets('role:r*', 'role:*s'), true)
  t.equal(meets('', 'a:1'), true)
  t.equal(meets('role:rates', 'role:shop,a:1'), false)
  t.equal(meets('role:x*', 'role:rates'), false)
})

t.test('an event that a listener lets in reaches a subscription by other keys', async (t) => {
  const rates = lucilius({ name: 'rates' })
  const seen: unknown[] = []
  rates.on('event:changed', (message) => void seen.push(message.pair))
  const listener = await rates.listen(inProcess(), { expose: [], events: { in: ['role:rates'] } })
  const shop = lucilius({ name: 'shop' })
  await shop.connect(inProcess({ url: listener.url }))
  await shop.emit('role:rates,event:changed', { pair: 'usd_eur' })
  await eventually(() => seen.length > 0)
  t.strictSame(seen, ['usd_eur'])
  await shop.emit('role:shop,event:changed', { pair: 'hidden' })
  await shop.emit('role:rates,event:changed', { pair: 'last' })
  await eventually(() => seen.includes('last'))
  t.strictSame(seen, ['usd_eur', 'last'], 'and what is not let in does not')
  await shop.close()
  await rates.close()
})

t.test("a peer's own identity never stands for those on whose behalf it acts", async (t) => {
  const bank = lucilius({ name: 'bank' })
  bank.add('a:1', (_, { meta }) => meta.identity ?? 'nobody')
  const through = inProcess()
  const listening: Transport = {
    ...through,
    listen: (receiver: Receiver) =>
      through.listen({ ...receiver, accept: (connection) => receiver.accept(connection, { identity: 'shop' }) }),
  }
  const listener = await bank.listen(listening, { expose: '*' })
  const shop = lucilius({ name: 'shop' })
  await shop.connect(inProcess({ url: listener.url }))
  t.equal(await shop.act('a:1', {}, { identity: 'ada' }), 'ada')
  t.equal(await shop.act('a:1'), 'nobody', 'as if it ran in the same process')
  await shop.close()
  await bank.close()
})

t.test('a client that cannot be sent to is let go when it has gone', async (t) => {
  const lost: unknown[] = []
  const host = { lost: (peer: unknown) => void lost.push(peer) } as never
  const terms = { audience: 'clients', exposure: {} } as never
  const client = new Peer(host, terms, undefined)
  client.lost()
  t.strictSame(lost, [client])
  const connecting = new Peer(host, terms, undefined)
  connecting.onLost = () => t.fail('it was never up')
  connecting.lost()
  t.equal(lost.length, 1, 'one that still connects is not lost')
})

function announcing(...actions: AnnouncedAction[]): Announcement {
  return { wire: 1, name: 'far', instance: 'far-1', draining: false, actions, subscriptions: [] }
}

t.test('an action is tried again as soon as every peer says that it may be', async (t) => {
  const action = { pattern: 'far:1', service: 'far' }
  let observer: Observer | undefined
  const outcomes: (Outcome | Error)[] = []
  const transport: Transport = {
    name: 'by-hand',
    listen: async () => {
      throw new Error('not used here')
    },
    connect: async (near) => {
      observer = near
      near.hear(announcing(action))
      return {
        carry: async () => {
          const next = outcomes.shift()
          if (next instanceof Error) throw next
          return next ?? { reply: 'done' }
        },
        close: async () => {},
      }
    },
  }
  const app = lucilius()
  await app.connect(transport)
  outcomes.push(new LuciliusError('LUC_REPLY_LOST', 'lost'))
  t.match(await failureOf(app.act('far:1')), { code: 'LUC_REPLY_LOST' })
  observer?.hear(announcing({ ...action, idempotent: true }))
  outcomes.push(new LuciliusError('LUC_REPLY_LOST', 'lost'))
  t.equal(await app.act('far:1'), 'done')
  observer?.hear(announcing(action))
  outcomes.push(new LuciliusError('LUC_REPLY_LOST', 'lost'))
  t.match(await failureOf(app.act('far:1')), { code: 'LUC_REPLY_LOST' })
  await app.close()
})

t.test('a connection that nobody waits for says when it gives up', async (t) => {
  const lines: unknown[] = []
  const nothing = () => {}
  const logger: Logger = {
    trace: nothing,
    debug: nothing,
    info: nothing,
    warn: nothing,
    fatal: nothing,
    error: (_, text) => void lines.push(text),
    child: () => logger,
  }
  const app = lucilius({ logger })
  const connect = async () => {
    throw new LuciliusError('LUC_OPTIONS_INVALID', 'no such place')
  }
  const transport = { ...inProcess(), connect }
  t.match(await failureOf(app.connect(transport)), { code: 'LUC_OPTIONS_INVALID' })
  t.strictSame(lines, [], 'whoever waits hears of it')
  await app.connect(transport, { wait: false })
  await eventually(() => lines.length > 0)
  t.strictSame(lines, ['could not connect, and gave up'])
  await app.close()
})

t.test('a logger that throws costs its line, not the act that the log plugin tells of', async (t) => {
  const boom = () => {
    throw new Error('disk full')
  }
  const logger: Logger = { trace: boom, debug: boom, info: boom, warn: boom, error: boom, fatal: boom, child: boom }
  const app = lucilius()
  app.use(log({ logger }))
  app.add('a:1', () => 1)
  app.add('a:2', () => new Promise(() => {}))
  t.equal(await app.act('a:1'), 1)
  t.match(await failureOf(app.act('a:2', {}, { timeoutMs: 1 })), { code: 'LUC_DEADLINE_EXCEEDED' })
  await app.close()
})

t.test('what a forced close cuts off is named, the catch-all too', async (t) => {
  const app = lucilius({ name: 'shop', drainMs: 1 })
  app.add('', () => new Promise(() => {}))
  await app.ready()
  const cut = failureOf(app.act('a:1'))
  await app.close()
  t.match((await cut).message, "shop closed before The catch-all of 'shop' was done.")
})

t.test('a peer that was away for longer than forgetMs is learned again when it is back', async (t) => {
  const caller = lucilius({ forgetMs: 20 })
  const service = lucilius({ name: 'service' })
  service.add('a:1', () => 1)
  const transport = inProcess()
  const first = await service.listen(transport, { expose: '*' })
  await caller.connect(transport)
  await first.close()
  await eventually(() => caller.list().length === 0)
  await service.listen(transport, { expose: '*' })
  await eventually(() => caller.list('a:1').length === 1)
  t.equal(await caller.act('a:1'), 1)
  await caller.close()
  await service.close()
})

t.test('an onReady hook may listen', async (t) => {
  const app = lucilius()
  app.onReady(() => app.listen(inProcess(), { expose: '*' }))
  await t.resolves(app.ready())
  await app.close()
})

t.test('an act that nobody can be reached for is not handled, also within a wrap of the caller', async (t) => {
  const caller = lucilius()
  const service = lucilius({ name: 'service' })
  service.add('a:1', () => 1)
  const transport = inProcess()
  const listener = await service.listen(transport, { expose: '*' })
  await caller.connect(transport)
  caller.wrap('a:1', { at: 'caller' }, (next) => (message, context) => next(message, context))
  await listener.close()
  t.match(await failureOf(caller.act('a:1', {}, { timeoutMs: 30 })), { code: 'LUC_UNREACHABLE', handled: /^no$/ })
  await caller.close()
  await service.close()
})

t.test('a call that may have been done never ends as not handled, whatever its later tries say', async (t) => {
  const caller = lucilius()
  const service = lucilius({ name: 'service' })
  let done = 0
  service.add('a:1', { idempotent: true }, async () => {
    done++
    await listener.close()
    return 'lost on the way'
  })
  const transport = inProcess()
  const listener = await service.listen(transport, { expose: '*' })
  await caller.connect(transport)
  t.match(await failureOf(caller.act('a:1', {}, { timeoutMs: 150 })), { handled: /^unknown$/ })
  t.equal(done, 1)
  await caller.close()
  await service.close()
})
