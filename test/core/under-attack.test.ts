import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { lucilius } from '../../lib/index.js'
import { type Announcement, type Connection, type Observer, type Transport, toMeta } from '../../lib/transport-kit.js'
import { inProcess } from '../../transports/in-process/index.js'
import { eventually, gate } from './eventually.js'
import { failureOf } from './failure.js'
import { recordingLogger } from './recording-logger.js'

const announcement: Announcement = {
  wire: 1,
  name: 'far',
  instance: 'far-1',
  draining: false,
  actions: [{ pattern: 'far:1', service: 'far' }],
  subscriptions: [],
}

/** A transport whose other end is written by hand. */
function byHand(connect: (observer: Observer) => Connection, listen: Transport['listen'] = unused): Transport {
  return { name: 'by-hand', local: true, listen, connect: async (observer) => connect(observer) }
}

async function unused(): Promise<never> {
  throw new Error('not used here')
}

for (const parity of ['strict', 'off'] as const) {
  t.test(`parity ${parity}: a lazy thenable does its work once`, async (t) => {
    const app = lucilius({ parity })
    let runs = 0
    // biome-ignore lint/suspicious/noThenProperty: this is what query builders are
    app.add('a:1', () => ({ then: (done: (reply: number) => void) => done(++runs) }))
    t.equal(await app.act('a:1'), 1)
    t.equal(runs, 1)
    await app.close()
  })

  t.test(`parity ${parity}: whatever is returned or thrown settles the act at once, and nothing runs on`, async (t) => {
    const app = lucilius({ parity })
    const boom = () => {
      throw new Error('boom')
    }
    const answers: (() => unknown)[] = [
      // biome-ignore lint/suspicious/noThenProperty: what looks like a promise may be anything
      () => ({ then: boom }),
      () => Object.defineProperty({}, 'then', { get: boom }),
      () => {
        throw new Proxy({}, { has: boom, get: boom, getPrototypeOf: boom })
      },
      () => Promise.reject(new Proxy({}, { has: boom, get: boom, getPrototypeOf: boom })),
      () => Promise.reject(Object.create(null)),
    ]
    for (const [n, answer] of answers.entries()) {
      app.add({ a: n }, answer)
      t.match(await failureOf(app.act({ a: n })), { code: 'LUC_ACTION_FAILED', handled: 'yes' }, `answer ${n}`)
    }
    await app.close()
  })

  t.test(`parity ${parity}: a nested act has the time of the act around it, here and elsewhere alike`, async (t) => {
    const timeoutMs = 60
    const [one, other] = [lucilius({ parity, timeoutMs }), lucilius({ parity, timeoutMs })]
    const slow = () => new Promise((resolve) => setTimeout(resolve, 150, 'done'))
    const never = () => new Promise(() => {})
    one.add('at:here', slow)
    other.add('at:there', slow)
    one.add('never:here', { timeoutMs: 100 }, never)
    other.add('never:there', { timeoutMs: 100 }, never)
    one.add('outer:1', ({ message }, { act }) => act(message as string))
    one.wrap('wrapped:1', { at: 'caller' }, (next) => (message, context) => next(message, context))
    one.add('wrapped:1', { timeoutMs: 100 }, never)
    const { url } = await other.listen(inProcess(), { expose: '*' })
    await one.connect(inProcess({ url }))
    const outer = (message: string) => one.act('outer:1', { message }, { timeoutMs: 5000 })
    t.equal(await outer('at:here'), 'done')
    t.equal(await outer('at:there'), 'done')
    for (const message of ['never:here', 'never:there']) {
      t.strictSame((await failureOf(outer(message))).details, { cause: 'LUC_DEADLINE_EXCEEDED' }, message)
    }
    t.equal((await failureOf(one.act('wrapped:1', {}, { timeoutMs: 5000 }))).code, 'LUC_DEADLINE_EXCEEDED')
    await one.close()
    await other.close()
  })
}

