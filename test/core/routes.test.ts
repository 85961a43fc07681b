import fc from 'fast-check'
import t from 'tap'
import { lucilius, type Registration } from '../../lib/index.js'
import { failureOf } from './failure.js'

t.test('the same text finds another action as soon as one is added or removed', async (t) => {
  const app = lucilius()
  const act = () => app.act('a:1', { b: 2, c: 3 })
  app.add('a:1', () => 'a')
  for (let time = 0; time < 3; time++) {
    t.equal(await act(), 'a')
    const b = app.add('a:1,b:2', () => 'b')
    t.equal(await act(), 'b')
    const c = app.add('a:1,b:*,c:3', () => 'c')
    t.equal(await act(), 'c')
    b.remove()
    t.equal(await act(), 'c')
    c.remove()
  }
  const wide = app.add('', () => 'all')
  t.equal(await act(), 'a')
  wide.remove()
  await app.close()
})

t.test('the same text finds another action for other data', async (t) => {
  const app = lucilius()
  app.add('a:1', () => 'a')
  app.add('a:1,b:2', () => 'b')
  app.add('a:1,c:x*', () => 'c')
  app.add('d:1', () => 'd')
  for (let time = 0; time < 3; time++) {
    t.equal(await app.act('a:1', {}), 'a')
    t.equal(await app.act('a:1', { b: 2 }), 'b')
    t.equal(await app.act('a:1', { b: '2' }), 'b')
    t.equal(await app.act('a:1', { b: 3 }), 'a')
    t.equal(await app.act('a:1', { c: 'xy' }), 'c')
    t.equal(await app.act('a:1', { c: null }), 'a')
    t.equal(await app.act('a:1', { d: 1 }), 'a', 'of two with one key the one that sorts first')
    t.equal(await app.act('a:2', { d: 1 }), 'd')
    t.match(await failureOf(app.act('a:2', {})), { code: 'LUC_ACTION_NOT_FOUND' })
  }
  await app.close()
})

type Pairs = Record<string, string>
interface Added {
  readonly pairs: Pairs
  readonly name: number
  readonly registration: Registration
}

const textOf = (pairs: Pairs) =>
  Object.keys(pairs)
    .sort()
    .map((key) => `${key}:${pairs[key]}`)
    .join(',')

