import { isDeepStrictEqual } from 'node:util'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { LuciliusError } from '../../lib/errors.js'
import { portableCopy } from '../../lib/portable.js'

/** What copying throws; a test that expects an error and gets none fails here. */
function refusal(value: unknown, at: 'message' | 'reply' = 'message', limits = {}): LuciliusError {
  try {
    portableCopy(value, at, limits)
  } catch (error) {
    if (error instanceof LuciliusError) return error
    throw error
  }
  throw new Error('It was copied.')
}

function isDeepFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true
  return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen)
}

/** Whether the copy is the value but for dropped undefined properties and -0, written without the code under test. */
function isFaithful(value: unknown, copy: unknown): boolean {
  if (typeof value !== 'object' || value === null) return Object.is(value === 0 ? 0 : value, copy)
  if (typeof copy !== 'object' || copy === null) return false
  if (Array.isArray(value)) {
    const same = Array.isArray(copy) && copy.length === value.length
    return same && Object.keys(value).length === value.length && value.every((item, at) => isFaithful(item, copy[at]))
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  const kept = Object.entries(value).filter(([, field]) => field !== undefined)
  const fields = new Map(Object.entries(copy))
  return (
    fields.size === kept.length && kept.every(([key, field]) => fields.has(key) && isFaithful(field, fields.get(key)))
  )
}

/** `levels` objects and arrays inside each other. */
function nested(levels: number): unknown {
  let value: unknown = 'core'
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? { in: value } : [value]
  return value
}

class Order {
  readonly id = 1
}

t.test('every JSON value is copied as JSON copies it, frozen at every level', (t) => {
  // Keys that are refused on the wire have their own tests.
  const json = fc.jsonValue({ maxDepth: 6 }).filter((value) => !/"(__proto__|prototype)"/.test(JSON.stringify(value)))
  fc.assert(
    fc.property(json, fc.constantFrom('message' as const, 'reply' as const), (value, at) => {
      const copy = portableCopy(value, at)
      return isDeepFrozen(copy) && isDeepStrictEqual(copy, JSON.parse(JSON.stringify(value)))
    }),
    { numRuns: 500 },
  )
  t.end()
})

t.test('anything else is refused with an error of ours, or JSON did not change it', (t) => {
  const anything = fc.anything({
    maxDepth: 4,
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withObjectString: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
  })
  const seen = { copied: 0, refused: 0 }
  fc.assert(
    fc.property(anything, (value) => {
      try {
        const copy = portableCopy(value, 'reply')
        seen.copied += 1
        const round: unknown = value === undefined ? undefined : JSON.parse(JSON.stringify(value))
        return isDeepFrozen(copy) && isFaithful(value, copy) && isFaithful(round, copy)
      } catch (error) {
        seen.refused += 1
        return error instanceof LuciliusError
      }
    }),
    { numRuns: 5000 },
  )
  t.ok(seen.copied > 500 && seen.refused > 500, 'both happened often')
  t.end()
})

t.test('what JSON would change is refused, with the path of the field and what to send instead', (t) => {
  const cases: [unknown, RegExp][] = [
    [new Date(0), /'items\[1\]\.v' is a Date\. Send items\[1\]\.v\.toISOString\(\)\./],
    [new Map(), /is a Map\. Send Object\.fromEntries\(items\[1\]\.v\)\./],
    [new Set(), /is a Set\. Send \[\.\.\.items/],
    [/x/, /is a RegExp\./],
    [new Order(), /is an instance of Order\. Send a plain object: \{ \.\.\.items\[1\]\.v \}\./],
    [Object.create({ a: 1 }), /is an object with a prototype of its own\./],
    [new (class Lines extends Array {})(), /is an instance of Lines\. Send \[\.\.\.items/],
    [() => 1, /is a function\./],
    [Symbol('x'), /is a symbol\./],
    [Number.NaN, /is NaN\./],
    [Number.NEGATIVE_INFINITY, /is -Infinity\./],
    [10n, /is a bigint\. Send String\(/],
    [Promise.resolve(), /is a Promise\. Await it first\./],
    [new TypeError('x'), /is an Error\./],
    [Object(1), /is a boxed primitive\./],
    [Object('x'), /is a boxed primitive\./],
    [new Uint8Array(2), /is a Uint8Array\. Send Array\.from\(/],
    [Buffer.from('x'), /is a Buffer\. Send .*\.toString\('base64'\)\./],
    [new ArrayBuffer(2), /is an instance of ArrayBuffer\./],
    [new URL('http://127.0.0.1'), /is a URL\. Send .*\.href\./],
    [{ toJSON: () => 1 }, /is an object with a toJSON method\./],
    [Object.defineProperty({}, 'toJSON', { value: () => 1 }), /is an object with a toJSON method\./],
    [Object.assign([1], { toJSON: () => 1 }), /is an object with a toJSON method\./],
    [{ [Symbol('mark')]: 1 }, /has the symbol key Symbol\(mark\)\./],
  ]
  for (const [v, message] of cases) {
    const error = refusal({ items: [1, { v }] })
    t.match(error, { code: 'LUC_NOT_PORTABLE', handled: /^no$/, message, details: { path: /^items\[1\]\.v$/ } })
    t.match(error.message, /^Message cannot be carried: '/)
  }
  t.end()
})

t.test('what JSON would change about arrays and properties is refused', (t) => {
  t.match(refusal({ a: [1, undefined] }), { message: /'a\[1\]' is undefined\. Send null, or leave it out\./ })
  // biome-ignore lint/suspicious/noSparseArray: the subject of the test
  t.match(refusal({ a: [1, , 3] }), { message: /'a\[1\]' is a hole in an array\./ })
  t.match(refusal({ a: new Array(1e9) }), { message: /'a\[0\]' is a hole in an array\./ })
  t.match(refusal({ a: Object.assign([1], { extra: 2 }) }), {
    message: /'a' is an array with the extra property extra\./,
  })
  t.match(refusal({ a: Object.assign([1], { [Symbol('s')]: 2 }) }), { message: /'a' has the symbol key Symbol\(s\)\./ })
  const item = Object.defineProperty([0], 0, { get: () => 1, enumerable: true })
  t.match(refusal({ a: item }), { code: 'LUC_NOT_PORTABLE', message: /'a\[0\]' is a getter or setter\./ })
  t.end()
})

t.test('a getter is refused and never run', (t) => {
  let runs = 0
  const value = {
    inner: {
      get price() {
        runs += 1
        return 1
      },
    },
  }
  t.match(refusal(value), {
    code: 'LUC_NOT_PORTABLE',
    details: { path: 'inner.price' },
    message: /is a getter or setter/,
  })
  t.equal(runs, 0)
  t.end()
})

t.test('what throws when it is read is refused', (t) => {
  const cause = new Error('no')
  const ownKeys = () => {
    throw cause
  }
  const found = { code: 'LUC_NOT_PORTABLE', message: /throws when it is read/, cause }
  t.match(refusal({ a: new Proxy({}, { ownKeys }) }), found)
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  t.match(refusal(proxy, 'reply'), { code: 'LUC_NOT_PORTABLE', handled: 'yes' })
  t.end()
})

t.test('a cycle is refused, with the place where it begins again', (t) => {
  const order: Record<string, unknown> = { id: 1 }
  order.items = [{ order }]
  t.match(refusal({ order }), { code: 'LUC_NOT_PORTABLE', details: { path: 'order.items[0].order' } })
  t.match(refusal({ order }).message, /'order\.items\[0\]\.order' is 'order' again: a cycle\. Send an id/)
  const self: Record<string, unknown> = {}
  self.self = self
  t.match(refusal(self).message, /'self' is the message itself again/)
  t.end()
})

t.test('an object that stands in two places is copied to both', (t) => {
  const shared = { a: 1 }
  t.strictSame(portableCopy({ one: shared, two: [shared, shared] }, 'message'), {
    one: { a: 1 },
    two: [{ a: 1 }, { a: 1 }],
  })
  t.end()
})

t.test('undefined properties are dropped, -0 becomes 0, what is not enumerable is ignored', (t) => {
  const value = { a: undefined, b: -0, c: [-0] }
  Object.defineProperty(value, 'hidden', { value: new Date(0) })
  Object.defineProperty(value, Symbol('hidden'), { value: 1 })
  const copy = portableCopy(value, 'message')
  t.strictSame(copy, { b: 0, c: [0] })
  t.ok(Object.is((copy as { b: number }).b, 0))
  t.end()
})

t.test('the copy is new: changing the original changes nothing', (t) => {
  const value = { list: [{ a: 1 }] }
  const copy = portableCopy(value, 'message') as typeof value
  value.list.push({ a: 2 })
  t.strictSame(copy, { list: [{ a: 1 }] })
  t.throws(() => copy.list.push({ a: 3 }), TypeError)
  t.end()
})

t.test('plain objects without a prototype or of another realm are plain', (t) => {
  const foreign: unknown = runInNewContext('({ a: [1, { b: 2 }] })')
  t.strictSame(portableCopy(foreign, 'message'), { a: [1, { b: 2 }] })
  const bare = Object.assign(Object.create(null), { a: 1 })
  t.equal(Object.getPrototypeOf(portableCopy(bare, 'message')), Object.prototype)
  t.match(refusal({ at: runInNewContext('new Date(0)') }), { message: /'at' is a Date/ })
  t.end()
})

t.test('lone surrogates and odd keys survive as JSON carries them', (t) => {
  const value = { '\ud800': '\udfff', '': { 'a b': 1 }, toString: 1, constructor: 'c', prototype: { a: 1 } }
  t.ok(isDeepStrictEqual(portableCopy(value, 'message'), value))
  t.match(refusal({ 'a b': { c: 1n } }), { details: { path: '["a b"].c' } })
  t.match(refusal(Object.fromEntries([['x'.repeat(5000), 1n]])).message.length < 200, true)
  t.end()
})

t.test('keys that could reach a prototype are refused', (t) => {
  const poison: [string, string][] = [
    ['{"__proto__":1}', '__proto__'],
    ['{"a":[{"__proto__":{"b":1}}]}', 'a[0].__proto__'],
    ['{"a":{"constructor":{"prototype":{"b":1}}}}', 'a.constructor'],
  ]
  for (const [text, path] of poison) {
    const found = { details: { path }, message: /is a forbidden key/ }
    t.match(refusal(JSON.parse(text)), { code: 'LUC_MESSAGE_INVALID', handled: /^no$/, ...found })
    t.match(refusal(JSON.parse(text), 'reply'), { code: 'LUC_REPLY_INVALID', handled: 'yes', ...found })
  }
  t.ok(isDeepStrictEqual(portableCopy({ constructor: { a: 1 } }, 'message'), { constructor: { a: 1 } }))
  t.end()
})

t.test('64 objects and arrays may stand inside each other, 65 may not', (t) => {
  t.strictSame(portableCopy(nested(64), 'message'), nested(64))
  t.match(refusal(nested(65)), {
    code: 'LUC_MESSAGE_INVALID',
    handled: /^no$/,
    message: /in more than 64 objects and arrays/,
  })
  t.match(refusal(nested(100_000), 'reply'), { code: 'LUC_REPLY_INVALID', handled: 'yes' })
  t.equal(portableCopy('scalar', 'reply', { maxDepth: 0 }), 'scalar')
  t.match(refusal([], 'reply', { maxDepth: 0 }), { code: 'LUC_REPLY_INVALID' })
  t.ok(refusal(nested(65)).message.length < 250)
  t.end()
})

t.test('the size of the JSON text in bytes may reach the bound and not pass it', (t) => {
  const values: unknown[] = [
    { a: 'x' },
    { 'ä€😀': 'ä€😀' },
    ['"\\\n\u0000\ud800'],
    ['\u0001'.repeat(50)],
    [-Number.MIN_VALUE, -Math.PI / 1e300],
    [1, -1.5e-300, true, null, {}],
    [],
    'text',
    7,
  ]
  for (const value of values) {
    const bytes = Buffer.byteLength(JSON.stringify(value))
    t.strictSame(portableCopy(value, 'reply', { maxBytes: bytes }), value)
    t.match(refusal(value, 'message', { maxBytes: bytes - 1 }), { code: 'LUC_TOO_LARGE', handled: /^no$/ })
    t.match(refusal(value, 'reply', { maxBytes: bytes - 1 }), { code: 'LUC_REPLY_INVALID', handled: 'yes' })
  }
  const most = 1024 * 1024
  t.ok(portableCopy('x'.repeat(most - 2), 'reply'))
  t.match(refusal({ a: 'x'.repeat(most) }), { code: 'LUC_TOO_LARGE', message: /more than 1048576 bytes as JSON/ })
  t.end()
})

t.test('a small value that unfolds to a huge text is refused before it is copied out', (t) => {
  let value: unknown = 'x'
  for (let level = 0; level < 60; level += 1) value = [value, value]
  t.match(refusal(value), { code: 'LUC_TOO_LARGE' })
  t.end()
})

t.test('a reply that cannot be carried says that the work was done', (t) => {
  const error = refusal({ at: new Date(0) }, 'reply')
  t.match(error, { code: 'LUC_NOT_PORTABLE', handled: 'yes' })
  t.equal(error.message, "Reply cannot be carried: 'at' is a Date. Send at.toISOString().")
  t.equal(refusal(new Date(0), 'reply').message, 'Reply cannot be carried: it is a Date. Send value.toISOString().')
  t.end()
})

t.test('a reply of undefined stays undefined, scalars and arrays are replies too', (t) => {
  t.equal(portableCopy(undefined, 'reply'), undefined)
  for (const value of [null, false, 0, '', [], [[1]]]) t.strictSame(portableCopy(value, 'reply'), value)
  t.end()
})