t.test('an act that outlives its handler keeps the deadline that it inherited, whatever it asked for', async (t) => {
  const app = lucilius()
  app.add('never:1', () => new Promise(() => {}))
  let left: Promise<unknown> = Promise.resolve()
  app.add('a:1', async (_, { act }) => {
    left = failureOf(act('never:1', {}, { timeoutMs: 60_000 }))
    await new Promise((resolve) => setTimeout(resolve, 40))
  })
  await app.act('a:1', {}, { timeoutMs: 150 })
  t.match(await left, { code: 'LUC_DEADLINE_EXCEEDED' })
  await app.close()
})

t.test(
  'a handler that goes on after it has settled starts nothing when its time is up or its app is closed',
  async (t) => {
    const app = lucilius()
    const later = gate()
    const acts: Promise<unknown>[] = []
    let runs = 0
    app.add('b:1', () => ++runs)
    app.add('a:1', async (_, { act }) => {
      acts.push(later.opened.then(() => failureOf(act('b:1'))))
      await new Promise((resolve) => setTimeout(resolve, 40))
    })
    await app.act('a:1', {}, { timeoutMs: 60 })
    await new Promise((resolve) => setTimeout(resolve, 60))
    later.open()
    t.match(await Promise.all(acts), [{ code: 'LUC_DEADLINE_EXCEEDED', handled: 'no' }])

    const closed = gate()
    app.add('c:1', (_, { act }) => void acts.push(closed.opened.then(() => failureOf(act('b:1')))))
    await app.act('c:1')
    await app.close()
    closed.open()
    t.match(await acts[1], { code: 'LUC_SERVICE_CLOSED', handled: 'no' })
    t.equal(runs, 0)
  },
)

t.test('a wrap that used up the time does not start the handler', async (t) => {
  const app = lucilius()
  const [late, done] = [gate(), gate()]
  let runs = 0
  app.add('a:1', () => ++runs)
  app.wrap('a:1', (next) => async (message, context) => {
    await late.opened
    try {
      return await next(message, context)
    } finally {
      done.open()
    }
  })
  t.match(await failureOf(app.act('a:1', {}, { timeoutMs: 20 })), { code: 'LUC_DEADLINE_EXCEEDED' })
  late.open()
  await done.opened
  t.equal(runs, 0)
  await app.close()
})

t.test('a parked act keeps to maxTimeoutMs, to a signal that has aborted, and to the end of the app', async (t) => {
  const app = lucilius({ park: { unknown: true }, maxTimeoutMs: 50 })
  await app.ready()
  t.match(await failureOf(app.act('a:1', {}, { timeoutMs: 60_000 })), { code: 'LUC_UNREACHABLE', handled: 'no' })
  const signal = AbortSignal.abort()
  t.match(await failureOf(app.act('a:1', {}, { signal })), { code: 'LUC_CANCELLED', handled: 'no' })
  const parked = failureOf(app.act('a:1'))
  await app.close()
  t.match(await parked, { code: 'LUC_SERVICE_CLOSED', handled: 'no' })
})

t.test('a cancel hook that throws stops neither the acts beside it nor the clock', async (t) => {
  const app = lucilius()
  const far = byHand((observer) => {
    observer.hear(announcement)
    const carry: Connection['carry'] = (_, call) => {
      call.onCancel = () => {
        throw new Error('hook')
      }
      return new Promise(() => {})
    }
    return { carry, close: async () => {} }
  })
  await app.connect(far)
  app.add('never:1', () => new Promise(() => {}))
  app.add('a:1', (_, { act }) => Promise.all([act('far:1'), act('never:1')]))
  for (const message of ['a:1', 'far:1', 'never:1']) {
    t.match(await failureOf(app.act(message, {}, { timeoutMs: 20 })), { code: 'LUC_DEADLINE_EXCEEDED' }, message)
  }
  await app.close()
})

