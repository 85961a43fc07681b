import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import vm from 'node:vm'
import t from 'tap'
import { ActionError, type AppOptions, jsonLogger, lucilius } from '../../lib/index.js'
import { failureOf } from './failure.js'

type Line = { readonly level: number; readonly msg: string; readonly [key: string]: unknown }

/** A logger that keeps what is logged. */
function recorded(): { lines: Line[]; logger: NonNullable<AppOptions['logger']> } {
  const lines: Line[] = []
  return { lines, logger: jsonLogger({ level: 'debug', write: (line) => void lines.push(JSON.parse(line) as Line) }) }
}

const cycle: { self?: unknown } = {}
cycle.self = cycle

/** What JSON would change, with the path below `at` that the error names. */
const unportable: readonly [string, unknown, string][] = [
  ['a Date', new Date(0), ''],
  ['a Map', new Map([['a', 1]]), ''],
  ['a Set', new Set([1]), ''],
  ['a RegExp', /x/, ''],
  ['an Error', new Error('x'), ''],
  ['a class instance', new (class Rate {})(), ''],
  ['an object with a toJSON method', { toJSON: () => 1 }, ''],
  ['a Buffer', Buffer.from('x'), ''],
  ['a typed array', new Uint8Array(2), ''],
  ['a URL', new URL('http://localhost'), ''],
  ['a promise', Promise.resolve(1), ''],
  ['a boxed text', Object('x'), ''],
  ['a subclass of Array', new (class List extends Array {})(), ''],
  ['an array with more', Object.assign([1], { extra: 1 }), ''],
  ['a function', () => 1, ''],
  ['a symbol', Symbol('x'), ''],
  ['a bigint', 1n, ''],
  ['NaN', Number.NaN, ''],
  ['Infinity', Number.POSITIVE_INFINITY, ''],
  ['-Infinity', Number.NEGATIVE_INFINITY, ''],
  ['a symbol key', { [Symbol('x')]: 1 }, ''],
  [
    'a getter',
    {
      get x() {
        return 1
      },
    },
    '.x',
  ],
  ['a setter', { set x(_: number) {} }, '.x'],
  ['undefined in an array', [1, undefined], '[1]'],
  // biome-ignore lint/suspicious/noSparseArray: holes are what this is about
  ['a hole in an array', [1, , 3], '[1]'],
  ['a cycle', cycle, '.self'],
  ['a Date of another realm', vm.runInNewContext('new Date()'), ''],
  ['deep inside', { list: [{ ok: 1 }, { when: new Date() }] }, '.list[1].when'],
]

t.test('what JSON would change is refused in a message, with its path, and the handler does not run', async (t) => {
  const app = lucilius({ parity: 'strict' })
  let ran = 0
  app.add('a:1', () => ++ran)
  for (const [kind, value, below] of unportable) {
    for (const [path, act] of [
      ['at', () => app.act('a:1', { at: value })],
      ['at', () => app.act({ a: 1, at: value })],
      ['in.at', () => app.act('a:1', { in: { at: value } })],
      ['list[1]', () => app.act('a:1', { list: [0, value] })],
    ] as const) {
      const error = await failureOf(act())
      t.equal(error.code, 'LUC_NOT_PORTABLE', `${kind} at ${path}`)
      t.equal(error.handled, 'no')
      t.strictSame(error.details, { path: `${path}${below}` })
      t.ok(error.message.includes(`${path}${below}`), error.message)
    }
  }
  t.equal(ran, 0)
  await app.close()
})

t.test('what JSON would change is refused in the very first properties as well', async (t) => {
  const app = lucilius({ parity: 'strict' })
  app.add('a:1', () => 1)
  const getter = {
    get x() {
      return 1
    },
  }
  const symbol = { [Symbol('x')]: 1 }
  for (const [kind, data] of [
    ['a getter', getter],
    ['a symbol key', symbol],
  ] as const) {
    t.equal((await failureOf(app.act('a:1', data))).code, 'LUC_NOT_PORTABLE', `${kind} beside a pattern`)
    const whole = Object.defineProperty(data, 'a', { value: 1, enumerable: true })
    t.equal((await failureOf(app.act(whole as never))).code, 'LUC_NOT_PORTABLE', `${kind} in a whole message`)
    t.equal((await failureOf(app.act({ a: 1 }, data))).code, 'LUC_NOT_PORTABLE', `${kind} beside an object`)
  }
  await app.close()
})

t.test('what JSON would change is refused in a reply, with its path, as work that was done', async (t) => {
  const app = lucilius({ parity: 'strict' })
  for (const [index, [, value]] of unportable.entries()) app.add(`case:${index}`, () => ({ at: value }))
  for (const [index, [kind, , below]] of unportable.entries()) {
    const error = await failureOf(app.act(`case:${index}`))
    t.equal(error.code, 'LUC_NOT_PORTABLE', kind)
    t.equal(error.handled, 'yes')
    t.strictSame(error.details, { path: `at${below}` })
  }
  await app.close()
})