/** The rule as it is written down, as plainly as can be. */
function winner(added: readonly Added[], message: Pairs): number | undefined {
  const matching = added.filter(({ pairs }) =>
    Object.entries(pairs).every(([key, value]) => {
      const given = message[key]
      return given !== undefined && new RegExp(`^${value.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(given)
    }),
  )
  const rank = ({ pairs, name }: Added) => {
    const globs = Object.values(pairs).filter((value) => /[*?]/.test(value))
    const literal = globs.join('').replace(/[*?]/g, '').length
    return [
      -Object.keys(pairs).length,
      globs.length,
      Object.keys(pairs).sort().join(),
      -literal,
      textOf(pairs),
      -name,
    ] as const
  }
  const ranked = matching.map((one) => ({ one, rank: rank(one) }))
  ranked.sort((a, b) => {
    for (const at of [0, 1, 2, 3, 4, 5] as const) {
      const [x, y] = [a.rank[at], b.rank[at]]
      if (x !== y) return (x as string) < (y as string) ? -1 : 1
    }
    return 0
  })
  return ranked[0]?.one.name
}

const key = fc.constantFrom('a', 'b', 'c', 'd')
const value = fc.constantFrom('1', '2', 'xy', 'x')
const pattern = fc.dictionary(key, fc.oneof(value, fc.constantFrom('*', 'x*', '?', '*y', 'x?')), {
  maxKeys: 3,
  noNullPrototype: true,
})
const message = fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true })
const command = fc.oneof(
  { weight: 2, arbitrary: fc.record({ add: pattern }) },
  { weight: 1, arbitrary: fc.record({ remove: fc.nat() }) },
  { weight: 5, arbitrary: fc.record({ act: message, data: message }) },
)

t.test('whatever is added and removed in whatever order, the rule decides each act', async (t) => {
  for (const parity of ['off', 'strict'] as const) {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 10, maxLength: 40 }), async (commands) => {
        const app = lucilius({ parity })
        let added: Added[] = []
        let names = 0
        const reply = (promise: Promise<unknown>) =>
          promise.catch(({ code }: { code: string }) => (code === 'LUC_ACTION_NOT_FOUND' ? undefined : code))
        for (const one of commands) {
          if ('add' in one) {
            const name = ++names
            added.push({ pairs: one.add, name, registration: app.add(one.add, () => name) })
          } else if ('remove' in one) {
            const gone = added[one.remove % Math.max(1, added.length)]
            gone?.registration.remove()
            added = added.filter((other) => other !== gone)
          } else {
            const whole = { ...one.data, ...one.act }
            const expected = winner(added, whole)
            const text = textOf(one.act)
            const got = [
              await reply(app.act(text, one.data)),
              await reply(app.act(text, one.data)),
              await reply(app.act(one.act, one.data)),
              await reply(app.act(whole)),
              app.find(whole)?.pattern ?? undefined,
            ]
            const alone = await reply(app.act(text, one.data, { exact: true }))
            if (got.slice(0, 4).some((name) => name !== expected)) throw new Error(`${got} instead of ${expected}`)
            if (alone !== winner(added, one.act)) throw new Error(`exact: ${alone}`)
            const pairs = added.find(({ name }) => name === expected)?.pairs
            if (got[4] !== (pairs && textOf(pairs))) throw new Error(`find: ${got[4]}`)
          }
        }
        await app.close()
      }),
      { numRuns: 150 },
    )
  }
  t.pass('held')
})

t.test('find, list and explain are plain data about what stands where', async (t) => {
  const app = lucilius({ name: 'shop' })
  app.use(function orders(app) {
    app.add('role:shop,cmd:order', () => 1)
    app.wrap('role:shop', (next) => next)
  })
  app.use({
    name: 'specials',
    setup: (app) => {
      app.add('role:shop,cmd:order', () => 2)
      app.add('role:shop,cmd:order,to:jp', () => 3)
      app.wrap('role:shop,cmd:order', { at: 'caller' }, (next) => next)
    },
  })
  app.add('role:shop', () => 4)
  app.add('role:*', () => 5)
  app.add('', () => 6)
  await app.ready()

  t.strictSame(app.find('role:shop,cmd:order'), {
    pattern: 'cmd:order,role:shop',
    service: 'specials',
    remote: undefined,
  })
  t.strictSame(app.find({ x: 1 }), { pattern: '', service: 'shop', remote: undefined })
  t.strictSame(
    app.list().map(({ pattern, service }) => [pattern, service]),
    [
      ['cmd:order,role:shop,to:jp', 'specials'],
      ['cmd:order,role:shop', 'specials'],
      ['cmd:order,role:shop', 'orders'],
      ['role:shop', 'shop'],
      ['role:*', 'shop'],
      ['', 'shop'],
    ],
  )
  t.equal(app.list('').length, 6)
  t.equal(app.list('role:*').length, 5)
  t.equal(app.list('role:shop').length, 4)
  t.equal(app.list('cmd:order').length, 3)
  t.equal(app.list('role:?').length, 0)

  const told = app.explain('role:shop,cmd:order,to:jp,extra:1')
  t.match(told.winner, { pattern: 'cmd:order,role:shop,to:jp', service: 'specials' })
  t.strictSame(
    told.candidates.map(({ pattern, service }) => [pattern, service]),
    app.list().map(({ pattern, service }) => [pattern, service]),
  )
  t.equal(told.candidates[0]?.reason, undefined)
  for (const { reason } of told.candidates.slice(1)) t.match(reason, /\w+ \w+/)
  t.strictSame(
    told.priors.map(({ pattern, service }) => [pattern, service]),
    [
      ['cmd:order,role:shop', 'specials'],
      ['cmd:order,role:shop', 'orders'],
      ['role:shop', 'shop'],
      ['role:*', 'shop'],
      ['', 'shop'],
    ],
  )
  t.strictSame(told.wraps, [
    { pattern: 'cmd:order,role:shop', service: 'specials', at: 'caller' },
    { pattern: 'role:shop', service: 'orders', at: 'handler' },
  ])
  t.strictSame(structuredClone(told), told)
  const nothing = lucilius().explain('a:1')
  t.match(nothing, { winner: undefined, candidates: [], priors: [], wraps: [] })
  await app.close()
})

t.test('what nobody answers is told with the nearest patterns', async (t) => {
  const app = lucilius()
  app.add('role:convert,cmd:amount', () => 1)
  for (const text of [
    'role:convert,cmd:amuont',
    'cmd:amuont,role:convert',
    'role:convert,cmd:amuont,from:usd,to:eur,amount:100',
  ]) {
    t.match((await failureOf(app.act(text))).message, /cmd:amount,role:convert/, text)
  }
  t.strictSame(app.explain('role:convert,cmd:amuont').nearest, ['cmd:amount,role:convert'])
  await app.close()
})
