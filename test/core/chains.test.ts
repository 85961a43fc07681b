import t from 'tap'
import { ActionError, type Context, lucilius } from '../../lib/index.js'
import { failureOf } from './failure.js'

/** A middleware that writes down when it runs. */
function noting(ran: string[], name: string) {
  return <T, C>(next: (message: T, context: C) => unknown) =>
    async (message: T, context: C) => {
      ran.push(`${name} in`)
      const reply = await next(message, context)
      ran.push(`${name} out`)
      return reply
    }
}

t.test('the newest action of a pattern answers, and leads to the older ones and then to wider patterns', async (t) => {
  const app = lucilius()
  const step =
    (name: string) =>
    async (_: unknown, { prior }: Context) => [name, ...(((await prior()) as string[] | undefined) ?? [])]
  app.add('a:1', step('wide'))
  app.add('a:1,b:2', step('first'))
  app.add('a:1,b:2', step('second'))
  app.add('a:*,b:2', step('glob'))
  app.add('a:1,b:2', step('third'))
  app.add('b:2', step('beside'))
  app.add('', step('all'))
  t.strictSame(await app.act('a:1,b:2'), ['third', 'second', 'first', 'glob', 'beside', 'all'])
  await app.close()
})

t.test('priors do not depend on the order of registration', async (t) => {
  const app = lucilius()
  app.add('a:1,b:2', async (_, { prior }) => ['narrow', await prior()])
  app.add('a:1', () => 'wide, added later')
  t.strictSame(await app.act('a:1,b:2'), ['narrow', 'wide, added later'])
  await app.close()
})

t.test('an action may ask for its prior more than once', async (t) => {
  const app = lucilius()
  let count = 0
  app.add('a:1', () => ++count)
  app.add('a:1', async (_, { prior }) => [await prior(), await prior(), ...(await Promise.all([prior(), prior()]))])
  t.strictSame(await app.act('a:1'), [1, 2, 3, 4])
  await app.close()
})

t.test('a chain of ten thousand priors ends at the hop limit', async (t) => {
  const app = lucilius()
  for (let n = 0; n < 10_000; n++) app.add('a:1', (_, { prior }) => prior())
  const { code, details } = await failureOf(app.act('a:1'))
  t.equal(code, 'LUC_ACTION_FAILED')
  t.strictSame(details, { cause: 'LUC_TOO_MANY_HOPS' })
  await app.close()
})

t.test('a prior gets the message as it was before the schema', async (t) => {
  const app = lucilius()
  const { z } = await import('zod')
  app.add('a:1', ({ n }) => typeof n)
  app.add('a:1', { message: z.object({ n: z.coerce.number() }) }, async ({ n }, { prior }) => [typeof n, await prior()])
  t.strictSame(await app.act('a:1', { n: '5' }), ['number', 'string'])
  await app.close()
})

t.test('the widest wrap is outermost, whatever the order of registration', async (t) => {
  const app = lucilius()
  const ran: string[] = []
  app.wrap('a:1,b:2', noting(ran, 'narrow'))
  app.add('a:1,b:2', () => ran.push('handler'))
  app.wrap('', noting(ran, 'all'))
  app.wrap('a:1', noting(ran, 'first'))
  app.wrap('a:1', noting(ran, 'second'))
  await app.act('a:1,b:2')
  t.strictSame(ran, [
    'all in',
    'first in',
    'second in',
    'narrow in',
    'handler',
    'narrow out',
    'second out',
    'first out',
    'all out',
  ])
  await app.close()
})

t.test('a wrap covers patterns, not messages: an action with a wider pattern is not wrapped', async (t) => {
  const app = lucilius()
  const ran: string[] = []
  app.add('a:1', () => 'wide')
  app.add('a:1,b:x*', () => 'glob')
  app.wrap('a:1,b:2', noting(ran, 'narrow'))
  app.wrap('b:*', noting(ran, 'glob'))
  await app.act('a:1,b:2')
  t.strictSame(ran, [])
  await app.act('a:1,b:xy')
  t.strictSame(ran, ['glob in', 'glob out'])
  await app.close()
})

t.test('a wrap covers actions that are added later', async (t) => {
  const app = lucilius()
  const ran: string[] = []
  app.wrap('a:1', noting(ran, 'wrap'))
  await app.ready()
  app.add('a:1,late:1', () => 1)
  await app.act('a:1,late:1')
  t.strictSame(ran, ['wrap in', 'wrap out'])
  await app.close()
})

t.test('a wrap that is removed runs no more, and the others stay as they are', async (t) => {
  const app = lucilius()
  const ran: string[] = []
  app.add('a:1', () => 1)
  const first = app.wrap('a:1', noting(ran, 'first'))
  app.wrap('a:1', noting(ran, 'second'))
  first.remove()
  first.remove()
  await app.act('a:1')
  t.strictSame(ran, ['second in', 'second out'])
  const outer = app.wrap('a:1', { at: 'caller' }, noting(ran, 'caller'))
  outer.remove()
  ran.length = 0
  await app.act('a:1')
  t.strictSame(ran, ['second in', 'second out'])
  await app.close()
})

