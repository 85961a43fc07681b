import { getEventListeners } from 'node:events'
import vm from 'node:vm'
import t from 'tap'
import { lucilius } from '../../lib/index.js'
import { inProcess } from '../../transports/in-process/index.js'
import { gate } from './eventually.js'
import { failureOf } from './failure.js'
import { recordingLogger } from './recording-logger.js'

t.test('every form of act sends the same message', async (t) => {
  const app = lucilius()
  app.add('a:1', (message) => message)
  const expected = { a: 1, b: 'two' }
  t.strictSame(await app.act('a:1,b:two'), expected)
  t.strictSame(await app.act('a:1', { b: 'two' }), expected)
  t.strictSame(await app.act('a:1,b:two', undefined), expected)
  t.strictSame(await app.act('a:1', { b: 'two' }, {}), expected)
  t.strictSame(await app.act('a:1,b:two', undefined, { timeoutMs: 1000 }), expected)
  t.strictSame(await app.act({ a: 1, b: 'two' }), expected)
  t.strictSame(await app.act({ a: 1 }, { b: 'two' }), expected)
  t.strictSame(await app.act({ a: 1, b: 'two' }, undefined, { timeoutMs: 1000 }), expected)
  t.strictSame(await app.act(' a : 1 \n b : two '), expected)
  await app.close()
})

t.test('a pattern may be written in any order and as an object, with the options before the handler', async (t) => {
  const app = lucilius()
  app.add('b:2, a:1', () => 'text')
  t.equal(await app.act('a:1,b:2'), 'text')
  app.add({ a: 1, b: 2 }, () => 'object')
  t.equal(await app.act('b:2,a:1'), 'object', 'the same pattern: the new one stands in front')
  app.add('c:3', { timeoutMs: 1000, idempotent: true }, () => 'options')
  t.equal(await app.act('c:3'), 'options')
  t.strictSame(
    app.list().map(({ pattern }) => pattern),
    ['a:1,b:2', 'a:1,b:2', 'c:3'],
  )
  await app.close()
})

t.test('a registration can be removed, twice without harm, and by using it', async (t) => {
  const app = lucilius()
  const first = app.add('a:1', () => 'first')
  const second = app.add('a:1', () => 'second')
  second.remove()
  second.remove()
  t.equal(await app.act('a:1'), 'first')
  first[Symbol.dispose]()
  t.match(await failureOf(app.act('a:1')), { code: 'LUC_ACTION_NOT_FOUND' })
  {
    using third = app.add('a:1', () => 'third')
    t.ok(third)
    t.equal(await app.act('a:1'), 'third')
  }
  t.equal(app.find('a:1'), undefined)
  await app.close()
})

t.test('taking the older action out of a chain leaves the newer one', async (t) => {
  const app = lucilius()
  const old = app.add('a:1', () => 'old')
  app.add('a:1', async (_, { prior }) => ['new', (await prior()) ?? 'end'])
  t.strictSame(await app.act('a:1'), ['new', 'old'])
  old.remove()
  t.strictSame(await app.act('a:1'), ['new', 'end'])
  await app.close()
})

t.test('act never throws: every mistake is a rejection', async (t) => {
  const app = lucilius()
  app.add('a:1', () => 1)
  const wrong: [unknown, unknown?, unknown?][] = [
    ['a'],
    ['a:b:c'],
    ['a:'],
    [undefined],
    [null],
    [5],
    [[]],
    ['a:1', 5],
    ['a:1', {}, 5],
    ['a:1', {}, null],
    ['a:1', {}, []],
    ['a:1', {}, { timeout: 5 }],
    ['a:1', {}, { timeoutMs: 0 }],
    ['a:1', {}, { timeoutMs: -1 }],
    ['a:1', {}, { timeoutMs: '5' }],
    ['a:1', {}, { timeoutMs: Number.NaN }],
    ['a:1', {}, { timeoutMs: Number.POSITIVE_INFINITY }],
    ['a:1', {}, { signal: {} }],
    ['a:1', {}, { exact: 'yes' }],
    ['a:1', {}, { identity: () => 1 }],
  ]
  for (const ready of ['before', 'after']) {
    for (const args of wrong) {
      let sent: Promise<unknown> | undefined
      t.doesNotThrow(() => {
        sent = app.act(...(args as [string]))
      }, ready)
      const error = await failureOf(sent as Promise<unknown>)
      t.match(
        error.code,
        /^LUC_(PATTERN|MESSAGE|OPTIONS)_INVALID$|^LUC_NOT_PORTABLE$/,
        `${ready}: ${JSON.stringify(args)}`,
      )
      t.equal(error.handled, 'no')
    }
    await app.ready()
  }
  await app.close()
})

