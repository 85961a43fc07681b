import t from 'tap'
import * as v from 'valibot'
import { z } from 'zod'
import { lucilius } from '../../lib/index.js'
import { gate } from './eventually.js'
import { failureOf } from './failure.js'

const kinds = {
  zod: {
    plain: z.object({ from: z.string(), amount: z.number().optional() }),
    defaults: z.object({ n: z.coerce.number().default(7) }),
    strict: z.strictObject({ a: z.number(), from: z.string() }),
    loose: z.looseObject({ from: z.string() }),
    slow: z
      .object({ from: z.string() })
      .refine(async (value) => (await Promise.resolve(value)).from !== 'bad', 'is bad'),
  },
  valibot: {
    plain: v.object({ from: v.string(), amount: v.optional(v.number()) }),
    defaults: v.object({ n: v.optional(v.pipe(v.unknown(), v.transform(Number)), 7) }),
    strict: v.strictObject({ a: v.number(), from: v.string() }),
    loose: v.looseObject({ from: v.string() }),
    slow: v.pipeAsync(
      v.object({ from: v.string() }),
      v.checkAsync(async (value) => (await Promise.resolve(value)).from !== 'bad', 'is bad'),
    ),
  },
}

for (const [kind, schemas] of Object.entries(kinds)) {
  t.test(`${kind}: properties that the schema does not know are no reason to fail`, async (t) => {
    const app = lucilius()
    app.add('a:1', { message: schemas.plain }, ({ from }) => from)
    app.add('a:2', { message: schemas.loose }, (message) => Object.keys(message).sort())
    t.equal(await app.act('a:1', { from: 'usd', extra: [1], other: null }), 'usd')
    t.strictSame(await app.act('a:2', { from: 'usd', extra: [1] }), ['a', 'extra', 'from'])
    await app.close()
  })

  t.test(`${kind}: a strict schema may fail for them`, async (t) => {
    const app = lucilius()
    app.add('a:1', { message: schemas.strict }, ({ from }) => from)
    t.equal(await app.act('a:1', { from: 'usd' }), 'usd')
    const error = await failureOf(app.act('a:1', { from: 'usd', extra: 1 }))
    t.match(error, { code: 'LUC_MESSAGE_INVALID', handled: /^no$/ })
    t.match(error.message, /extra/)
    await app.close()
  })

  t.test(`${kind}: the handler gets what the schema puts out`, async (t) => {
    const app = lucilius()
    app.add('a:1', { message: schemas.defaults }, ({ n }) => n)
    t.equal(await app.act('a:1'), 7)
    t.equal(await app.act('a:1', { n: '8' }), 8)
    await app.close()
  })

  t.test(`${kind}: an async schema is waited for`, async (t) => {
    const app = lucilius()
    app.add('a:1', { message: schemas.slow }, ({ from }) => from)
    t.equal(await app.act('a:1', { from: 'good' }), 'good')
    const error = await failureOf(app.act('a:1', { from: 'bad' }))
    t.match(error, { code: 'LUC_MESSAGE_INVALID', handled: /^no$/ })
    t.match(error.message, /is bad/)
    await app.close()
  })

  t.test(`${kind}: a reply is checked and converted, undefined included`, async (t) => {
    const app = lucilius()
    app.add('a:*', { reply: schemas.plain }, ({ a }) => (a === 1 ? { from: 'usd', hidden: 1 } : undefined) as never)
    t.strictSame(await app.act('a:1'), { from: 'usd' })
    t.match(await failureOf(app.act('a:2')), { code: 'LUC_REPLY_INVALID', handled: /^yes$/ })
    await app.close()
  })
}

t.test('a failure tells every issue with its path', async (t) => {
  const app = lucilius()
  const message = z.object({ from: z.string(), list: z.array(z.object({ n: z.number() })) })
  app.add('a:1', { message }, () => 1)
  const error = await failureOf(app.act('a:1', { from: 1, list: [{ n: 1 }, { n: 'x' }] }))
  const { issues } = error.details as { issues: { path: string; message: string }[] }
  t.strictSame(
    issues.map(({ path }) => path),
    ['from', 'list.1.n'],
  )
  t.ok(issues.every((issue) => issue.message.length > 0))
  t.doesNotThrow(() => structuredClone(error.details))
  await app.close()
})

t.test('a schema that throws or rejects fails the act without running the handler', async (t) => {
  const app = lucilius()
  let ran = 0
  const throwing = (reject: boolean) => ({
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: () => {
        if (reject) return Promise.reject(new Error('secret'))
        throw new Error('secret')
      },
    },
  })
  app.add('a:1', { message: throwing(false) }, () => ++ran)
  app.add('a:2', { message: throwing(true) }, () => ++ran)
  for (const text of ['a:1', 'a:2']) {
    const error = await failureOf(app.act(text))
    t.match(error, { code: 'LUC_ACTION_FAILED' })
    t.notMatch(error.message, /secret/)
  }
  t.equal(ran, 0)
  await app.close()
})

t.test('a schema that is slower than the deadline keeps the handler from starting', async (t) => {
  const app = lucilius()
  let ran = 0
  const held = gate()
  app.add('a:1', { message: z.object({}).refine(() => held.opened.then(() => true)) }, () => ++ran)
  t.match(await failureOf(app.act('a:1', {}, { timeoutMs: 30 })), { code: 'LUC_DEADLINE_EXCEEDED' })
  held.open()
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(ran, 0)
  await app.close()
})

t.test('a schema failure of a prior or an inner act is one of an inner act', async (t) => {
  const app = lucilius()
  app.add('a:1', { message: z.object({ n: z.number() }) }, () => 1)
  app.add('a:1,b:2', (_, { prior }) => prior())
  app.add('c:1', (_, { act }) => act('a:1'))
  for (const text of ['a:1,b:2', 'c:1']) {
    t.match(await failureOf(app.act(text)), {
      code: 'LUC_ACTION_FAILED',
      handled: /^yes$/,
      details: { cause: 'LUC_MESSAGE_INVALID' },
    })
  }
  await app.close()
})

t.test('wraps stand outside the schema: they see the message as sent, and its failure', async (t) => {
  const app = lucilius()
  const seen: unknown[] = []
  app.add('a:1', { message: z.object({ n: z.coerce.number() }) }, ({ n }) => n)
  app.wrap('a:1', (next) => async (message, context) => {
    seen.push(message.n)
    try {
      return await next(message, context)
    } catch (error) {
      seen.push((error as { code: string }).code)
      throw error
    }
  })
  t.equal(await app.act('a:1', { n: '5' }), 5)
  t.match(await failureOf(app.act('a:1', { n: 'x' })), { code: 'LUC_MESSAGE_INVALID', handled: /^no$/ })
  t.strictSame(seen, ['5', 'x', 'LUC_MESSAGE_INVALID'])
  await app.close()
})

t.test('what a schema puts out need not be portable, and what it puts into the reply must be', async (t) => {
  const app = lucilius({ parity: 'strict' })
  const date = z.string().transform((text) => new Date(text))
  app.add('a:1', { message: z.object({ when: date }) }, ({ when }) => when.getTime())
  app.add('a:2', { reply: z.object({ when: date }) }, () => ({ when: '2020-01-01' }))
  t.equal(await app.act('a:1', { when: '1970-01-01T00:00:01Z' }), 1000)
  t.match(await failureOf(app.act('a:2')), { code: 'LUC_NOT_PORTABLE', handled: /^yes$/, details: { path: 'when' } })
  await app.close()
})
