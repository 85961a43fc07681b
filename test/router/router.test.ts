import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { type Pattern, toPattern } from '../../lib/pattern.js'
import { Recent } from '../../lib/router/recent.js'
import { Router } from '../../lib/router/router.js'
import { readCases } from '../support/repo-root.js'

type Pairs = Record<string, unknown>
type Case = { readonly name: string; readonly patterns: [Pairs, string][]; readonly steps: Step[] }
type Step = { readonly find?: Pairs; readonly collect?: Pairs; readonly list?: Pairs; readonly expected: unknown }

/** A table as simple as can be, on purpose with nothing of the router's in it. */
class Model {
  readonly table = new Map<string, { readonly pattern: Pattern; readonly value: number }>()

  matching(message: object): { readonly pattern: Pattern; readonly value: number }[] {
    const found = [...this.table.values()].filter(({ pattern }) =>
      pattern.keys.every((key, at) => has(message, key, pattern.values[at] as string)),
    )
    return found.sort((a, b) => order(a.pattern, b.pattern))
  }

  find(message: object): number | undefined {
    return this.matching(message)[0]?.value
  }
}

function has(message: object, key: string, value: string): boolean {
  const property: unknown = Object.getOwnPropertyDescriptor(message, key)?.value
  const scalar = typeof property === 'string' || typeof property === 'boolean' || Number.isFinite(property)
  const source = [...value].map((part) =>
    part === '*' ? '[^]*' : part === '?' ? '[^]' : `\\u{${part.codePointAt(0)?.toString(16)}}`,
  )
  return scalar && new RegExp(`^${source.join('')}$`, 'u').test(String(property))
}

function order(a: Pattern, b: Pattern): number {
  const [one, other] = [a, b].map(({ keys, values, text }) => {
    const globs = values.filter((value) => /[*?]/.test(value))
    return [-keys.length, globs.length, keys.join('\0'), -globs.join('').replace(/[*?]/g, '').length, text] as const
  })
  for (const at of [0, 1, 2, 3, 4] as const) {
    if (one?.[at] !== other?.[at]) return (one?.[at] as string) < (other?.[at] as string) ? -1 : 1
  }
  return 0
}

const keyNames = ['a', 'b', 'c', 'd', 'e', 'toJSON', '0', '10', 'é', 'length']
const texts = ['x', 'y', 'xy', '1', 1, true, '0x']
const manyKeys = Array.from({ length: 40 }, (_, at) => `k${at}`)

function pairsOf(names: readonly string[], globs: boolean): fc.Arbitrary<Pairs> {
  const values = globs ? [...texts, '*', '?', 'x*', '*y', '?y', 'x?', '*x*'] : texts
  return fc.dictionary(fc.constantFrom(...names), fc.constantFrom<unknown>(...values), {
    maxKeys: 4,
    noNullPrototype: true,
  })
}

const hostileValue = fc.constantFrom<() => unknown>(
  () => null,
  () => undefined,
  () => ['x'],
  () => ({ toString: 1, valueOf: 1 }),
  () => ({ toString: () => 'x' }),
  () => Number.NaN,
  () => -0,
  () => 1n,
  () => Symbol('x'),
  () => () => 'x',
  () => '',
  () => 'toString',
  () => '__proto__',
  () => 'constructor',
  () => new String('x'),
  () => Object.create(null),
  () => 'x\0y',
  () => new Date(0),
  () => 'x'.repeat(5000),
  () => '*',
)

/** Messages of every shape, those included that no JSON gives. All their properties are data, so that the model may look. */
function messageOf(names: readonly string[]): fc.Arbitrary<object> {
  const name = fc.constantFrom(...names, 'other', '__proto__', 'constructor', 'toString', 'more')
  const property = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<unknown>(...texts).map((text) => () => text) },
    { weight: 1, arbitrary: hostileValue },
  )
  const shape = fc.constantFrom('plain', 'bare', 'inherits', 'proxy', 'symbols', 'hidden', 'list')
  return fc.tuple(fc.array(fc.tuple(name, property), { maxLength: 8 }), shape).map(([properties, kind]) => {
    const start: Record<string, () => object> = {
      bare: () => Object.create(null),
      inherits: () => Object.create({ a: 'x', b: 'x', c: 'y', k1: 'x' }),
      list: () => [],
    }
    const message = start[kind]?.() ?? {}
    for (const [key, make] of properties) {
      if (key === 'length' && kind === 'list') continue
      Object.defineProperty(message, key, {
        value: make(),
        enumerable: kind !== 'hidden',
        writable: true,
        configurable: true,
      })
    }
    if (kind === 'symbols') Object.defineProperty(message, Symbol('a'), { value: 'x', enumerable: true })
    return kind === 'proxy' ? new Proxy(message, {}) : message
  })
}

