import t from 'tap'
import { ActionError, lucilius } from '../../lib/index.js'
import { failureOf } from './failure.js'

// biome-ignore lint/suspicious/noExplicitAny: these are calls that no type allows
type Anything = any

t.test('an unknown option of the app is refused, naming it and the nearest', async (t) => {
  const wrong: [Anything, RegExp][] = [
    [{ timeoutms: 5 }, /'timeoutms'.*'timeoutMs'/],
    [{ maxHop: 5 }, /'maxHop'.*'maxHops'/],
    [{ xyz: 5 }, /'xyz'/],
    [{ timeoutMs: 0 }, /'timeoutMs'/],
    [{ timeoutMs: '5' }, /'timeoutMs'/],
    [{ maxTimeoutMs: -1 }, /'maxTimeoutMs'/],
    [{ maxHops: 0 }, /'maxHops'/],
    [{ maxHops: 1.5 }, /'maxHops'/],
    [{ drainMs: Number.NaN }, /'drainMs'/],
    [{ parity: 'loose' }, /'parity'.*'strict'.*'off'/],
    [{ parity: true }, /'parity'/],
    [{ name: '' }, /'name'/],
    [{ name: 5 }, /'name'/],
    [{ name: 'x'.repeat(201) }, /'name'/],
    [{ park: { maxBites: 1 } }, /'maxBites'.*'maxBytes'/],
    [{ park: { max: -1 } }, /'max'/],
    [{ park: { unknown: 1 } }, /'unknown'/],
    [{ park: 5 }, /park/],
    [{ park: null }, /park/],
    [{ logger: {} }, /'logger'/],
    [{ logger: 'pino' }, /'logger'/],
    [null, /options/],
    [5, /options/],
    [[], /options/],
  ]
  for (const [options, message] of wrong) {
    const error = await failureOf(() => lucilius(options))
    t.match(error, { code: 'LUC_OPTIONS_INVALID', handled: /^no$/, message }, JSON.stringify(options))
  }
})

t.test('mistakes in add, on and wrap are thrown where they are made, and leave nothing behind', async (t) => {
  const app: Anything = lucilius()
  const handler = () => 1
  const wrong: [() => unknown, string, RegExp][] = [
    [() => app.add('a:1'), 'LUC_HANDLER_INVALID', /a:1/],
    [() => app.add('a:1', {}), 'LUC_HANDLER_INVALID', /a:1/],
    [() => app.add('a:1', {}, 'no'), 'LUC_HANDLER_INVALID', /string/],
    [() => app.add('a:1', null, handler), 'LUC_OPTIONS_INVALID', /add/],
    [() => app.add('a:1', handler, {}), 'LUC_OPTIONS_INVALID', /add/],
    [() => app.add('a:1', { timeout: 5 }, handler), 'LUC_OPTIONS_INVALID', /'timeout'.*'timeoutMs'/],
    [() => app.add('a:1', { timeoutMs: 0 }, handler), 'LUC_OPTIONS_INVALID', /'timeoutMs'/],
    [() => app.add('a:1', { idempotent: 1 }, handler), 'LUC_OPTIONS_INVALID', /'idempotent'/],
    [() => app.add('a:1', { message: {} }, handler), 'LUC_OPTIONS_INVALID', /'message'/],
    [() => app.add('a:1', { reply: 5 }, handler), 'LUC_OPTIONS_INVALID', /'reply'/],
    [() => app.add('a:1', { reply: null }, handler), 'LUC_OPTIONS_INVALID', /'reply'/],
    [() => app.on('a:1'), 'LUC_HANDLER_INVALID', /a:1/],
    [() => app.on('a:1', 5), 'LUC_HANDLER_INVALID', /on 'a:1'.*got a number/],
    [() => app.on('a:1', { durable: 'x' }), 'LUC_HANDLER_INVALID', /on 'a:1'.*got nothing/],
    [() => app.on('a:1', { each: 'one' }, handler), 'LUC_OPTIONS_INVALID', /'each'/],
    [() => app.on('a:1', { eech: 'instance' }, handler), 'LUC_OPTIONS_INVALID', /'eech'.*'each'/],
    [() => app.wrap('a:1'), 'LUC_HANDLER_INVALID', /a:1/],
    [() => app.wrap('a:1', { at: 'callee' }, handler), 'LUC_OPTIONS_INVALID', /'at'/],
    [() => app.wrap('a:1', { att: 'caller' }, handler), 'LUC_OPTIONS_INVALID', /'att'.*'at'/],
    [() => app.onReady(5), 'LUC_HANDLER_INVALID', /onReady/],
    [() => app.onClose(null), 'LUC_HANDLER_INVALID', /onClose/],
    [() => app.use(null), 'LUC_PLUGIN_INVALID', /null/],
    [() => app.use({}), 'LUC_PLUGIN_INVALID', /setup/],
    [() => app.use({ setup() {} }), 'LUC_PLUGIN_INVALID', /name/],
    [() => app.use({ name: 'x', setup() {}, needs: 'y' }), 'LUC_PLUGIN_INVALID', /needs/],
    [() => app.use({ name: 'x', setup() {} }, {}, { is: 'y' }), 'LUC_OPTIONS_INVALID', /'is'.*'as'/],
    [() => app.use({ name: 'x', setup() {} }, {}, { as: '' }), 'LUC_PLUGIN_INVALID', /as/],
  ]
  for (const [make, code, message] of wrong)
    t.match(await failureOf(make), { code, message, handled: /^no$/ }, String(make))
  for (const pattern of [null, 5, [], undefined, () => 1, 'a', ':b', 'a:', 'a:b:c', 'a:[1]', 'a:1,a:2', { a: null }]) {
    for (const make of [
      () => app.add(pattern, handler),
      () => app.on(pattern, handler),
      () => app.wrap(pattern, handler),
    ]) {
      t.match(await failureOf(make), { code: 'LUC_PATTERN_INVALID', handled: /^no$/ }, JSON.stringify(pattern))
    }
  }
  t.strictSame(app.list(), [])
  app.use({ name: 'x', setup() {} })
  t.match(await failureOf(app.act('a:1')), { code: 'LUC_ACTION_NOT_FOUND' })
  await app.close()
})