t.test('a connection that is lost in the turn in which it came about is made again', async (t) => {
  const [app, far] = [lucilius(), lucilius()]
  far.add('far:1', () => 'here')
  await app.ready()
  const transport = inProcess()
  let tries = 0
  const flaky = byHand((observer) => {
    observer.hear(announcement)
    if (++tries === 1) observer.lost()
    return { carry: async () => ({ reply: tries }), close: async () => {} }
  })
  await app.connect(flaky)
  t.equal(await app.act('far:1'), 2)

  const listener = await far.listen(transport, { expose: '*' })
  const connected = app.connect(transport)
  await listener.close()
  await far.listen(transport, { expose: '*' })
  t.ok((await connected).peer)
  await app.close()
  await far.close()
})

t.test('a peer that tells what cannot be taken is parted from, and nothing crashes', async (t) => {
  const [app, far] = [lucilius(), lucilius()]
  far.add('far:1', () => 'here')
  const transport = inProcess()
  await far.listen(transport, { expose: '*' })
  await app.connect(transport)
  const many = Array.from({ length: 10_000 }, (_, n) => far.add({ many: n }, () => n))
  await eventually(() => app.find('far:1') !== undefined && app.list().length <= 1)
  for (const one of many) one.remove()
  t.equal(await app.act('far:1'), 'here')
  await app.close()
  await far.close()
})

t.test('a listener for clients tells them nothing, and takes nothing from them', async (t) => {
  const [bank, mallory] = [lucilius({ name: 'bank' }), lucilius({ name: 'mallory' })]
  bank.add('secret:1', () => 1)
  mallory.add('role:bank,cmd:pay', () => 'stolen')
  const transport = inProcess()
  await bank.listen(transport, { expose: '*', audience: 'clients' })
  t.match(await failureOf(mallory.connect(transport, { expose: '*' })), { code: 'LUC_FORBIDDEN' })
  t.strictSame(mallory.list('secret:1'), [])
  t.match(await failureOf(bank.act('role:bank,cmd:pay')), { code: 'LUC_ACTION_NOT_FOUND' })
  await mallory.connect(transport, { patterns: ['secret:1'] })
  t.equal(await mallory.act('secret:1'), 1)
  await mallory.close()
  await bank.close()
})

t.test('a listener within the process asks who connects, where it is told to', async (t) => {
  const [app, one, other] = [lucilius(), lucilius(), lucilius()]
  app.add('a:1', () => 1)
  const transport = inProcess()
  const auth = { authorization: 'Bearer right', authenticate: () => true }
  const authenticate = ({ headers }: { headers: { authorization?: unknown } }) =>
    headers.authorization === auth.authorization
  await app.listen(transport, { expose: '*', auth: authenticate })
  const wrong = other.connect(transport, { auth: { ...auth, authorization: 'Bearer wrong' } })
  t.match(await failureOf(wrong), { code: 'LUC_UNAUTHENTICATED' })
  await one.connect(transport, { auth })
  t.equal(await one.act('a:1'), 1)
  t.strictSame(other.list(), [])
  for (const each of [one, other, app]) await each.close()
})

t.test('what cannot be closed does not keep the rest open', async (t) => {
  const app = lucilius()
  const closed: string[] = []
  await app.listen(
    byHand(unusedConnect, async () => ({ url: 'x:1', close: async () => void closed.push('listener') })),
    { expose: '*' },
  )
  await app.connect(
    byHand((observer) => {
      observer.hear(announcement)
      const close = async () => {
        throw new Error('cannot')
      }
      return { carry: async () => ({}), close }
    }),
  )
  await t.rejects(app.close(), { message: 'cannot' })
  t.strictSame(closed, ['listener'])
})

function unusedConnect(): never {
  throw new Error('not used here')
}

t.test('a listener that opens while the app closes is closed, too', async (t) => {
  const app = lucilius()
  await app.ready()
  const opened = gate()
  let closes = 0
  const slow = byHand(unusedConnect, async () => {
    await opened.opened
    return { url: 'slow:1', close: async () => void closes++ }
  })
  const listening = failureOf(app.listen(slow, { expose: '*' }))
  await new Promise((resolve) => setImmediate(resolve))
  await app.close()
  opened.open()
  t.match(await listening, { code: 'LUC_SERVICE_CLOSED' })
  t.equal(closes, 1)
})

