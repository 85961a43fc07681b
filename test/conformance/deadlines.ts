import type { Test } from 'tap'
import { eventually, gate } from '../core/eventually.js'
import { failureOf } from '../core/failure.js'
import { play, type Stage } from './scene.js'

const never = () => new Promise<never>(() => {})

/** Every act ends: at its deadline, when it is cancelled, or when it has come by too many hops. */
export function deadlines(t: Test, stage: Stage): void {
  t.test('a handler that never settles ends in LUC_DEADLINE_EXCEEDED, not before its time', async (t) => {
    const { caller, service, join } = play(t, stage, { timeoutMs: 80 })
    service.add('a:1', never)
    await join()
    const began = performance.now()
    const error = await failureOf(caller.act('a:1'))
    const took = performance.now() - began
    t.match(error, { code: 'LUC_DEADLINE_EXCEEDED', handled: /^unknown$/, retryable: false })
    t.ok(took >= 79 && took < 1000, `${took} ms`)
  })

  t.test('a time-out of its own ends a call and aborts the signal of its handler', async (t) => {
    const { caller, service, join } = play(t, stage)
    const aborted = gate<unknown>()
    service.add('a:1', (_, { signal }) => {
      signal.addEventListener('abort', () => aborted.open(signal.reason))
      return never()
    })
    await join()
    const began = performance.now()
    t.match(await failureOf(caller.act('a:1', {}, { timeoutMs: 60 })), { code: 'LUC_DEADLINE_EXCEEDED' })
    t.ok(performance.now() - began < 1000)
    t.ok(await aborted.opened)
  })

  t.test("an action's own time-out starts where it runs and shortens only", async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', { timeoutMs: 60 }, never)
    service.add('a:2', { timeoutMs: 60_000 }, never)
    await join()
    const began = performance.now()
    t.match(await failureOf(caller.act('a:1')), { code: 'LUC_DEADLINE_EXCEEDED', handled: /^unknown$/ })
    t.match(await failureOf(caller.act('a:2', {}, { timeoutMs: 60 })), { code: 'LUC_DEADLINE_EXCEEDED' })
    t.ok(performance.now() - began < 2000)
  })

  t.test('what a handler acts inherits what is left, and a longer time-out does not lengthen it', async (t) => {
    const { caller, service, other, join } = play(t, stage)
    const seen: Record<string, number> = {}
    service.add('a:1', async (_, { act, meta }) => {
      seen.outer = meta.deadline
      await act('a:2', {}, { timeoutMs: 60_000 })
      return act('a:3', {}, { timeoutMs: 100 })
    })
    other.add('a:2', (_, { meta }) => {
      seen.inherits = meta.deadline
    })
    other.add('a:3', (_, { meta }) => {
      seen.shortens = meta.deadline
    })
    await join({ mutual: true })
    const began = Date.now()
    await caller.act('a:1', {}, { timeoutMs: 2000 })
    const { outer = 0, inherits = 0, shortens = 0 } = seen
    t.ok(outer <= began + 2100 && outer > began + 1500, 'the outer one has its two seconds')
    t.ok(inherits <= outer + 50, `inherited: ${inherits - outer} ms after the outer deadline`)
    t.ok(shortens < outer - 1000, 'the shorter one is short')
  })

  t.test('a deadline ends the acts inside, too', async (t) => {
    const { caller, service, other, join } = play(t, stage)
    const aborted = gate()
    service.add('a:1', (_, { act }) => act('a:2'))
    other.add('a:2', (_, { signal }) => {
      signal.addEventListener('abort', () => aborted.open())
      return never()
    })
    await join({ mutual: true })
    t.match(await failureOf(caller.act('a:1', {}, { timeoutMs: 60 })), { code: 'LUC_DEADLINE_EXCEEDED' })
    await aborted.opened
  })

  t.test('a late reply is dropped, and a late error as well', async (t) => {
    const { caller, service, join } = play(t, stage)
    const late = gate()
    let settled = 0
    service.add('a:*', async ({ a }) => {
      await late.opened
      settled++
      if (a === 2) throw new Error('late')
      return 'late'
    })
    service.add('b:1', () => 'next')
    await join()
    const errors = await Promise.all(
      [1, 2].map((a) => failureOf(caller.act({ a } as { a: number }, {}, { timeoutMs: 40 }))),
    )
    late.open()
    await eventually(() => settled === 2)
    t.strictSame(
      errors.map(({ code }) => code),
      ['LUC_DEADLINE_EXCEEDED', 'LUC_DEADLINE_EXCEEDED'],
    )
    t.equal(await caller.act('b:1'), 'next', 'and the next call gets its own reply')
  })

  t.test('a time-out above maxTimeoutMs is clamped', async (t) => {
    const { caller, service, join } = play(t, stage, { maxTimeoutMs: 60 })
    service.add('a:1', never)
    await join()
    t.match(await failureOf(caller.act('a:1', {}, { timeoutMs: 60_000 })), { code: 'LUC_DEADLINE_EXCEEDED' })
  })

  t.test("the caller's signal cancels the call and reaches the handler and what it acts", async (t) => {
    const { caller, service, other, join } = play(t, stage)
    const started = gate()
    const aborted = [gate<unknown>(), gate<unknown>()] as const
    service.add('a:1', (_, { act, signal }) => {
      signal.addEventListener('abort', () => aborted[0].open(signal.reason))
      return act('a:2')
    })
    other.add('a:2', (_, { signal }) => {
      signal.addEventListener('abort', () => aborted[1].open(signal.reason))
      started.open()
      return never()
    })
    await join({ mutual: true })
    const controller = new AbortController()
    const call = failureOf(caller.act('a:1', {}, { signal: controller.signal }))
    await started.opened
    controller.abort()
    t.match(await call, { code: 'LUC_CANCELLED', handled: /^unknown$/ })
    const began = performance.now()
    for (const { opened } of aborted) t.match(await opened, { code: 'LUC_CANCELLED' })
    t.ok(performance.now() - began < 1000, 'at once, not when its time is up')
  })

  t.test('a call cancelled before it starts is not handled', async (t) => {
    const { caller, service, join } = play(t, stage)
    let ran = 0
    service.add('a:1', () => ++ran)
    await join()
    const error = await failureOf(caller.act('a:1', {}, { signal: AbortSignal.abort() }))
    t.match(error, { code: 'LUC_CANCELLED', handled: /^no$/ })
    t.equal(ran, 0)
  })

  t.test('a signal that aborts after the reply changes nothing', async (t) => {
    const { caller, service, join } = play(t, stage)
    const seen: AbortSignal[] = []
    service.add('a:1', (_, { signal }) => {
      seen.push(signal)
      return 1
    })
    await join()
    const controller = new AbortController()
    t.equal(await caller.act('a:1', {}, { signal: controller.signal }), 1)
    controller.abort()
    t.equal(seen[0]?.aborted, false)
  })

  t.test('signal and reply race without a second outcome', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', async () => 1)
    await join()
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const controller = new AbortController()
        const call = caller.act('a:1', {}, { signal: controller.signal }).then(
          () => 'reply',
          (error: { code: string }) => error.code,
        )
        for (let turn = 0; turn < n % 5; turn++) await new Promise((resolve) => setImmediate(resolve))
        controller.abort()
        return call
      }),
    )
    t.ok(outcomes.every((one) => one === 'reply' || one === 'LUC_CANCELLED'))
    t.equal(await caller.act('a:1'), 1)
  })

  t.test('a loop of acts across apps ends in LUC_TOO_MANY_HOPS', async (t) => {
    const { caller, service, other, join } = play(t, stage, { maxHops: 9 })
    const hops: number[] = []
    service.add('a:1', (_, { act, meta }) => {
      hops.push(meta.hops)
      return act('a:2')
    })
    other.add('a:2', (_, { act, meta }) => {
      hops.push(meta.hops)
      return act('a:1')
    })
    await join({ mutual: true })
    const error = await failureOf(caller.act('a:1'))
    t.match(error, { code: 'LUC_ACTION_FAILED', handled: /^yes$/ })
    t.strictSame(error.details, { cause: 'LUC_TOO_MANY_HOPS' })
    t.strictSame(hops, [1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  t.test('the handler whose act is one hop too many gets LUC_TOO_MANY_HOPS, not handled', async (t) => {
    const { caller, service, other, join } = play(t, stage, { maxHops: 2 })
    service.add('a:1', (_, { act }) => act('a:2'))
    other.add('a:2', async (_, { act }) => {
      const error = await failureOf(act('a:1'))
      return [error.code, error.handled]
    })
    await join({ mutual: true })
    t.strictSame(await caller.act('a:1'), ['LUC_TOO_MANY_HOPS', 'no'])
  })

  t.test('priors count as hops', async (t) => {
    const { caller, service, join } = play(t, stage, { maxHops: 2 })
    caller.add('a:1,b:2', async (_, { prior }) => prior())
    service.add('a:1', async (_, { act, meta }) => [meta.hops, (await failureOf(act('c:1'))).code])
    service.add('c:1', () => 1)
    await join()
    t.strictSame(await caller.act('a:1,b:2'), [2, 'LUC_TOO_MANY_HOPS'])
  })
}