function fill(tables: readonly Pairs[]): { router: Router<number>; model: Model } {
  const router = new Router<number>()
  const model = new Model()
  for (const [value, pairs] of tables.entries()) put(router, model, pairs, value)
  return { router, model }
}

function put(router: Router<number>, model: Model, pairs: Pairs, value: number): void {
  const pattern = toPattern(pairs)
  router.set(pattern, value)
  model.table.set(pattern.text, { pattern, value })
}

for (const { name, patterns, steps } of readCases<Case[]>('router.json')) {
  t.test(`case ${name}`, async (t) => {
    const router = new Router<string>()
    for (const [pairs, value] of patterns) router.set(toPattern(pairs), value)
    for (const { find, collect, list, expected } of steps) {
      if (find !== undefined) t.equal(router.find(find) ?? null, expected)
      if (collect !== undefined) t.same([...router.collect(collect)].sort(), [...(expected as string[])].sort())
      t.equal(list, undefined, 'a list is made by the app')
    }
  })
}

for (const [title, names, globs, numRuns] of [
  ['few exact patterns', keyNames.slice(0, 4), false, 2500],
  ['patterns with globs', keyNames.slice(0, 3), true, 2500],
  ['patterns with strange keys', keyNames, true, 2500],
  ['many sets of keys', manyKeys, true, 1000],
] as const) {
  t.test(`the router answers as the matching rule says: ${title}`, async (t) => {
    const pairs = pairsOf(names, globs)
    const table = fc.array(pairs, { minLength: 1, maxLength: names === manyKeys ? 60 : 14 })
    const messages = fc.array(fc.oneof(messageOf(names), pairs), { minLength: 6, maxLength: 6 })
    const before = Object.getOwnPropertyNames(Object.prototype).length
    let found = 0
    fc.assert(
      fc.property(table, messages, (tables, sent) => {
        const { router, model } = fill(tables)
        // The own patterns as messages too, with more beside them: these are found.
        for (const message of [...sent, { ...tables[0], ...tables[1] }, { ...tables[0], more: 1 }]) {
          const expected = model.find(message)
          if (expected !== undefined) found++
          if (router.find(message) !== expected) return false
          const all = model.matching(message).map(({ value }) => value)
          if (router.collect(message).join() !== all.join()) return false
        }
        return true
      }),
      { numRuns },
    )
    t.ok(found > numRuns, 'often enough to mean something')
    t.equal(Object.getOwnPropertyNames(Object.prototype).length, before, 'nothing is written to Object.prototype')
  })
}

t.test('patterns may come and go in any order', async () => {
  const step = fc.tuple(
    fc.constantFrom('set', 'set', 'delete', 'find'),
    pairsOf(keyNames.slice(0, 3), true),
    messageOf(keyNames.slice(0, 3)),
  )
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
      const { router, model } = fill([])
      for (const [at, [kind, pairs, message]] of steps.entries()) {
        const { text } = toPattern(pairs)
        const version = router.version
        if (kind === 'set') put(router, model, pairs, at)
        if (kind === 'delete' && router.delete(text) !== model.table.delete(text)) return false
        if (kind === 'set' && router.version <= version) return false
        if (router.find(message) !== model.find(message) || router.get(text) !== model.table.get(text)?.value)
          return false
      }
      const entries = [...router.entries()].map(([pattern, value]) => `${pattern.text} ${value}`)
      return entries.join() === [...model.table.values()].map(({ pattern, value }) => `${pattern.text} ${value}`).join()
    }),
    { numRuns: 800 },
  )
})