t.test('an app whose start failed connects to nobody', async (t) => {
  const app = lucilius()
  app.use(() => {
    throw new Error('no')
  })
  await failureOf(app.ready())
  t.match(await failureOf(app.connect(inProcess(), { wait: false })), { code: 'LUC_PLUGIN_FAILED' })
})

t.test('a set-up or hook that throws what has no text fails the start, at once', async (t) => {
  for (const way of ['use', 'onReady'] as const) {
    const app = lucilius()
    app[way](async () => {
      throw Object.create(null)
    })
    t.match(await failureOf(app.ready()), { code: 'LUC_PLUGIN_FAILED' }, way)
  }
})

t.test('durations that no timer of Node can hold are not taken for none', async (t) => {
  const app = lucilius({ drainMs: 1e12, forgetMs: 1e12 })
  const finish = gate()
  app.add('a:1', () => finish.opened.then(() => 'done'))
  await app.ready()
  const reply = app.act('a:1')
  const closing = app.close()
  setTimeout(() => finish.open(), 10)
  t.equal(await reply, 'done')
  await closing
})

t.test('a logger that throws fails neither the start, nor an act, nor a connection', async (t) => {
  const fail = () => {
    throw new Error('log')
  }
  const logger = { trace: fail, debug: fail, info: fail, warn: fail, error: fail, fatal: fail, child: fail }
  const [app, far] = [lucilius({ logger }), lucilius({ logger })]
  app.add('b:1', () => 2)
  app.add('a:1', () => app.act('b:1'))
  far.add('far:1', () => 3)
  const { url } = await far.listen(inProcess(), { expose: '*' })
  await app.connect(inProcess({ url }))
  t.equal(await app.act('a:1'), 2)
  t.equal(await app.act('far:1'), 3)
  await app.close()
  await far.close()
})

t.test('options of the wrong kind are refused in our words, also odd ones', async (t) => {
  const odd = [null, 1n, Symbol('s'), Object.create(null), [], () => {}]
  for (const value of odd) {
    for (const key of ['timeoutMs', 'maxHops', 'parity', 'drainMs']) {
      t.throws(() => lucilius({ [key]: value }), { code: 'LUC_OPTIONS_INVALID' }, `${key}: ${typeof value}`)
    }
  }
  const app = lucilius()
  for (const [key, value] of [
    ['patterns', 'a:1'],
    ['patterns', null],
    ['auth', 'secret'],
    ['wait', 'no'],
  ]) {
    const connecting = app.connect(inProcess(), { wait: false, [String(key)]: value })
    t.match(await failureOf(connecting), { code: 'LUC_OPTIONS_INVALID' }, `${key}: ${value}`)
  }
  await app.close()
})

t.test('a remaining time that is no number is refused: a deadline made of it would never come', async (t) => {
  for (const timeoutMs of [Number.NaN, -1, '100', null])
    t.throws(() => toMeta({ timeoutMs }), { code: 'LUC_WIRE_INVALID' })
  t.strictSame(toMeta({ timeoutMs: 0 }), { timeoutMs: 0 })
})