t.test('a middleware is made once for each action, and keeps its state when other wraps come and go', async (t) => {
  const app = lucilius()
  let made = 0
  app.add('a:1', () => 'one')
  app.add('a:2', () => 'two')
  app.wrap('a:*', (next) => {
    made++
    let calls = 0
    return async (message, context) => [await next(message, context), ++calls]
  })
  await app.act('a:1')
  const other = app.wrap('', (next) => next)
  t.strictSame(await app.act('a:1'), ['one', 2])
  other.remove()
  t.strictSame(await app.act('a:1'), ['one', 3])
  t.strictSame(await app.act('a:2'), ['two', 1], 'each action has its own')
  t.equal(made, 2)
  await app.close()
})

t.test('a middleware that makes no handler is refused, and leaves nothing behind', async (t) => {
  const app = lucilius()
  app.add('a:1', () => 1)
  t.match(await failureOf(() => app.wrap('a:1', (() => undefined) as never)), { code: 'LUC_HANDLER_INVALID' })
  const broken = () => {
    throw new Error('broken')
  }
  t.match(await failureOf(() => app.wrap('a:1', broken)), { message: /broken/ })
  t.equal(await app.act('a:1'), 1)
  t.strictSame(app.explain('a:1').wraps, [])
  app.wrap('b:1', (() => undefined) as never)
  t.match(await failureOf(() => app.add('b:1', () => 1)), { code: 'LUC_HANDLER_INVALID' })
  t.equal(app.find('b:1'), undefined)
  await app.close()
})

t.test('an error that a wrap throws is treated as one of the handler', async (t) => {
  const app = lucilius()
  app.add('a:*', () => 1)
  app.wrap('a:*', (next) => (message, context) => {
    if (message.a === 1) throw new ActionError('NO', 'No')
    if (message.a === 2) throw new Error('secret')
    return next(message, context)
  })
  t.match(await failureOf(app.act('a:1')), { code: 'NO' })
  const error = await failureOf(app.act('a:2'))
  t.match(error, { code: 'LUC_ACTION_FAILED' })
  t.notMatch(error.message, /secret/)
  t.equal(await app.act('a:3'), 1)
  await app.close()
})

t.test('a wrap may recover, replace and repeat', async (t) => {
  const app = lucilius()
  let tries = 0
  app.add('a:1', ({ x }) => {
    if (++tries % 3) throw new ActionError('NOT_YET', 'Not yet')
    return x
  })
  app.wrap('a:1', (next) => async (message, context) => {
    for (;;) {
      try {
        return await next({ ...message, x: tries }, context)
      } catch (error) {
        if ((error as ActionError).code !== 'NOT_YET') throw error
      }
    }
  })
  t.equal(await app.act('a:1'), 2)
  await app.close()
})

t.test('a wrap may pass on a context of its own making', async (t) => {
  const app = lucilius()
  app.add('a:1', async (_, context) => [(context as unknown as { extra: string }).extra, await context.act('a:2')])
  app.add('a:2', () => 2)
  app.wrap(
    'a:1',
    (next) => (message, context) => next(message, Object.assign(Object.create(context), { extra: 'here' })),
  )
  t.strictSame(await app.act('a:1'), ['here', 2])
  await app.close()
})

t.test('the prior of a wrapped action gets what the wrap made of the message', async (t) => {
  const app = lucilius()
  app.add('a:1', ({ x }) => x)
  app.add('a:1', (_, { prior }) => prior())
  app.wrap('a:1', (next) => (message, context) => next({ ...message, x: `${message.x ?? ''}+` }, context))
  t.equal(await app.act('a:1'), '++', 'each action of the chain is wrapped')
  await app.close()
})

t.test("a caller's wrap runs once, also when it wraps many actions, and sees identity and signal", async (t) => {
  const app = lucilius()
  const seen: unknown[] = []
  app.add('a:1', (_, { act }) => act('a:2'))
  app.add('a:2', (_, { meta }) => meta.identity)
  app.wrap('', { at: 'caller' }, (next) => (message, context) => {
    seen.push([context.pattern, context.meta.identity, context.meta.hops, context.signal.aborted])
    return next(message, context)
  })
  t.equal(await app.act('a:1', {}, { identity: 'ada' }), 'ada')
  t.strictSame(seen, [
    ['a:1', 'ada', 1, false],
    ['a:2', 'ada', 2, false],
  ])
  await app.close()
})

t.test("a caller's wrap is held to the deadline, too", async (t) => {
  const app = lucilius()
  app.add('a:1', () => 1)
  app.wrap('a:1', { at: 'caller' }, () => () => new Promise(() => {}))
  t.match(await failureOf(app.act('a:1', {}, { timeoutMs: 30 })), { code: 'LUC_DEADLINE_EXCEEDED' })
  await app.close()
})
