import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { portableCopy } from '../../lib/portable.js'
import { decodeJson, encodeJson } from '../../lib/wire-json.js'

const bytes = (...values: number[]) => Uint8Array.from(values)

t.test('what is encoded is decoded to the same value, from text and from bytes', (t) => {
  const json = fc.jsonValue({ maxDepth: 6 }).filter((value) => !/"(__proto__|prototype)"/.test(JSON.stringify(value)))
  fc.assert(
    fc.property(json, (value) => {
      const text = encodeJson(value)
      const plain: unknown = JSON.parse(text)
      return isDeepStrictEqual(decodeJson(text), plain) && isDeepStrictEqual(decodeJson(Buffer.from(text)), plain)
    }),
    { numRuns: 300 },
  )
  t.equal(decodeJson(' null\n'), null)
  t.strictSame(decodeJson(new Uint8Array(Buffer.from('x{"a":1}y')).subarray(1, 8)), { a: 1 }, 'a part of a buffer')
  t.end()
})

t.test('what is not JSON in UTF-8 is refused, and never repeated in the error', (t) => {
  const wrong = ['', ' ', '{', '{"secret":tru}', 'undefined', 'NaN', "{'a':1}", '[1,]', '{"a":1} secret', '\ufeff{}']
  for (const text of wrong) {
    t.throws(() => decodeJson(text), { code: 'LUC_WIRE_INVALID', handled: /^no$/ }, JSON.stringify(text))
    t.throws(() => decodeJson(Buffer.from(text)), { code: 'LUC_WIRE_INVALID' })
  }
  try {
    decodeJson('{"secret":tru}')
  } catch (error) {
    t.notMatch(String(error), /secret|tru/)
    t.notMatch(JSON.stringify(error), /secret|tru/)
  }
  t.throws(() => decodeJson(bytes(0x22, 0xff, 0x22)), { code: 'LUC_WIRE_INVALID', message: /not UTF-8/ })
  t.throws(() => decodeJson(bytes(0x22, 0xed, 0xa0, 0x80, 0x22)), { message: /not UTF-8/ }, 'a surrogate')
  t.throws(() => decodeJson(bytes(0xef, 0xbb, 0xbf, 0x7b, 0x7d)), { message: /byte order mark/ })
  t.end()
})

t.test('keys that could reach a prototype are refused, escaped ones too', (t) => {
  const poison = [
    '{"__proto__":{"a":1}}',
    '{"a":[{"__proto__":1}]}',
    '{"\\u005f_proto__":1}',
    '{"\\u005F\\u005f\\u0070\\u0072\\u006F\\u0074\\u006f\\u005f\\u005f" : null}',
    '{"constructor":{"prototype":{}}}',
    '{"a":{"\\u0063onstructor":{"proto\\u0074ype":1}}}',
  ]
  for (const text of poison) {
    t.throws(() => decodeJson(text), { code: 'LUC_MESSAGE_INVALID', message: /forbidden key/ }, text)
    t.throws(() => portableCopy(JSON.parse(text), 'message'), { code: 'LUC_MESSAGE_INVALID' }, 'as strict parity does')
  }
  for (const text of ['{"constructor":"x"}', '{"constructor":{"a":1}}', '{"prototype":{}}', '{"a":"__proto__"}']) {
    t.ok(isDeepStrictEqual(decodeJson(text), JSON.parse(text)), text)
    t.ok(isDeepStrictEqual(portableCopy(JSON.parse(text), 'message'), JSON.parse(text)), text)
  }
  t.end()
})

