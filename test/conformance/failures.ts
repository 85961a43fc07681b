import type { Test } from 'tap'
import * as v from 'valibot'
import { z } from 'zod'
import { ActionError, LuciliusError } from '../../lib/index.js'
import { failureOf } from '../core/failure.js'
import { play, type Stage } from './scene.js'

const SECRET = 'S3CR3T'

/** Errors are the same wherever the handler runs. */
export function failures(t: Test, stage: Stage): void {
  t.test('an ActionError arrives unchanged: code, message, details', async (t) => {
    const { caller, service, join } = play(t, stage)
    const details = { from: 'XYZ', list: [1, { deep: null }] }
    service.add('a:1', () => {
      throw new ActionError('RATE_UNKNOWN', 'No rate from XYZ to EUR', details)
    })
    service.add('a:2', async () => {
      throw new ActionError('PLAIN', '')
    })
    await join()
    const error = await failureOf(caller.act('a:1'))
    t.ok(error instanceof ActionError)
    t.notOk(error instanceof LuciliusError)
    t.equal(error.code, 'RATE_UNKNOWN')
    t.equal(error.message, 'No rate from XYZ to EUR')
    t.strictSame(error.details, details)
    const plain = await failureOf(caller.act('a:2'))
    t.ok(plain instanceof ActionError)
    t.equal(plain.code, 'PLAIN')
    t.equal(plain.message, '')
    t.equal(plain.details, undefined)
  })

  t.test('an ActionError of an inner act passes through the outer handler', async (t) => {
    const { caller, service, other, join } = play(t, stage)
    service.add('a:1', (_, { act }) => act('a:2'))
    other.add('a:2', () => {
      throw new ActionError('NO', 'No', { x: 1 })
    })
    await join({ mutual: true })
    const error = await failureOf(caller.act('a:1'))
    t.ok(error instanceof ActionError)
    t.match(error, { code: 'NO', details: { x: 1 } })
  })

  t.test('whatever else a handler throws is LUC_ACTION_FAILED, handled, and nothing of it is told', async (t) => {
    const { caller, service, join } = play(t, stage)
    const cyclic = new Error(SECRET)
    cyclic.cause = cyclic
    const thrown: readonly [string, unknown][] = [
      ['an error', new Error(SECRET, { cause: new Error(SECRET) })],
      ['undefined', undefined],
      ['null', null],
      ['a text', SECRET],
      ['a number', 42],
      ['an object', { code: SECRET, message: SECRET, details: SECRET, status: 200 }],
      ['an error with a bad status', Object.assign(new Error(SECRET), { status: 'x', statusCode: -1, code: 'ENOENT' })],
      ['an error that is its own cause', cyclic],
      [
        'an error that throws when it is read',
        new Proxy(new Error(SECRET), {
          get: () => {
            throw new Error(SECRET)
          },
        }),
      ],
      ['an object without prototype', Object.create(null)],
      ['a symbol', Symbol(SECRET)],
    ]
    for (const [index, [, value]] of thrown.entries()) {
      service.add(`sync:${index}`, () => {
        throw value
      })
      service.add(`async:${index}`, async () => {
        throw value
      })
    }
    await join()
    for (const [index, [kind]] of thrown.entries()) {
      for (const way of ['sync', 'async']) {
        const error = await failureOf(caller.act(`${way}:${index}`))
        t.ok(error instanceof LuciliusError, `${way} ${kind}`)
        t.match(error, { code: 'LUC_ACTION_FAILED', handled: /^yes$/, retryable: false })
        t.notMatch(error.message, SECRET)
        t.equal(error.details, undefined)
        t.notMatch(JSON.stringify(error), SECRET)
      }
    }
  })

  t.test('a LuciliusError of an inner act is LUC_ACTION_FAILED, with its code in the details', async (t) => {
    const { caller, service, other, join } = play(t, stage)
    service.add('a:1', (_, { act }) => act('nobody:answers'))
    other.add('a:2', (_, { act }) => act('a:1'))
    await join({ mutual: true })
    const error = await failureOf(caller.act('a:1'))
    t.match(error, { code: 'LUC_ACTION_FAILED', handled: /^yes$/ })
    t.strictSame(error.details, { cause: 'LUC_ACTION_NOT_FOUND' })
    const twice = await failureOf(caller.act('a:2'))
    t.match(twice, { code: 'LUC_ACTION_FAILED', handled: /^yes$/ })
    t.strictSame(twice.details, { cause: 'LUC_ACTION_NOT_FOUND' })
  })

  t.test('a LuciliusError that a handler makes itself does not look like one of the framework', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', () => {
      throw new LuciliusError('LUC_SERVICE_CLOSED', SECRET)
    })
    await join()
    const error = await failureOf(caller.act('a:1'))
    t.match(error, { code: 'LUC_ACTION_FAILED', handled: /^yes$/ })
    t.notMatch(error.message, SECRET)
  })

  t.test('a handler that catches the error of an inner act replies', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', async (_, { act }) => {
      const error = await failureOf(act('a:2'))
      return [error.code, error.handled]
    })
    service.add('a:2', () => {
      throw new Error(SECRET)
    })
    await join()
    t.strictSame(await caller.act('a:1'), ['LUC_ACTION_FAILED', 'yes'])
  })

  t.test('a message that its schema refuses fails with the paths, not handled, and no handler runs', async (t) => {
    const { caller, service, join } = play(t, stage)
    let ran = 0
    const shapes = {
      zod: z.object({ to: z.string(), list: z.array(z.object({ n: z.number() })) }),
      valibot: v.object({ to: v.string(), list: v.array(v.object({ n: v.number() })) }),
    }
    for (const [kind, message] of Object.entries(shapes)) service.add({ kind }, { message }, () => ++ran)
    await join()
    for (const kind of Object.keys(shapes)) {
      const error = await failureOf(caller.act({ kind, to: 1, list: [{ n: 1 }, { n: 'x' }] }))
      t.match(error, { code: 'LUC_MESSAGE_INVALID', handled: /^no$/ }, kind)
      const { issues } = error.details as { issues: { path: string; message: string }[] }
      t.strictSame(
        issues.map(({ path }) => path),
        ['to', 'list.1.n'],
      )
      t.match(error.message, /list\.1\.n/)
    }
    t.equal(ran, 0)
  })

  t.test('a reply that its schema refuses fails with the paths, handled', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', { reply: z.object({ rate: z.number() }) }, () => ({ rate: 'high' }) as never)
    await join()
    const error = await failureOf(caller.act('a:1'))
    t.match(error, { code: 'LUC_REPLY_INVALID', handled: /^yes$/, details: { issues: [{ path: /^rate$/ }] } })
  })

  t.test('what the schema puts out is what the handler and the caller get', async (t) => {
    const { caller, service, join } = play(t, stage)
    const message = z.object({ n: z.coerce.number(), unit: z.string().default('eur') })
    service.add('a:1', { message, reply: z.object({ n: z.number().transform((n) => n * 2) }) }, (got) => {
      t.strictSame({ ...got }, { n: 21, unit: 'eur' })
      return { n: got.n, hidden: true }
    })
    await join()
    t.strictSame(await caller.act('a:1', { n: '21', extra: 1 }), { n: 42 })
  })

  t.test('details that JSON cannot hold fail in the same way everywhere', async (t) => {
    const { caller, service, join } = play(t, stage, { parity: 'strict' })
    service.add('a:1', () => {
      throw new ActionError('NO', 'No', { when: new Date() })
    })
    await join()
    t.match(await failureOf(caller.act('a:1')), {
      code: 'LUC_NOT_PORTABLE',
      handled: /^yes$/,
      details: { path: 'when' },
    })
  })

  t.test('an ActionError that is too large to be carried fails in the same way everywhere', async (t) => {
    const { caller, service, join } = play(t, stage, { parity: 'strict' })
    service.add('a:1', () => {
      throw new ActionError('NO', 'x'.repeat(2 * 1024 * 1024))
    })
    service.add('a:2', () => {
      throw new ActionError('NO', 'No', { text: 'x'.repeat(2 * 1024 * 1024) })
    })
    await join()
    for (const text of ['a:1', 'a:2']) {
      const { code, handled } = await failureOf(caller.act(text))
      t.strictSame([code, handled], ['LUC_REPLY_INVALID', 'yes'], text)
    }
  })

  t.test('what even production cannot carry is refused when it leaves the app', async (t) => {
    const { caller, service, join } = play(t, stage)
    if (stage.parity === 'off' && stage.means === undefined) return
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    service.add('a:*', ({ a }) => [{ big: 1n }, { cycle }, JSON.parse('{"__proto__":1}')][Number(a)])
    service.add('b:*', ({ b }) => {
      throw new ActionError('NO', 'No', [{ big: 1n }, { cycle }][Number(b)])
    })
    await join()
    for (const data of [{ big: 1n }, { cycle }]) {
      t.match(await failureOf(caller.act('a:1', data)), { code: 'LUC_NOT_PORTABLE', handled: /^no$/ })
    }
    for (const text of ['a:0', 'a:1', 'b:0', 'b:1']) {
      t.match(await failureOf(caller.act(text)), { code: 'LUC_NOT_PORTABLE', handled: /^yes$/ }, text)
    }
    t.match(await failureOf(caller.act('a:2')), { code: /^LUC_(REPLY|WIRE)_INVALID$/, handled: /^(yes|unknown)$/ })
  })

  t.test('a message is a plain object, or refused', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', () => 1)
    await join()
    const wrong: unknown[] = [null, 5, 'text', [], new Date(), () => 1, new (class Message {})(), Symbol('x'), 1n, true]
    for (const data of wrong) {
      t.match(await failureOf(caller.act('a:1', data as never)), { code: 'LUC_MESSAGE_INVALID', handled: /^no$/ })
    }
    for (const whole of wrong.filter((one) => typeof one !== 'string').concat([undefined])) {
      t.match(await failureOf(caller.act(whole as never)), { code: 'LUC_MESSAGE_INVALID', handled: /^no$/ })
    }
    t.match(await failureOf(caller.act('text' as never)), { code: 'LUC_PATTERN_INVALID', handled: /^no$/ })
  })
}