t.test(
  'what JSON would change is refused in the details of an ActionError, in events, priors and identities',
  async (t) => {
    const app = lucilius({ parity: 'strict' })
    app.add('a:1', () => {
      throw new ActionError('NO', 'No', { at: new Date() })
    })
    t.match(await failureOf(app.act('a:1')), { code: 'LUC_NOT_PORTABLE', handled: /^yes$/, details: { path: 'at' } })
    t.match(await failureOf(app.emit('e:1', { at: 1n })), { code: 'LUC_NOT_PORTABLE', details: { path: 'at' } })
    app.add('b:1', () => 1)
    app.add('b:1,c:1', (message, { prior }) => prior({ ...message, at: new Date() }))
    t.match(await failureOf(app.act('b:1,c:1')), { code: 'LUC_ACTION_FAILED', details: { cause: 'LUC_NOT_PORTABLE' } })
    t.match(await failureOf(app.act('b:1', {}, { identity: { since: new Date() } })), { code: /LUC_/, handled: /^no$/ })
    await app.close()
  },
)

t.test('what a wrap puts in the place of a message is checked as well', async (t) => {
  const app = lucilius({ parity: 'strict' })
  let frozen = false
  app.add('a:1', (message) => {
    frozen = Object.isFrozen(message) && Object.isFrozen(message.inner)
    return 1
  })
  const inner = { x: 1 }
  let at: unknown = inner
  app.wrap('a:1', (next) => (message, context) => next({ ...message, inner: at }, context))
  t.equal(await app.act('a:1'), 1)
  t.ok(frozen)
  t.notOk(Object.isFrozen(inner))
  at = new Date()
  t.match(await failureOf(app.act('a:1')), { code: 'LUC_NOT_PORTABLE', details: { path: 'inner' } })
  await app.close()
})

t.test('undefined properties and -0 are made as JSON makes them', async (t) => {
  const app = lucilius({ parity: 'strict' })
  app.add('a:1', (message) => ({ keys: Object.keys(message), zero: Object.is(message.zero, 0), none: undefined }))
  t.strictSame(await app.act('a:1', { none: undefined, zero: -0 }), { keys: ['zero', 'a'], zero: true })
  app.add('a:2', () => -0)
  t.ok(Object.is(await app.act('a:2'), 0))
  await app.close()
})

t.test('messages and replies are frozen copies: nobody sees what another does to his own', async (t) => {
  const app = lucilius({ parity: 'strict' })
  const kept = { inner: { x: 1 } }
  let got: { inner?: { x: number } } = {}
  app.add('a:1', async (message) => {
    got = message as typeof got
    await null
    return kept
  })
  const sent = { inner: { x: 1 } }
  const sending = app.act('a:1', sent)
  sent.inner.x = 2
  const reply = (await sending) as typeof kept
  t.strictSame(got, { a: 1, inner: { x: 1 } }, 'changed after it was sent, not seen')
  t.ok(Object.isFrozen(got) && Object.isFrozen(got.inner))
  t.ok(Object.isFrozen(reply) && Object.isFrozen(reply.inner))
  t.not(reply.inner, kept.inner)
  kept.inner.x = 3
  t.equal(reply.inner.x, 1)
  t.notOk(Object.isFrozen(sent) || Object.isFrozen(sent.inner) || Object.isFrozen(kept.inner))
  t.throws(() => {
    reply.inner.x = 4
  }, TypeError)
  await app.close()
})

t.test('an act that waits for ready takes its copy when it is sent', async (t) => {
  const app = lucilius({ parity: 'strict' })
  app.add('a:1', ({ inner }) => inner)
  const sent = { inner: { x: 1 } }
  const sending = app.act('a:1', sent)
  sent.inner.x = 2
  t.strictSame(await sending, { x: 1 })
  await app.close()
})

t.test('an event is a frozen copy as well', async (t) => {
  const app = lucilius({ parity: 'strict' })
  await app.ready()
  const seen: { readonly [key: string]: unknown }[] = []
  app.on('e:1', (message) => seen.push(message))
  const sent = { inner: { x: 1 } }
  const emitted = app.emit('e:1', sent)
  sent.inner.x = 2
  await emitted
  await app.close()
  t.strictSame(seen, [{ e: 1, inner: { x: 1 } }])
  t.ok(Object.isFrozen(seen[0]?.inner))
})

t.test('with parity off the message object is new and its values are shared', async (t) => {
  const app = lucilius({ parity: 'off' })
  const when = new Date()
  app.add('a:1', (message) => {
    Object.assign(message, { own: true })
    return { when: message.when, list: [undefined] }
  })
  const sent = { when }
  const reply = (await app.act('a:1', sent)) as { when: Date; list: unknown[] }
  t.equal(reply.when, when)
  t.strictSame(reply.list, [undefined])
  t.strictSame(sent, { when })
  const whole = { a: 1, when }
  await app.act(whole)
  t.strictSame(whole, { a: 1, when })
  t.equal(await app.act('a:1').then(() => 'fine'), 'fine')
  await app.close()
})

