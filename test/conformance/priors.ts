import type { Test } from 'tap'
import { failureOf } from '../core/failure.js'
import { play, type Stage } from './scene.js'

/** `context.prior` leads to the next wider action, wherever it lives. */
export function priors(t: Test, stage: Stage): void {
  t.test('a prior leads to the next wider action in another app', async (t) => {
    const { caller, service, join } = play(t, stage)
    caller.add('a:1,b:2', async (message, { prior }) => ['narrow', await prior(), message.x])
    service.add('a:1', ({ x }) => ['wide', x])
    await join()
    t.strictSame(await caller.act('a:1,b:2', { x: 5 }), ['narrow', ['wide', 5], 5])
  })

  t.test('a chain of priors runs from the most specific to the widest across three apps', async (t) => {
    const { caller, service, other, join } = play(t, stage)
    const step =
      (name: string) =>
      async (_message: unknown, { prior }: { prior(): Promise<unknown> }) => [name, (await prior()) ?? 'end']
    caller.add('a:1,b:2,c:3', step('three'))
    service.add('a:1,b:2', step('two'))
    other.add('a:1', step('one'))
    await join({ mutual: true })
    t.strictSame(await caller.act('a:1,b:2,c:3'), ['three', ['two', ['one', 'end']]])
    t.strictSame(await other.act('a:1,b:2,c:3'), ['three', ['two', ['one', 'end']]], 'from wherever it is sent')
  })

  t.test('a glob is a prior of what it covers', async (t) => {
    const { caller, service, join } = play(t, stage)
    caller.add('a:1,b:2', (_, { prior }) => prior())
    service.add('a:1,b:*', async (_, { prior }) => ['glob', await prior()])
    service.add('a:*', () => 'wider')
    await join()
    t.strictSame(await caller.act('a:1,b:2'), ['glob', 'wider'])
  })

  t.test('a star is covered by a star alone', async (t) => {
    const { caller, service, join } = play(t, stage)
    caller.add('a:x*', (_, { prior }) => prior())
    service.add('a:x?', () => 'not wider')
    service.add('a:*', () => 'wider')
    service.add('', () => 'widest')
    await join()
    t.equal(await caller.act('a:xyz'), 'wider')
  })

  t.test('an action that matches the message but does not cover the pattern is no prior', async (t) => {
    const { caller, service, join } = play(t, stage)
    caller.add('a:1,b:2', async (_, { prior }) => ['narrow', (await prior()) === undefined])
    service.add('a:1,c:3', () => 'beside')
    service.add('c:3', () => 'elsewhere')
    await join()
    t.strictSame(await caller.act('a:1,b:2,c:3'), ['narrow', true])
  })

  t.test('a prior with a message of its own sends that', async (t) => {
    const { caller, service, join } = play(t, stage)
    caller.add('a:1,b:2', (message, { prior }) => prior({ ...message, x: Number(message.x) + 1 }))
    service.add('a:1', ({ x }) => x)
    await join()
    t.equal(await caller.act('a:1,b:2,x:1'), 2)
  })

  t.test('a prior leads below the pattern even if its message would match a narrower action', async (t) => {
    const { caller, service, join } = play(t, stage)
    caller.add('a:1,b:2', (message, { prior }) => prior({ ...message, c: 3 }))
    service.add('a:1', () => 'wide')
    service.add('a:1,c:3', () => 'beside')
    service.add('a:1,b:2,c:3', () => 'narrower')
    await join()
    t.equal(await caller.act('a:1,b:2'), 'wide')
  })

  t.test('at the end of the chain a prior is undefined', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', async (_, { prior }) => [(await prior()) === undefined, (await prior({ x: 1 })) === undefined])
    await join()
    t.strictSame(await caller.act('a:1'), [true, true])
  })

  t.test('the error of a prior is an error of an inner act', async (t) => {
    const { caller, service, join } = play(t, stage)
    caller.add('a:1,b:2', (_, { prior }) => prior())
    service.add('a:1', () => {
      throw new Error('secret')
    })
    await join()
    const error = await failureOf(caller.act('a:1,b:2'))
    t.match(error, { code: 'LUC_ACTION_FAILED', handled: /^yes$/, details: { cause: 'LUC_ACTION_FAILED' } })
    t.notMatch(error.message, /secret/)
  })

  if (stage.means === undefined) return

  t.test('the same pattern in two apps that both ask for the prior does not go in circles', async (t) => {
    const { caller, service, other, join } = play(t, stage)
    const named =
      (name: string) =>
      async (_message: unknown, { prior }: { prior(): Promise<unknown> }) => [name, await prior()]
    caller.add('a:1', named('caller'))
    service.add('a:1', named('service'))
    other.add('a:*', () => 'end')
    await join({ mutual: true })
    t.strictSame(await caller.act('a:1'), ['caller', 'end'])
    t.strictSame(await service.act('a:1'), ['service', 'end'])
    const fromOther = (await other.act('a:1')) as unknown[]
    t.equal(fromOther[0], 'caller', 'two services of one pattern: the one whose name sorts first')
    t.equal(fromOther[1], 'end')
  })
}