t.test('a handler may be sync or async, throw or reject, and settles once', async (t) => {
  const app = lucilius()
  app.add('how:sync', () => 'sync')
  app.add('how:async', async () => 'async')
  // biome-ignore lint/suspicious/noThenProperty: thenables are what this is about
  app.add('how:thenable', () => ({ then: (done: (value: string) => void) => done('thenable') }))
  app.add('how:twice', () => ({
    // biome-ignore lint/suspicious/noThenProperty: one that settles twice
    then: (done: (value: string) => void, fail: (error: Error) => void) => {
      done('first')
      done('second')
      fail(new Error('third'))
    },
  }))
  app.add('how:inside', () => ({
    // biome-ignore lint/suspicious/noThenProperty: one that throws when it is asked
    then: () => {
      throw new Error('broken')
    },
  }))
  app.add('how:getter', () =>
    Object.defineProperty({}, 'then', {
      get: () => {
        throw new Error('broken')
      },
    }),
  )
  app.add('how:throws', () => {
    throw new Error('x')
  })
  app.add('how:rejects', () => Promise.reject(new Error('x')))
  for (const how of ['sync', 'async', 'thenable']) t.equal(await app.act({ how }), how)
  t.equal(await app.act('how:twice'), 'first')
  for (const how of ['inside', 'getter', 'throws', 'rejects']) {
    t.match(await failureOf(app.act({ how })), { code: 'LUC_ACTION_FAILED', handled: /^yes$/ }, how)
  }
  await app.close()
})

t.test('a handler that was written for callbacks is no trap: its second argument is no function', async (t) => {
  const app = lucilius()
  app.add('a:1', (_message, reply) => {
    ;(reply as unknown as (error: null, value: number) => void)(null, 1)
  })
  t.match(await failureOf(app.act('a:1')), { code: 'LUC_ACTION_FAILED' })
  await app.close()
})

t.test('messages of another realm and without a prototype are plain objects', async (t) => {
  const app = lucilius()
  app.add('a:1', (message) => message)
  t.strictSame(await app.act(Object.assign(Object.create(null), { a: 1, b: 2 })), { a: 1, b: 2 })
  t.strictSame(await app.act('a:1', vm.runInNewContext('({ b: 2, c: [1, { d: 3 }] })')), {
    b: 2,
    c: [1, { d: 3 }],
    a: 1,
  })
  app.add(Object.assign(Object.create(null), { z: 1 }), () => 'z')
  t.equal(await app.act('z:1'), 'z')
  await app.close()
})

t.test('inherited properties neither match nor arrive', async (t) => {
  const app = lucilius({ parity: 'off' })
  app.add('a:1', (message) => Object.keys(message))
  t.match(await failureOf(app.act(Object.create({ a: 1 }))), { code: 'LUC_MESSAGE_INVALID' })
  Object.defineProperty(Object.prototype, 'polluted', {
    value: 'x',
    enumerable: true,
    configurable: true,
    writable: true,
  })
  try {
    t.strictSame(await app.act('a:1', { b: 2 }), ['b', 'a'])
    t.strictSame(await app.act({ a: 1 }), ['a'])
    t.strictSame(await app.act('a:1'), ['a'])
  } finally {
    delete (Object.prototype as { polluted?: string }).polluted
  }
  await app.close()
})

t.test('a Proxy or a getter as a message does no harm', async (t) => {
  for (const parity of ['strict', 'off'] as const) {
    const app = lucilius({ parity })
    app.add('a:1', () => 'fine')
    app.add('a:2', () => 'another')
    let reads = 0
    const fickle = new Proxy({ a: 1 }, { get: (_, key) => (key === 'a' ? (reads++ % 2) + 1 : undefined) })
    const throwing = new Proxy(
      { a: 1 },
      {
        get: () => {
          throw new Error('no')
        },
        ownKeys: () => {
          throw new Error('no')
        },
      },
    )
    const getter = {
      get a() {
        throw new Error('no')
      },
    }
    const outcomes = [
      app.act(fickle),
      app.act('a:1', fickle),
      app.act(throwing),
      app.act('a:1', throwing),
      app.act(getter as never),
      app.act('a:1', getter as never),
      app.act('a:1', {
        get b() {
          return 1
        },
      }),
    ]
    for (const outcome of await Promise.allSettled(outcomes)) {
      if (outcome.status === 'fulfilled') t.match(outcome.value, /fine|another/)
      // Without parity nothing is checked, so what a getter throws is what the caller gets.
      else if (parity === 'off') t.ok(outcome.reason instanceof Error)
      else t.match(outcome.reason, { code: /^LUC_(NOT_PORTABLE|MESSAGE_INVALID)$/, handled: /^no$/ })
    }
    t.equal(await app.act('a:1'), 'fine')
    await app.close()
  }
})

t.test('a handler that never settles frees its place', async (t) => {
  const app = lucilius({ drainMs: 60_000 })
  app.add('a:1', () => new Promise(() => {}))
  t.match(await failureOf(app.act('a:1', {}, { timeoutMs: 30 })), { code: 'LUC_DEADLINE_EXCEEDED' })
  const began = performance.now()
  await app.close()
  t.ok(performance.now() - began < 1000, 'close has nothing to wait for')
})

