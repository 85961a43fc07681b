import fc from 'fast-check'
import t from 'tap'
import { LuciliusError } from '../../lib/errors.js'
import { toPattern } from '../../lib/pattern.js'
import { readCases } from '../support/repo-root.js'

interface Cases {
  readonly accepted: readonly { readonly text: string; readonly pattern: Record<string, unknown> }[]
  readonly refused: readonly string[]
}

const cases = readCases<Cases>('patterns.json')
const refusal = { code: 'LUC_PATTERN_INVALID', handled: 'no' }

/** Characters that a parser, a canonical text or a plain object might trip over. */
const nasty = fc.constantFrom(
  ...[
    'a',
    'b',
    '1',
    '0',
    '-',
    '.',
    'e',
    '+',
    '$',
    '#',
    '/',
    '\\',
    '"',
    "'",
    '`',
    ':',
    ',',
    '{',
    '}',
    '[',
    ']',
    ' ',
    '*',
    '?',
  ],
  ...['é', 'e\u0301', '😀', '\ud800', '\u200b', '\u00a0', '\u2028', 'null', 'true', '_'],
)
const nastyText = fc.string({ unit: nasty, minLength: 1, maxLength: 8 })
const isUsable = (text: string) => !(text in {}) && text !== 'prototype' && text.split(/\*+/).length <= 9
const usableText = nastyText.filter(isUsable)
const scalar = fc.oneof(usableText, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean())
const pairs = fc.dictionary(usableText, scalar, { maxKeys: 5, noNullPrototype: true })

t.test('every pattern string of the accepted cases gives its pairs', async (t) => {
  for (const { text, pattern } of cases.accepted) t.same(toPattern(text).pairs, pattern, JSON.stringify(text))
})

t.test(
  'every pattern string of the refused cases is LUC_PATTERN_INVALID and says so in one printable line',
  async (t) => {
    for (const text of cases.refused) {
      t.throws(() => toPattern(text), refusal, JSON.stringify(text))
      t.notMatch(
        messageOf(() => toPattern(text)),
        /\p{C}|jsonic|node_modules/u,
      )
    }
  },
)

t.test('a refusal says what is wrong, where, and what to do', async (t) => {
  const says = (text: string, expected: string) =>
    t.equal(
      messageOf(() => toPattern(text)),
      expected,
    )
  says('a:b:c', `Pattern "a:b:c": the value of "a" holds another colon. Quote it: a:'b:c'`)
  says(
    'url:http://x , b:1',
    `Pattern "url:http://x , b:1": the value of "url" holds another colon. Quote it: url:'http://x'`,
  )
  says('a:', `Pattern "a:": the key "a" has no value. Write it after the colon, an empty text as ''.`)
  says('a,b', 'Pattern "a,b": the key "a" has no value. Write key:value.')
  says(
    'a:1 b:2',
    'Pattern "a:1 b:2": "b" follows the value of "a" with no comma. Add one, or quote a text that holds spaces.',
  )
  says('a b:1', 'Pattern "a b:1": "a" and "b" have no comma between them. Add one, or quote a text that holds spaces.')
  says('a:1,a:2', 'Pattern "a:1,a:2": the key "a" stands twice. Keep one of them.')
  says("a:'b", `Pattern "a:'b": the quote at line 1, column 3 is never closed. Add the missing quote.`)
  says('  ', 'Pattern "  ": it holds no key:value pair. Write at least one, as in role:convert.')
  says('{a:1', 'Pattern "{a:1": the brace is never closed. Add the missing "}".')
  says('a:1}{', 'Pattern "a:1}{": "}" closes nothing. Remove it, or quote a text that holds it.')
  says('a:1,,b:2', 'Pattern "a:1,,b:2": there is nothing before a comma. Remove the comma.')
  says('a:null', 'Pattern "a:null": the value of "a" is null. Use a non-empty string, a finite number or a boolean.')
})