t.test(
  'who gives up at once and asks again piles up no more work than is allowed, and only of that action',
  async (t) => {
    const { logger, lines } = recordingLogger()
    const far = lucilius({ name: 'far', maxAbandoned: 3, logger })
    const { opened, open } = gate()
    let runs = 0
    far.add('far:slow', async () => {
      runs++
      await opened
      return 'done'
    })
    far.add('far:quick', () => 'quick')
    const transport = inProcess()
    await far.listen(transport, { expose: ['far:slow', 'far:quick'] })
    const near = lucilius()
    await near.connect(transport)

    for (let i = 1; i <= 3; i++) {
      const controller = new AbortController()
      const act = failureOf(near.act('far:slow', {}, { signal: controller.signal }))
      await eventually(() => runs === i)
      controller.abort()
      t.match(await act, { code: 'LUC_CANCELLED' })
    }
    t.match(await failureOf(near.act('far:slow')), { code: 'LUC_OVERLOADED', handled: 'no', retryable: true })
    await failureOf(near.act('far:slow'))
    t.equal(runs, 3)
    t.equal(await near.act('far:quick'), 'quick')
    t.match(lines('warn'), [{ pattern: 'far:slow', abandoned: 3 }], 'the log says so, once')

    open()
    t.equal(await near.act('far:slow'), 'done', 'it is taken again when those runs have ended')
    await near.close()
    await far.close()
  },
)

t.test('a peer whose connections do not last is not chased', async (t) => {
  let now = 1_000_000
  t.intercept(performance, 'now', { value: () => now })
  t.intercept(Math, 'random', { value: () => 0.5 }) // Waits of 20 ms at first, of 2,500 ms later.
  let tries = 0
  let losses = 0
  const transport = byHand((observer) => {
    tries++
    observer.hear(announcement)
    setImmediate(() => {
      observer.lost()
      losses++
    })
    return { carry: async () => ({ reply: 'done' }), close: async () => {} }
  })
  const app = lucilius()
  await app.connect(transport)
  await eventually(() => losses >= 3)
  t.equal(tries, losses, 'the next try is to come')
  now += 6000
  await eventually(() => losses >= 4)
  await pause(150)
  t.equal(tries, 4)
  await app.close()
})

t.test('equal peers are asked in turn, also beside one that is away or connected twice', async (t) => {
  const asked: string[] = []
  const far = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      const app = lucilius({ name: 'far' })
      app.add('far:1', () => void asked.push(name))
      const transport = inProcess()
      await app.listen(transport, { expose: ['far:1'] })
      return { app, transport }
    }),
  )
  const near = lucilius()
  const [first] = far
  for (const { transport } of far) await near.connect(transport)
  if (first !== undefined) await near.connect(first.transport)
  const shares = async (times: number) => {
    asked.length = 0
    for (let i = 0; i < times; i++) await near.act('far:1')
    return ['a', 'b', 'c'].map((name) => asked.filter((one) => one === name).length)
  }
  t.strictSame(await shares(30), [10, 10, 10])
  await first?.app.close()
  t.strictSame(await shares(30), [0, 15, 15])
  await near.close()
  for (const { app } of far) await app.close()
})

t.test('events of clients run within a bound; what their observers give back is nobody’s business', async (t) => {
  const { logger, lines } = recordingLogger()
  const app = lucilius({ logger, maxClientEvents: 3, parity: 'strict' })
  const { opened, open } = gate()
  let runs = 0
  const subscription = app.on('door:1', async () => {
    runs += 1
    await opened
    return new Map()
  })
  let client: Observer | undefined
  const listen: Transport['listen'] = async (receiver) => {
    client = receiver.accept(undefined, {})
    return { url: 'by-hand:', close: async () => {} }
  }
  await app.listen(byHand(unusedConnect, listen), { audience: 'clients', expose: [], events: { in: ['door:1'] } })
  const emit = () =>
    client?.receive({ kind: 'event', message: { door: 1 }, meta: {}, services: [] }, { onCancel: undefined })
  const outcomes = await Promise.all([1, 2, 3, 4, 5].map(emit))
  const refused = { error: { code: 'LUC_OVERLOADED', handled: 'no' } }
  t.match(outcomes, [{}, {}, {}, refused, refused])
  t.equal(runs, 3)
  open()
  await new Promise((resolve) => setImmediate(resolve))
  t.notMatch(await emit(), refused, 'they are taken again when those have ended')
  await app.close()
  t.equal(runs, 4)
  t.equal(subscription.failures, 0)
  t.match(lines('warn'), [{ maxClientEvents: 3 }])
  t.strictSame(lines('error'), [])
})