t.test('64 objects and arrays may stand inside each other, 65 may not, whatever brackets the strings hold', (t) => {
  const nested = (levels: number) => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`
  const deep = { code: 'LUC_MESSAGE_INVALID', message: /more than 64 objects and arrays/ }
  t.strictSame(decodeJson(nested(64)), JSON.parse(nested(64)))
  t.throws(() => decodeJson(nested(66)), deep)
  t.throws(() => decodeJson(`[${nested(64)}]`), deep)
  t.throws(() => decodeJson('['.repeat(1024 * 1024)), deep)
  t.throws(() => decodeJson('{"a":'.repeat(200_000)), deep)
  t.throws(() => decodeJson('[[]]', { maxDepth: 1 }), { code: 'LUC_MESSAGE_INVALID' })
  const strings = JSON.stringify([...Array.from({ length: 100 }, () => '[{"\\'), '\\"[', '['.repeat(100)])
  t.strictSame(decodeJson(strings), JSON.parse(strings))
  const wide = JSON.stringify(Array.from({ length: 500 }, () => [{}]))
  t.strictSame(decodeJson(wide), JSON.parse(wide))
  t.end()
})

t.test('the decoder and strict parity agree on what is too deep', (t) => {
  const refuses = (run: () => unknown) => {
    try {
      run()
      return false
    } catch {
      return true
    }
  }
  for (let levels = 0; levels < 8; levels += 1) {
    const text = `${'['.repeat(levels)}0${']'.repeat(levels)}`
    const limits = { maxDepth: 4 }
    const both = [
      refuses(() => decodeJson(text, limits)),
      refuses(() => portableCopy(JSON.parse(text), 'reply', limits)),
    ]
    t.same(both, [levels > 4, levels > 4])
  }
  t.end()
})

t.test('a text may have as many bytes as are allowed and not one more', (t) => {
  t.equal(decodeJson('"abc"', { maxBytes: 5 }), 'abc')
  t.throws(() => decodeJson('"abc"', { maxBytes: 4 }), {
    code: 'LUC_TOO_LARGE',
    handled: /^no$/,
    message: /more than 4 bytes/,
  })
  t.equal(decodeJson('"€"', { maxBytes: 5 }), '€')
  t.throws(() => decodeJson('"€"', { maxBytes: 4 }), { code: 'LUC_TOO_LARGE' })
  t.throws(() => decodeJson(Buffer.from('"€"'), { maxBytes: 4 }), { code: 'LUC_TOO_LARGE' })
  t.throws(() => decodeJson(`"${'x'.repeat(1024 * 1024)}"`), { code: 'LUC_TOO_LARGE' })
  t.end()
})

t.test('a bigint and a cycle are refused with their path, in messages and in replies', (t) => {
  const order: Record<string, unknown> = { lines: [1, { n: 1n }] }
  const bigint = {
    code: 'LUC_NOT_PORTABLE',
    handled: /^no$/,
    message: /'order\.lines\[1\]\.n' is a bigint\. Send it as a string\./,
  }
  t.throws(() => encodeJson({ at: new Date(0), order }), bigint)
  t.throws(() => encodeJson({ order }, 'reply'), { code: 'LUC_NOT_PORTABLE', handled: 'yes', message: /^Reply/ })
  order.lines = [{ order }]
  const cycle = { code: 'LUC_NOT_PORTABLE', details: { path: 'order.lines[0].order' }, message: /stands inside itself/ }
  t.throws(() => encodeJson({ order }), cycle)
  t.throws(() => encodeJson(1n), { code: 'LUC_NOT_PORTABLE', message: /^Message cannot be carried: it is a bigint/ })
  t.end()
})

t.test('an object in two places is no cycle, even beside one', (t) => {
  const shared = { a: [1] }
  t.equal(encodeJson({ one: shared, two: [shared, shared] }), '{"one":{"a":[1]},"two":[{"a":[1]},{"a":[1]}]}')
  t.throws(() => encodeJson({ one: shared, two: [shared, shared], n: 1n }), { message: /: 'n' is a bigint/ })
  t.end()
})

t.test('nothing is sent in place of what has no JSON text', (t) => {
  t.throws(() => encodeJson(undefined), { code: 'LUC_NOT_PORTABLE', message: /it is undefined/ })
  t.throws(() => encodeJson(() => 1), { code: 'LUC_NOT_PORTABLE', message: /it is a function/ })
  const broken = new Error('broken')
  const value = {
    toJSON() {
      throw broken
    },
  }
  t.throws(() => encodeJson({ value }), { code: 'LUC_NOT_PORTABLE', cause: broken })
  t.end()
})
