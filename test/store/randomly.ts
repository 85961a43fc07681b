import fc from 'fast-check'
import type { Test } from 'tap'
import { type Step, StoreModel } from './model.js'
import type { StoreStage } from './stage.js'

/** Random sequences of what apps, operators and accidents do, held against a model. */
export function randomly(t: Test, stage: StoreStage): void {
  const { runs = 15 } = stage
  const canFilter = stage.lacks?.duplicates === undefined
  const canCrash = stage.recoversMs <= 1000

  const index = fc.nat(2)
  const emitted = fc.record({
    kind: fc.constant('append' as const),
    role: index,
    key: index,
    retain: fc.boolean(),
    durable: fc.boolean(),
    again: fc.boolean().map((again) => again && canFilter),
  })
  const verdict = fc.constantFrom('done' as const, 'again' as const, 'dead' as const, 'back' as const)
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 8, arbitrary: emitted },
    { weight: 8, arbitrary: fc.record({ kind: fc.constant('end' as const), name: index, verdict }) },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('serve' as const),
        name: index,
        concurrency: fc.integer({ min: 1, max: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('stop' as const), name: index }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('replay' as const, 'drop' as const), at: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), name: index }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const) }) },
    ...(canCrash ? [{ weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) }] : []),
  )

  t.test('whatever happens, a store does what the model does', async (t) => {
    const property = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60, size: 'max' }), async (steps) => {
      const model = new StoreModel(stage, await stage.place(t))
      try {
        for (const one of steps) await model.take(one)
        await model.finish()
      } finally {
        await model.close()
      }
    })
    await fc.assert(property, {
      numRuns: runs,
      interruptAfterTimeLimit: 60_000,
      endOnFailure: stage.runs === undefined,
    })
    t.pass()
  })
}