t.test('an error message shows hostile input escaped and cut', async (t) => {
  const inputs = [
    '\u001b[31m',
    'a:\u001b]0;x\u0007:b',
    '\u009b:1',
    'a:[\u001b:1]',
    `a:"\\z\u202e"`,
    'a\nb',
    `${'x'.repeat(5000)}`,
  ]
  for (const input of inputs) {
    const message = messageOf(() => toPattern(input))
    t.notMatch(message, /\p{C}/u, JSON.stringify(input).slice(0, 40))
    t.ok(message.length < 400)
  }
  t.notOk('cause' in (errorOf(() => toPattern("a:'b")) as object), "the parser's own error goes no further")
})

t.test('sizes are refused before they cost anything', async (t) => {
  const many = Array.from({ length: 20_000 }, (_, at) => `k${at}:1`).join(',')
  for (const text of [
    many,
    `${'a:'.repeat(5000)}1`,
    `a:${'*'.repeat(10_000)}`,
    'a:'.repeat(2047),
    `a:${'['.repeat(4000)}`,
  ]) {
    const before = performance.now()
    t.throws(() => toPattern(text), refusal)
    t.ok(performance.now() - before < 100)
  }
  t.throws(() => toPattern({ a: 'x'.repeat(4095) }), refusal, 'the canonical text is bounded as well')
  t.throws(
    () => toPattern(Object.fromEntries(many.split(',').map((pair) => pair.split(':') as [string, string]))),
    refusal,
  )
  t.equal(toPattern(`a:${'x'.repeat(4094)}`).text.length, 4096)
})

t.test('key order, spacing and quotes mean nothing, and the canonical text is sorted', async (t) => {
  const text = 'cmd:rate,role:convert'
  for (const same of [
    'role:convert,cmd:rate',
    ' role : convert\n\n,\n "cmd" : `rate` ,\n',
    '{cmd:rate\nrole:"convert"}',
  ]) {
    t.equal(toPattern(same).text, text)
  }
  t.same(toPattern('b:1,B:2,a:3').keys, ['B', 'a', 'b'], 'by UTF-16 code units')
  t.same(toPattern('9:a,10:b').keys, ['10', '9'])
})

t.test('a bare value keeps its text unless it is how JSON prints a number or boolean', async (t) => {
  const bare = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1 }),
    fc.stringMatching(/^[-+]?[0-9_]{1,4}(\.[0-9]{0,3})?(e[-+]?[0-9]{1,3})?$/),
    fc.stringMatching(/^0[xob][0-9a-f]{1,4}$/),
    fc.constantFrom(
      'NaN',
      'Infinity',
      '-Infinity',
      '-0',
      '1e21',
      '1e+21',
      '1e309',
      '007',
      'True',
      'b#c',
      'x//y',
      '/*x*/',
      "it's",
    ),
  )
  const isBare = (text: string) => !/[\s:,{}[\]\p{C}]|^['"`]/u.test(text) && isUsable(text) && text !== 'null'
  fc.assert(
    fc.property(bare.filter(isBare), (text) => {
      const value = toPattern(`a:${text}`).pairs.a
      const printed = typeof value === 'string' ? value : JSON.stringify(value)
      const isJson = isJsonText(text)
      return printed === text && (typeof value === 'string') === !isJson
    }),
    { numRuns: 3000 },
  )
  t.same(toPattern('a:\'1\',b:"true"').pairs, { a: '1', b: 'true' }, 'what is quoted stays a string')
})

t.test('a canonical text reads back as the same pattern, and different patterns have different texts', async (t) => {
  const texts = (values: Record<string, unknown>) =>
    JSON.stringify(
      Object.keys(values)
        .sort()
        .map((key) => [key, String(values[key]).replace(/\*+/g, '*')]),
    )
  fc.assert(
    fc.property(pairs, pairs, (one, other) => {
      const pattern = toPattern(one)
      const again = toPattern(pattern.text)
      t.equal(again.text, pattern.text)
      t.strictSame(again.keys, pattern.keys)
      t.strictSame(again.values, pattern.values)
      t.equal(again.globs, pattern.globs)
      t.equal(toPattern(other).text === pattern.text, texts(one) === texts(other))
    }),
    { numRuns: 1500 },
  )
  t.equal(toPattern({ a: 1 }).text, toPattern("a:'1'").text, '1 and "1" match the same messages')
  t.equal(toPattern({ a: 'null', null: 'x y', b: 'x:y' }).text, 'a:"null",b:"x:y",null:"x y"')
  t.equal(toPattern('a:x***y').text, 'a:x*y', 'a run of stars is one star')
  t.not(toPattern('role:caf\u00e9').text, toPattern('role:cafe\u0301').text)
  t.equal(toPattern('role:cafe\u0301').text, 'role:"cafe\\u0301"', 'what looks the same is shown with escapes')
})