t.test('what is remembered of the last message is what would be found again, whatever comes and goes', async (t) => {
  for (const names of [keyNames.slice(0, 3), manyKeys]) {
    const pairs = pairsOf(names, true)
    const value = fc.constantFrom<unknown>(...texts, undefined, {}, [])
    const message = fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 3, noNullPrototype: true })
    const times = fc.integer({ min: 1, max: 3 })
    const step = fc.tuple(fc.constantFrom('set', 'delete', 'send', 'send', 'send'), pairs, message, times)
    let again = 0
    fc.assert(
      fc.property(fc.array(step, { minLength: 5, maxLength: 30 }), (steps) => {
        const { router, model } = fill([])
        let looked = 0
        const recent = new Recent(router, (one) => {
          looked++
          return router.collect(one)
        })
        return steps.every(([kind, pattern, sent, count], at) => {
          if (kind === 'set') put(router, model, pattern, at)
          if (kind === 'delete' && router.delete(toPattern(pattern).text)) model.table.delete(toPattern(pattern).text)
          const isRight = (one: Pairs) => {
            const expected = model.matching(one).map(({ value }) => value)
            return recent.find(one).join() === expected.join()
          }
          const before = looked
          const all = Array.from({ length: count }, () => ({ ...sent })).every(isRight)
          again += count - (looked - before)
          return all && isRight(Object.create(sent))
        })
      }),
      { numRuns: 500 },
    )
    t.ok(again > 100, `often enough to mean something: ${again}`)
  }
})

t.test('a message without the watched keys goes where its head goes', async (t) => {
  for (const names of [keyNames.slice(0, 5), manyKeys]) {
    const pairs = pairsOf(names, true)
    const head = fc.dictionary(fc.constantFrom(...names), fc.constantFrom(...texts), {
      maxKeys: 3,
      noNullPrototype: true,
    })
    let used = 0
    fc.assert(
      fc.property(
        fc.array(pairs, { minLength: 1, maxLength: 14 }),
        head,
        fc.array(messageOf(names), { minLength: 6, maxLength: 6 }),
        (tables, start, rests) => {
          const { router } = fill(tables)
          const watched = router.watch(start)
          if (watched === undefined) return true
          if (watched.length > 8 || watched.some((key) => Object.hasOwn(start, key))) return false
          return rests.every((rest) => {
            if (watched.some((key) => Object.hasOwn(rest, key))) return true
            used++
            return router.find({ ...rest, ...start }) === router.find(start)
          })
        },
      ),
      { numRuns: 1500 },
    )
    t.ok(used > 1500, 'often enough to mean something')
  }
})

t.test('only keys that a better pattern still asks for are watched', async (t) => {
  const { router } = fill([
    { role: 'x', cmd: 'a' },
    { role: 'x', cmd: 'a', to: 'jpy' },
    { role: 'x', cmd: 'b', from: 'usd' },
    { role: 'x' },
    { id: 1 },
  ])
  t.same(router.watch({ role: 'x', cmd: 'a' }), ['to'])
  t.same(router.watch({ role: 'x', cmd: 'b' }), ['id', 'from'])
  t.same(router.watch({ role: 'x', cmd: 'a', to: 'eur' }), [])
  t.same(router.watch({ role: 'x' }), ['id', 'cmd'])
  router.set(toPattern({ role: 'x', cmd: 'b', to: 'usd' }), 9)
  router.delete('cmd:a,role:x,to:jpy')
  t.same(router.watch({ role: 'x', cmd: 'a' }), [], 'what is gone asks for nothing')
  for (let at = 0; at < 9; at++) router.set(toPattern({ role: 'x', cmd: 'a', [`key${at}`]: 1 }), at)
  t.equal(router.watch({ role: 'x', cmd: 'a' }), undefined, 'too many')
})