t.test('a settled act leaves nothing behind on the signal of its caller', async (t) => {
  const app = lucilius({ park: { unknown: true } })
  app.add('a:1', () => 1)
  app.add('a:2', () => Promise.reject(new Error('x')))
  const { signal } = new AbortController()
  await app.act('a:1', {}, { signal })
  await app.act('a:1', {}, { signal })
  await failureOf(app.act('a:2', {}, { signal }))
  const parked = app.act('b:1', {}, { signal })
  await failureOf(app.act('c:1', {}, { signal, timeoutMs: 30 }))
  app.add('b:1', () => 'late')
  t.equal(await parked, 'late')
  t.equal(getEventListeners(signal, 'abort').length, 0)
  await app.close()
})

t.test('with park.unknown an act waits for its action, and ends when none comes', async (t) => {
  const app = lucilius({ park: { unknown: true, max: 1 } })
  const waiting = app.act('a:1')
  await app.ready()
  await new Promise((resolve) => setImmediate(resolve))
  t.match(await failureOf(app.act('b:1')), { code: 'LUC_OVERLOADED', handled: /^no$/ })
  app.add('a:1', () => 'there')
  t.equal(await waiting, 'there')
  const error = await failureOf(app.act('b:1', {}, { timeoutMs: 30 }))
  t.match(error, { code: 'LUC_UNREACHABLE', handled: /^no$/, retryable: true })
  await app.close()
})

t.test('an act that outlives the handler that made it goes on for the time that was left', async (t) => {
  const app = lucilius()
  const held = gate()
  const seen: unknown[] = []
  app.add('a:1', (_, { act }) => {
    void act('a:2').then((reply) => seen.push(reply))
    return 'early'
  })
  app.add('a:2', async () => {
    await held.opened
    return 'late'
  })
  t.equal(await app.act('a:1'), 'early')
  held.open()
  await app.close()
  t.strictSame(seen, ['late'], 'and close waits for it')
})

t.test('an act made after its handler ended is bounded by the deadline that was left', async (t) => {
  const app = lucilius()
  let later: ((pattern: string) => Promise<unknown>) | undefined
  app.add('a:1', (_, { act }) => {
    later = act
  })
  app.add('a:2', (_, { meta }) => meta.deadline - Date.now())
  await app.act('a:1', {}, { timeoutMs: 500 })
  t.ok(((await later?.('a:2')) as number) <= 550)
  app.add('a:3', (_, { act }) => {
    later = act
    return new Promise(() => {})
  })
  await failureOf(app.act('a:3', {}, { timeoutMs: 30 }))
  t.match(await failureOf(later?.('a:2') as Promise<unknown>), { code: 'LUC_DEADLINE_EXCEEDED', handled: /^no$/ })
  await app.close()
})

t.test('all functions of the app may be taken apart', async (t) => {
  const { add, act, find, close, emit, on, wrap, list, explain } = lucilius()
  add('a:1', () => 1)
  on('e:1', () => {})
  wrap('a:1', (next) => next)
  await emit('e:1')
  t.equal(await act('a:1'), 1)
  t.ok(find('a:1') && list().length === 1 && explain('a:1').winner)
  await close()
})

t.test(
  'acts that wait for somebody who is not connected are told, a line for each pattern, without data',
  async (t) => {
    const { logger, lines } = recordingLogger()
    const place = inProcess()
    const rates = lucilius({ name: 'rates' })
    rates.add('role:rates,cmd:get', () => 1)
    const { url } = await rates.listen(place, { expose: '*' })
    const shop = lucilius({ name: 'shop', logger, park: { unknown: true } })
    await shop.connect(inProcess({ url }))
    const quick = shop.act('role:quick', { secret: 1 })
    shop.add('role:quick', () => 'here')
    t.equal(await quick, 'here')
    await rates.close()

    const limit = { timeoutMs: 1150 }
    const waiting = [
      shop.act('role:rates,cmd:get', { secret: 1 }, limit), // it was there, and is lost
      shop.act('role:stock,cmd:find', { secret: 1 }, limit), // it was never there
      shop.act('role:stock,cmd:find', { secret: 2 }, limit),
      shop.act({ role: 'mail', secret: 3 }, undefined, limit), // a message, and no pattern beside it
    ]
    for (const one of waiting) t.equal((await failureOf(one)).code, 'LUC_UNREACHABLE')
    t.strictSame(
      lines('warn')
        .map(({ msg }) => String(msg))
        .filter((msg) => msg.includes(' waits: ')),
      ['cmd:get,role:rates', 'role:stock,cmd:find', 'a message with role, secret'].map(
        (what) => `${what} waits: nobody who answers it is connected`,
      ),
    )
    await shop.close()
  },
)