t.test('the empty pattern is the catch-all and must be written as the empty text or object', async (t) => {
  t.match(toPattern(''), { text: '', keys: [], values: [], globs: 0 })
  t.equal(toPattern({}).text, '')
  for (const text of [' ', '\n', '{}', ',']) t.throws(() => toPattern(text), refusal)
})

t.test('names that plain objects come with are neither keys nor values', async (t) => {
  for (const name of [...Object.getOwnPropertyNames(Object.prototype), 'prototype']) {
    t.throws(() => toPattern(`${name}:x`), refusal)
    t.throws(() => toPattern(`a:'${name}'`), refusal)
    t.throws(() => toPattern(JSON.parse(`{"${name}":1}`)), refusal)
    t.throws(() => toPattern({ a: name }), refusal)
  }
})

t.test('an object pattern is a plain object of non-empty scalars', async (t) => {
  const refused: unknown[] = [
    { a: () => 1 },
    { a: null },
    { a: undefined },
    { a: [1] },
    { a: {} },
    { a: '' },
    { a: Number.NaN },
    { a: 1n },
    { a: Number.POSITIVE_INFINITY },
    { a: Symbol('x') },
    { [Symbol('x')]: 1 },
    { '': 1 },
    { 'a\n': 1 },
    { a: '\u0085' },
    [],
    [1],
    null,
    undefined,
    5,
    () => 1,
    new Map(),
    new (class Odd {})(),
    Object.create({ a: 1 }),
  ]
  for (const input of refused) t.throws(() => toPattern(input as Record<string, unknown>), refusal)
  t.equal(toPattern(Object.assign(Object.create(null), { a: 1 })).text, 'a:1')
  t.equal(toPattern({ a: -0 }).text, 'a:0')
})

t.test('a pattern is copied once: Proxies and later changes have no effect, throwing traps are refused', async (t) => {
  let reads = 0
  const counted = new Proxy({ a: 1 }, { get: () => ++reads })
  t.equal(toPattern(counted).text, 'a:1')
  t.equal(reads, 1)
  const given: Record<string, unknown> = { a: 1 }
  const pattern = toPattern(given)
  given.a = 2
  t.same(pattern.pairs, { a: 1 })
  const failing = {
    get a() {
      throw new Error('no')
    },
  }
  t.throws(() => toPattern(failing), refusal)
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  t.throws(() => toPattern(proxy), refusal)
})

t.test('patterns are frozen, remembered by text, and many of them do not pile up', async (t) => {
  const pattern = toPattern('role:a,cmd:b*')
  t.equal(toPattern('role:a,cmd:b*'), pattern)
  for (const part of [pattern, pattern.pairs, pattern.keys, pattern.values]) t.ok(Object.isFrozen(part))
  for (let at = 0; at < 2001; at++) toPattern(`a:${at}`)
  t.not(toPattern('role:a,cmd:b*'), pattern)
})

t.test('a value has at most eight stars, a run counting as one', async (t) => {
  t.equal(toPattern(`a:${'x**'.repeat(8)}`).globs, 1)
  t.throws(() => toPattern(`a:${'x*'.repeat(9)}`), refusal)
  t.equal(toPattern(`a:${'*'.repeat(4000)}`).text, 'a:*')
})

function isJsonText(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return (typeof value === 'number' || typeof value === 'boolean') && JSON.stringify(value) === text
  } catch {
    return false
  }
}

function errorOf(act: () => unknown): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}

function messageOf(act: () => unknown): string {
  const error = errorOf(act)
  if (error instanceof LuciliusError) return error.message
  throw error
}