t.test('a remembered text is not changed by what a handler does to its message', async (t) => {
  const app = lucilius({ parity: 'off' })
  app.add('a:1', (message) => {
    const before = JSON.stringify(message)
    try {
      ;(message.list as unknown[]).push('changed')
    } catch {
      // Frozen, which is as good.
    }
    Object.assign(message, { own: true })
    return before
  })
  const first = await app.act('a:1,list:[1]')
  t.equal(await app.act('a:1,list:[1]'), first)
  await app.close()
})

t.test('strict is the default unless NODE_ENV is production, and is logged once', async (t) => {
  const here = dirname(fileURLToPath(import.meta.url))
  const script = `
    import { lucilius } from ${JSON.stringify(join(here, '../../lib/index.js'))}
    const app = lucilius()
    app.add('a:1', () => 'fine')
    console.log(await app.act('a:1', { when: new Date() }).catch((error) => error.code))
    await app.close()`
  const run = (env: string | undefined) => {
    const { NODE_ENV: _, ...rest } = process.env
    const environment = env === undefined ? rest : { ...rest, NODE_ENV: env }
    return execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      env: environment,
      encoding: 'utf8',
    }).trim()
  }
  t.equal(run(undefined), 'LUC_NOT_PORTABLE')
  t.equal(run('test'), 'LUC_NOT_PORTABLE')
  t.equal(run('production'), 'fine')
  const { lines, logger } = recorded()
  const app = lucilius({ logger, parity: 'strict' })
  app.add('a:1', () => 1)
  await app.act('a:1')
  await app.act('a:1')
  t.equal(lines.filter((line) => JSON.stringify(line).includes('"strict"')).length, 1)
  await app.close()
})

t.test('strict parity warns once about an app.act inside a handler', async (t) => {
  const { lines, logger } = recorded()
  const app = lucilius({ parity: 'strict', logger })
  app.add('a:1', async () => {
    await null
    return [await app.act('a:2'), await app.act('a:2')]
  })
  app.add('a:2', (_, { meta }) => meta.hops)
  t.equal(await app.act('a:2'), 1)
  const warnings = () => lines.filter(({ msg, level }) => level === 40 && /context\.act/.test(msg))
  t.equal(warnings().length, 0, 'none for an act from outside')
  t.strictSame(await app.act('a:1'), [1, 1], 'it starts anew')
  await app.act('a:1')
  t.equal(warnings().length, 1)
  await app.close()
  const off = recorded()
  const quiet = lucilius({ parity: 'off', logger: off.logger })
  quiet.add('a:1', () => quiet.act('a:2'))
  quiet.add('a:2', () => 2)
  await quiet.act('a:1')
  t.equal(off.lines.filter(({ level }) => level >= 40).length, 0)
  await quiet.close()
})

t.test("strict parity warns when a service's wrap covers the action of another service", async (t) => {
  const { lines, logger } = recorded()
  const app = lucilius({ parity: 'strict', logger, name: 'app' })
  app.use(function limits(app) {
    app.wrap('role:shop', (next) => next)
    app.add('role:shop,cmd:limit', () => 1)
  })
  await app.ready()
  const warnings = () => lines.filter(({ level }) => level === 40)
  t.strictSame(warnings(), [], 'its own actions are its own business')
  app.add('role:shop,cmd:order', () => 1)
  t.equal(warnings().length, 1)
  t.match(JSON.stringify(warnings()[0]), /limits/)
  t.match(JSON.stringify(warnings()[0]), /cmd:order/)
  await app.close()
})

t.test(
  'a reply that cannot be carried is told with its action, to the caller and in the log of who made it',
  async (t) => {
    const { lines, logger } = recorded()
    const app = lucilius({ parity: 'strict', logger })
    app.use(function rates(app) {
      app.add('role:rates,cmd:get', () => ({ at: new Date(0) }))
    })
    app.add('role:shop', (_, { act }) => act('role:rates,cmd:get'))
    const errors = () => lines.filter(({ level }) => level === 50)
    const told = "Reply of cmd:get,role:rates cannot be carried: 'at' is a Date. Send at.toISOString()."
    t.match(await failureOf(app.act('role:rates,cmd:get')), { code: 'LUC_NOT_PORTABLE', message: told, handled: 'yes' })
    t.match(errors(), [{ msg: told, service: 'rates', pattern: 'cmd:get,role:rates' }])
    lines.length = 0
    t.match(await failureOf(app.act('role:shop')), {
      code: 'LUC_ACTION_FAILED',
      details: { cause: 'LUC_NOT_PORTABLE' },
    })
    t.match(errors(), [{ msg: told }, { msg: 'a handler failed', err: { message: told } }])
    await app.close()
  },
)