t.test('hostile patterns are refused, in every place that takes one, and soon', async (t) => {
  const app: Anything = lucilius()
  const refused: Anything[] = [
    'role',
    ':convert',
    'a:b:c',
    'a:[1,2]',
    'a,b',
    '5',
    "a:'b",
    'a:1}{',
    '"constructor":{prototype:{polluted:1}}',
    '"":1',
    '"a\\nb":1',
    ' ',
    Array.from({ length: 20_000 }, (_, n) => `k${n}:1`).join(','),
    `${'a:'.repeat(5000)}1`,
    `a:${'*'.repeat(10_000)}`,
    { a: () => 1 },
    { a: Number.NaN },
    { a: 'x\u0000' },
    { toString: 1 },
    { a: 'constructor' },
    { a: {} },
    new Map([['a', 1]]),
  ]
  const began = performance.now()
  for (const pattern of refused) {
    for (const take of ['add', 'on', 'wrap']) {
      const error = await failureOf(() => app[take](pattern, () => 1))
      t.equal(error.code, 'LUC_PATTERN_INVALID', `${take} ${String(JSON.stringify(pattern)).slice(0, 40)}`)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: no escape sequence of a terminal may be in it
      t.notMatch(error.message, /\u001b/)
    }
    t.match(await failureOf(() => app.list(pattern)), { code: 'LUC_PATTERN_INVALID' })
  }
  t.ok(performance.now() - began < 2000)
  t.equal(({} as Anything).polluted, undefined)
  for (const pattern of ['role:a,fatal$:true', 'a:1e309', 'a:1', 'role:café', 'role:cafe\u0301'])
    app.add(pattern, () => pattern)
  t.equal(await app.act({ a: '1e309' }), 'a:1e309')
  t.match(await failureOf(app.act({ a: Number.POSITIVE_INFINITY })), { code: /LUC_/ })
  t.equal(await app.act({ a: '1' }), 'a:1')
  t.equal(await app.act({ role: 'café' }), 'role:café')
  t.equal(await app.act({ role: 'cafe\u0301' }), 'role:cafe\u0301', 'forms that look alike are different patterns')
  const fickle = new Proxy(
    { f: 1 },
    { get: (_, key) => (key === 'f' ? Math.random() : undefined), ownKeys: () => ['f'] },
  )
  try {
    app.add(fickle, () => 'fickle')
    const text = app.list()[0].pattern as string
    t.equal(app.find(text).pattern, text, 'copied once')
  } catch (error) {
    t.match(error, { code: 'LUC_PATTERN_INVALID' })
  }
  await app.close()
})

t.test('the catch-all is written as the empty pattern and nothing else', async (t) => {
  const app: Anything = lucilius()
  app.add('', () => 'all')
  t.equal(await app.act({}), 'all')
  t.equal(await app.act('x:1'), 'all')
  app.add({}, async (_: unknown, context: Anything) => ['object', await context.prior()])
  t.strictSame(await app.act('x:1'), ['object', 'all'])
  for (const pattern of [' ', '\n', ',', 'a:']) {
    t.match(await failureOf(() => app.add(pattern, () => 1)), { code: 'LUC_PATTERN_INVALID' }, JSON.stringify(pattern))
  }
  await app.close()
})

t.test('a code of the framework is refused in an ActionError', async (t) => {
  t.match(await failureOf(() => new ActionError('LUC_FORBIDDEN', 'no')), { code: 'LUC_OPTIONS_INVALID' })
  t.match(await failureOf(() => new ActionError('', 'no')), { code: 'LUC_OPTIONS_INVALID' })
  const app = lucilius()
  app.add('a:1', () => {
    throw new ActionError('LUC_FORBIDDEN', 'no')
  })
  t.match(await failureOf(app.act('a:1')), { code: 'LUC_ACTION_FAILED', handled: /^yes$/ })
  await app.close()
})
