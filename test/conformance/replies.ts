import type { Test } from 'tap'
import { failureOf } from '../core/failure.js'
import { play, type Stage } from './scene.js'

/** Replies and messages arrive as they were sent. */
export function replies(t: Test, stage: Stage): void {
  const values: readonly [string, unknown][] = [
    ['an object', { rate: 0.91, nested: { list: [1, 'two', null, { three: true }] } }],
    ['an empty object', {}],
    ['an array', [1, [2, [3]], {}]],
    ['an empty array', []],
    ['a text', 'Hello'],
    ['an empty text', ''],
    ['a number', -1.5e-7],
    ['zero', 0],
    ['the largest safe integer', Number.MAX_SAFE_INTEGER],
    ['true', true],
    ['false', false],
    ['null', null],
    ['undefined', undefined],
  ]

  t.test('a reply of every kind of JSON value arrives as it was given', async (t) => {
    const { caller, service, join } = play(t, stage)
    for (const [index, [, value]] of values.entries()) service.add(`case:${index}`, () => value)
    await join()
    for (const [index, [kind, value]] of values.entries()) {
      t.strictSame(await caller.act(`case:${index}`), value, kind)
    }
  })

  t.test('an async handler, a thenable and a plain value are the same to the caller', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('how:sync', () => 1)
    service.add('how:async', async () => 1)
    // biome-ignore lint/suspicious/noThenProperty: thenables are what this is about
    service.add('how:thenable', () => ({ then: (resolve: (value: number) => void) => resolve(1) }))
    await join()
    for (const how of ['sync', 'async', 'thenable']) t.equal(await caller.act({ how }), 1, how)
  })

  t.test('undefined properties of messages and replies are dropped', async (t) => {
    const { caller, service, join } = play(t, stage, { parity: 'strict' })
    service.add('a:1', (message) => ({ keys: Object.keys(message).sort(), gone: undefined }))
    await join()
    const reply = { keys: ['a', 'kept'] }
    t.strictSame(await caller.act('a:1', { gone: undefined, kept: 1 }), reply)
    t.strictSame(await caller.act({ a: 1, gone: undefined, kept: 1 }), reply)
    t.strictSame(await caller.act({ a: 1, gone: undefined }, { kept: 1, never: undefined }), reply)
    t.notOk('gone' in ((await caller.act('a:1')) as object), 'nor does the reply have the key')
  })

  t.test('an undefined property of the pattern object contradicts nothing', async (t) => {
    const { caller, service, join } = play(t, stage, { parity: 'strict' })
    service.add('a:1', ({ b }) => b)
    await join()
    t.equal(await caller.act({ a: 1, b: undefined }, { b: 2 }), 2)
  })

  t.test('texts of any script, of any length, and hostile keys arrive as they were sent', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', (message) => message)
    await join()
    const message = {
      text: 'Grüße 你好 🙂 \u0000\u0007\u2028\u2029 "quoted" \\ </script>',
      'key with spaces': 1,
      clé: 'é',
      fatal$: true,
      timeout$: 1,
      'a.b': { 'c:d,e': [] },
      toString: 'text',
      hasOwnProperty: false,
      constructor: 'a word',
      '': 'empty key',
      0: 'index',
    }
    t.strictSame(await caller.act('a:1', message), { ...message, a: 1 })
  })

  t.test('keys in any order are the same message', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('b:2,a:1', () => 'both')
    await join()
    t.equal(await caller.act({ c: 3, b: 2, a: 1 }), 'both')
    t.equal(await caller.act('a:1,c:3,b:2'), 'both')
    t.equal(await caller.act('b:2', { a: 1 }), 'both')
    t.equal(await caller.act({ a: 1 }, { b: 2 }), 'both')
  })

  t.test('a key that could reach a prototype is refused wherever the handler is', async (t) => {
    const { caller, service, join } = play(t, stage)
    let ran = 0
    service.add('a:1', () => ++ran)
    await join()
    const poison = JSON.parse('{"__proto__":{"polluted":true}}') as object
    const expected = { code: 'LUC_MESSAGE_INVALID', handled: /^no$/ }
    t.match(await failureOf(caller.act('a:1', { ...{}, ...poison, ['__proto__']: 1 } as never)), expected)
    t.match(await failureOf(caller.act('a:1', poison as never)), expected)
    if (stage.parity === 'strict') t.match(await failureOf(caller.act('a:1', { inside: poison })), expected)
    t.equal(ran, 0)
    t.equal(({} as { polluted?: boolean }).polluted, undefined)
  })

  t.test('what the handler does to its message is not seen by the caller', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', (message) => {
      try {
        Object.assign(message, { changed: true })
      } catch {
        // Strict parity froze it.
      }
      return 'done'
    })
    await join()
    const message = { nested: { x: 1 } }
    await caller.act('a:1', message)
    t.strictSame(message, { nested: { x: 1 } })
    t.notOk(Object.isFrozen(message) || Object.isFrozen(message.nested), 'and the caller may go on changing it')
  })

  t.test('64 levels pass and 65 are refused, with the same error everywhere', async (t) => {
    const { caller, service, join } = play(t, stage, { parity: 'strict' })
    service.add('a:1', () => 'fine')
    service.add('deep:*', ({ deep }) => nested(Number(deep)))
    await join()
    t.equal(await caller.act('a:1', { inside: nested(63) }), 'fine')
    t.match(await failureOf(caller.act('a:1', { inside: nested(64) })), {
      code: 'LUC_MESSAGE_INVALID',
      handled: /^no$/,
    })
    t.strictSame(await caller.act('deep:64'), nested(64))
    t.match(await failureOf(caller.act('deep:65')), { code: 'LUC_REPLY_INVALID', handled: /^yes$/ })
  })

  t.test('a message of 1 MiB passes and one of a byte more is refused, with the same error everywhere', async (t) => {
    const { caller, service, join } = play(t, stage, { parity: 'strict' })
    service.add('a:1', ({ text }) => (text as string).length)
    service.add('size:*', ({ size }) => 'é'.repeat(Number(size) / 2 - 1))
    await join()
    const room = 1024 * 1024 - JSON.stringify({ a: 1, text: '' }).length
    t.equal(await caller.act('a:1', { text: 'x'.repeat(room) }), room)
    t.match(await failureOf(caller.act('a:1', { text: 'x'.repeat(room + 1) })), {
      code: 'LUC_TOO_LARGE',
      handled: /^no$/,
    })
    t.equal(((await caller.act('size:1048576')) as string).length, 1024 * 512 - 1, 'bytes are counted, not characters')
    t.match(await failureOf(caller.act('size:1048578')), { code: 'LUC_REPLY_INVALID', handled: /^yes$/ })
  })

  t.test('a thousand calls at once, some slow, get their own replies', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', ({ n }) => n)
    service.add('a:2', async ({ n }) => {
      await new Promise((resolve) => setTimeout(resolve, (Number(n) * 7) % 30))
      return n
    })
    service.add('a:3', async ({ n }) => {
      await null
      return { n }
    })
    await join()
    const expected = Array.from({ length: 1000 }, (_, n) => (n % 3 === 2 ? { n } : n))
    t.strictSame(await Promise.all(expected.map((_, n) => caller.act(`a:${(n % 3) + 1}`, { n }))), expected)
  })

  t.test('what JSON would change fails with the path of the field, in messages and in replies', async (t) => {
    const { caller, service, join } = play(t, stage, { parity: 'strict' })
    service.add('a:1', () => 'fine')
    service.add('a:2', () => ({ list: [{ when: new Date() }] }))
    await join()
    const inMessage = await failureOf(caller.act('a:1', { list: [{ when: new Date() }] }))
    t.match(inMessage, { code: 'LUC_NOT_PORTABLE', handled: /^no$/, details: { path: /^list\[0\]\.when$/ } })
    t.match(inMessage.message, /list\[0\]\.when/)
    const inReply = await failureOf(caller.act('a:2'))
    t.match(inReply, { code: 'LUC_NOT_PORTABLE', handled: /^yes$/, details: { path: /^list\[0\]\.when$/ } })
  })
}

/** Objects inside each other, so many of them. */
function nested(levels: number): object {
  let value: object = {}
  for (let level = 1; level < levels; level++) value = level % 2 ? { value } : [value]
  return value
}