t.test('messages that throw when they are looked at do not make the router throw', async (t) => {
  const throwing = (): never => {
    throw new Error('no')
  }
  for (const sets of [1, 40]) {
    const { router } = fill(Array.from({ length: sets }, (_, at) => ({ [`k${at}`]: 'x', a: 'x' })))
    router.set(toPattern('a:x'), 77)
    const getter = Object.defineProperties(
      {},
      { k0: { get: throwing, enumerable: true }, a: { value: 'x', enumerable: true } },
    )
    t.equal(router.find(getter), 77, 'what can be read still counts')
    t.same(router.collect(getter), [77])
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    const traps = [
      proxy,
      new Proxy({ a: 'x' }, { get: throwing }),
      new Proxy({ a: 'x' }, { ownKeys: throwing, getOwnPropertyDescriptor: throwing }),
    ]
    for (const message of [...traps, null, undefined, 5, 'a', Symbol('a')] as object[]) {
      t.equal(router.find(message), undefined)
      t.same(router.collect(message), [])
    }
    for (const message of [{ a: { toString: 1, valueOf: 1 } }, { a: ['x'] }, JSON.parse('{"__proto__":{"a":"x"}}')]) {
      t.equal(router.find(message), undefined)
    }
  }
})

t.test('names of Object.prototype and values set on it reach no pattern', async (t) => {
  const { router } = fill([{ role: 'x', cmd: 'y' }, { role: 'x' }])
  for (const name of [...Object.getOwnPropertyNames(Object.prototype), 'prototype', '__proto__']) {
    t.equal(router.find({ role: name, cmd: name }), undefined)
    t.equal(router.find({ role: 'x', cmd: name }), 1)
  }
  const polluted = { role: 'x', intruder: { d: { value: 99, pattern: toPattern('role:x') } } }
  for (const [key, value] of Object.entries(polluted)) {
    Object.defineProperty(Object.prototype, key, { value, configurable: true, enumerable: true })
    t.teardown(() => Reflect.deleteProperty(Object.prototype, key))
  }
  t.equal(router.find({ cmd: 'y' }), undefined)
  t.equal(router.find({ role: 'intruder' }), undefined)
})

t.test('exact values beside a glob are told apart however they are cut', async (t) => {
  const { router } = fill([
    { a: 'x', b: 'xy', c: '*' },
    { a: 'xx', b: 'y', c: '*' },
  ])
  t.equal(router.find({ a: 'x', b: 'xy', c: 1 }), 0)
  t.equal(router.find({ a: 'xx', b: 'y', c: 1 }), 1)
  t.equal(router.find({ a: 'x\0xy', b: '', c: 1 }), undefined)
})

t.test('two routers share nothing', async (t) => {
  const one = fill([{ role: 'x' }]).router
  const other = fill([]).router
  t.equal(one.find({ role: 'x' }), 0)
  t.equal(other.find({ role: 'x' }), undefined)
})

t.test('the time of a look-up does not grow with the keys of a message', async (t) => {
  const wide: Pairs = { role: 'r', cmd: 'c' }
  for (let at = 0; at < 10_000; at++) wide[`data${at}`] = at
  for (const sets of [1, 100]) {
    const { router } = fill([
      { role: 'r', cmd: 'c' },
      ...Array.from({ length: sets }, (_, at) => ({ [`k${at}`]: 1, cmd: 'c' })),
    ])
    const before = performance.now()
    for (let at = 0; at < 1000; at++) router.find(wide)
    t.ok(performance.now() - before < 300, 'listing 10,000 keys each time would take 800 ms')
    t.equal(router.find(wide), 0)
    t.equal(router.find({ role: 'r', cmd: 'c' }), 0)
  }
})

t.test('patterns that come and go for long leave nothing behind', async (t) => {
  const { router } = fill([{ role: 'stays', id: 0 }])
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const heap = () => {
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  const turn = (from: number) => {
    for (let at = from; at < from + 50_000; at++) {
      const pattern = toPattern({ role: `r${at}`, id: at })
      router.set(pattern, at)
      router.delete(pattern.text)
    }
  }
  turn(0)
  const before = heap()
  turn(50_000)
  t.ok(heap() - before < 2 ** 20)
  t.equal(router.find({ role: 'stays', id: 0 }), 0)
  t.equal(router.find({ role: 'r7', id: 7 }), undefined)
  t.equal([...router.entries()].length, 1)
})
