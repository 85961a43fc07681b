import type { Test } from 'tap'
import { ActionError } from '../../lib/index.js'
import { failureOf } from '../core/failure.js'
import { play, type Stage } from './scene.js'

/** Wraps run where the handler runs, or where the act is called. */
export function wraps(t: Test, stage: Stage): void {
  t.test('a wrap runs once, where the handler runs', async (t) => {
    const { caller, service, join } = play(t, stage)
    const ran: string[] = []
    service.add('a:1', () => ['reply'])
    service.wrap('a:1', (next) => async (message, context) => {
      ran.push('service')
      return [...((await next(message, context)) as unknown[]), 'wrapped']
    })
    if (caller !== service) {
      caller.wrap('a:1', (next) => (message, context) => {
        ran.push('caller')
        return next(message, context)
      })
    }
    await join()
    t.strictSame(await caller.act('a:1'), ['reply', 'wrapped'])
    t.strictSame(ran, ['service'])
  })

  t.test("a wrap at the caller's side runs where the act is called, once", async (t) => {
    const { caller, service, join } = play(t, stage)
    const ran: string[] = []
    service.add('a:1', () => 'reply')
    caller.wrap('a:1', { at: 'caller' }, (next) => (message, context) => {
      ran.push('caller')
      return next(message, context)
    })
    if (caller !== service) {
      service.wrap('a:1', { at: 'caller' }, (next) => (message, context) => {
        ran.push('service')
        return next(message, context)
      })
    }
    await join()
    t.equal(await caller.act('a:1'), 'reply')
    t.strictSame(ran, ['caller'])
  })

  t.test("the caller's wraps stand around those of the handler, each side widest first", async (t) => {
    const { caller, service, join } = play(t, stage)
    const ran: string[] = []
    const note = (name: string) => (next: (...args: never[]) => unknown) =>
      ((...args: never[]) => {
        ran.push(name)
        return next(...args)
      }) as never
    service.add('a:1,b:2', () => 'reply')
    service.wrap('a:1', note('wide'))
    service.wrap('a:1,b:2', note('narrow'))
    service.wrap('', note('widest'))
    caller.wrap('a:1,b:2', { at: 'caller' }, note('narrow at caller'))
    caller.wrap('a:1', { at: 'caller' }, note('wide at caller'))
    await join()
    await caller.act('a:1,b:2')
    t.strictSame(ran, ['wide at caller', 'narrow at caller', 'widest', 'wide', 'narrow'])
  })

  t.test('a wrap at the caller may try again, and each try settles by itself', async (t) => {
    const { caller, service, join } = play(t, stage)
    let tries = 0
    service.add('a:1', () => {
      if (++tries < 3) throw new ActionError('NOT_YET', 'Not yet', { tries })
      return tries
    })
    caller.wrap('a:1', { at: 'caller' }, (next) => async (message, context) => {
      for (;;) {
        try {
          return await next(message, context)
        } catch (error) {
          if (!(error instanceof ActionError) || error.code !== 'NOT_YET') throw error
        }
      }
    })
    await join()
    t.equal(await caller.act('a:1'), 3)
  })

  t.test("errors pass the caller's wraps as they are", async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', () => {
      throw new Error('secret')
    })
    caller.wrap('a:1', { at: 'caller' }, (next) => (message, context) => next(message, context))
    await join()
    const error = await failureOf(caller.act('a:1'))
    t.match(error, { code: 'LUC_ACTION_FAILED', handled: /^yes$/ })
    t.equal(error.details, undefined)
  })

  t.test('a wrap may answer by itself, change the message and change the reply', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', ({ x }) => x)
    for (const at of ['handler', 'caller'] as const) {
      const where = at === 'caller' ? caller : service
      where.wrap('a:1', at === 'caller' ? { at } : {}, (next) => async (message, context) => {
        if (message.stop === at) return `stopped at ${at}`
        return `${await next({ ...message, x: `${message.x}, ${at}` }, context)}!`
      })
    }
    await join()
    t.equal(await caller.act('a:1,x:x'), 'x, caller, handler!!')
    t.equal(await caller.act('a:1,stop:caller'), 'stopped at caller')
    t.equal(await caller.act('a:1,stop:handler'), 'stopped at handler!')
  })

  t.test('a prior runs through its own wraps', async (t) => {
    const { caller, service, join } = play(t, stage)
    const ran: string[] = []
    caller.add('a:1,b:2', (_, { prior }) => prior())
    service.add('a:1', () => 'wide')
    service.wrap('a:1', (next) => (message, context) => {
      ran.push(context.pattern)
      return next(message, context)
    })
    await join()
    t.equal(await caller.act('a:1,b:2'), 'wide')
    t.strictSame(ran, stage.means === undefined ? ['a:1,b:2', 'a:1'] : ['a:1'])
  })
}
