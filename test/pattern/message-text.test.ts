import fc from 'fast-check'
import t from 'tap'
import { parseMessage } from '../../lib/message-text.js'

const refusal = { code: 'LUC_PATTERN_INVALID', handled: 'no' }

t.test('a message text may hold nested values, lists, null and empty texts', async (t) => {
  t.strictSame(parseMessage('role:shop,cmd:order,items:[{sku:a1,qty:2}]'), {
    role: 'shop',
    cmd: 'order',
    items: [{ sku: 'a1', qty: 2 }],
  })
  t.strictSame(parseMessage("a:null,b:'null',c:'',d:{},e:[],f:[null,[1,\n2\n'3'],],g:`x\ny`,\"\":1"), {
    a: null,
    b: 'null',
    c: '',
    d: {},
    e: [],
    f: [null, [1, 2, '3']],
    g: 'x\ny',
    '': 1,
  })
  t.strictSame(parseMessage('\n{ a : 1\n b : { c : true\n d : [ x ] } }\n'), { a: 1, b: { c: true, d: ['x'] } })
  t.strictSame(parseMessage(''), {})
  t.strictSame(parseMessage('{}'), {})
})

t.test('the number rule holds at every depth', async (t) => {
  const text = 'n:[100,-1.5,true,01,1.0,1e3,1e309,0x10,-0,"7",1_000],o:{a:01,b:{c:1.50,d:2,e:b#c}}'
  t.strictSame(parseMessage(text), {
    n: [100, -1.5, true, '01', '1.0', '1e3', '1e309', '0x10', '-0', '7', '1_000'],
    o: { a: '01', b: { c: '1.50', d: 2, e: 'b#c' } },
  })
})

t.test('JSON is a message text, and says the same', async (t) => {
  const key = fc.string().filter((text) => text !== '__proto__')
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.string({ unit: 'binary' }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }))
  fc.assert(
    fc.property(fc.dictionary(key, value, { maxKeys: 4, noNullPrototype: true }), fc.boolean(), (message, indented) => {
      const json = JSON.stringify(message, null, indented ? 2 : 0)
      t.strictSame(parseMessage(json), JSON.parse(json))
    }),
    { numRuns: 500 },
  )
})

t.test('every text either is a message or is refused with LUC_PATTERN_INVALID in one printable line', async () => {
  const piece = fc.constantFrom(
    ...[
      'a',
      'b',
      '1',
      ':',
      ',',
      '{',
      '}',
      '[',
      ']',
      ' ',
      '\n',
      '"',
      "'",
      '`',
      '\\',
      '\\u',
      '\\x4',
      '\\u{1',
      '*',
      'null',
    ],
    ...['__proto__', 'toString', '\u0000', '\u001b', '\u2028', '\ud800', 'a:1', 'a:{', 'b:['],
  )
  fc.assert(
    fc.property(fc.string({ unit: piece, maxLength: 12 }), (text) => {
      try {
        return typeof parseMessage(text) === 'object'
      } catch (error) {
        const { code, message } = error as { code: string; message: string }
        return code === 'LUC_PATTERN_INVALID' && !/\p{C}|jsonic/u.test(message)
      }
    }),
    { numRuns: 5000 },
  )
})

t.test(
  'colon chains, doubled keys, __proto__, wrong escapes and missing values are refused at every depth',
  async (t) => {
    const wrong = [
      'x:y:z',
      'k:1,k:2',
      '__proto__:1',
      '"__proto__":1',
      '"__pr\\u006fto__":1',
      'k:"\\q"',
      'k:"\\x4g"',
      'k:"\\u{41}"',
      'k:"\\u12"',
      'k:',
      'k',
      'k:1 j:2',
      'k:1,,j:2',
      ',k:1',
      'k:[1',
      'k:[1,,2]',
      'k:[,]',
      'k:[a:1]',
      'k:[1 2]',
      'k:1]',
      "k:'x'y",
      'k:\n1',
      "k:'\n'",
    ]
    for (const text of wrong) {
      for (const nested of [text, `a:{${text}}`, `a:[{b:1},{${text}}]`])
        t.throws(() => parseMessage(nested), refusal, nested)
    }
    for (const text of ['5', 'a', '[1]', '[{a:1}]', '   ', '{a:1},', '{a:1}{b:1}', '{a:1}}']) {
      t.throws(() => parseMessage(text), refusal, text)
    }
    t.equal(({} as Record<string, unknown>).polluted, undefined)
  },
)

t.test('length and depth are bounded', async (t) => {
  const nested = (depth: number) => `a:${'['.repeat(depth)}${']'.repeat(depth)}`
  t.ok(parseMessage(nested(63)))
  t.throws(() => parseMessage(nested(64)), { ...refusal, message: /deeper than 64 levels/ })
  t.throws(() => parseMessage(nested(30_000)), { ...refusal, message: /deeper than 64 levels/ })
  t.ok(parseMessage(`a:${'x'.repeat(65_534)}`))
  t.throws(() => parseMessage(`a:${'x'.repeat(65_535)}`), {
    ...refusal,
    message: /at most 65536 are read. Pass an object/,
  })
})

t.test('a message text gives one deep-frozen message as long as it is in use', async (t) => {
  const message = parseMessage('a:{b:[{c:1}]}') as { a: { b: [{ c: number }] } }
  t.equal(parseMessage('a:{b:[{c:1}]}'), message)
  for (const part of [message, message.a, message.a.b, message.a.b[0]]) t.ok(Object.isFrozen(part))
})
