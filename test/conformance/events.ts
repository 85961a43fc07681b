import type { Test } from 'tap'
import type { App } from '../../lib/index.js'
import { eventually, gate } from '../core/eventually.js'
import { join, made, play, type Stage } from './scene.js'

/** Events reach all that observe them, and nobody waits for an observer. */
export function events(t: Test, stage: Stage): void {
  t.test('an event reaches every matching subscription, not only the most specific', async (t) => {
    const { caller, service, other, join } = play(t, stage)
    const seen: string[] = []
    service.use(
      function near(app: App) {
        app.on('e:1', ({ x }) => seen.push(`wide ${x}`))
        app.on('e:1,x:5', ({ x }) => seen.push(`narrow ${x}`))
      },
      {},
      { as: 'near' },
    )
    other.use(
      function far(app: App) {
        app.on('', () => seen.push('all'))
        app.on('e:2', () => seen.push('never'))
      },
      {},
      { as: 'far' },
    )
    await service.ready()
    await other.ready()
    await join()
    await caller.emit('e:1', { x: 5 })
    await eventually(() => seen.length === 3)
    t.strictSame(seen.sort(), ['all', 'narrow 5', 'wide 5'])
  })

  t.test('an event is no act: no action answers it, and no subscription answers an act', async (t) => {
    const { caller, service, join } = play(t, stage)
    const seen: string[] = []
    service.add('e:1', () => seen.push('action'))
    service.on('e:1', () => seen.push('subscription'))
    await join()
    await caller.emit('e:1')
    await eventually(() => seen.length > 0)
    t.strictSame(seen, ['subscription'])
    await caller.act('e:1')
    t.strictSame(seen, ['subscription', 'action'])
  })

  t.test('an event that nobody observes is no mistake', async (t) => {
    const { caller, join } = play(t, stage)
    await join()
    t.equal(await caller.emit('e:1', { x: 1 }), undefined)
  })

  t.test('emit does not wait for a subscriber, nor fail because of one', async (t) => {
    const { caller, service, join } = play(t, stage)
    const waiting = gate()
    const seen: string[] = []
    service.on('e:1', async () => {
      await waiting.opened
      seen.push('slow')
    })
    const failing = service.on('e:1', () => {
      throw new Error('broken')
    })
    const rejecting = service.on('e:1', async () => {
      throw new Error('broken')
    })
    service.on('e:1', () => seen.push('last'))
    await join()
    await caller.emit('e:1')
    await eventually(() => seen.length === 1 && failing.failures === 1 && rejecting.failures === 1)
    t.strictSame(seen, ['last'], 'one that throws does not stop the others')
    waiting.open()
    await eventually(() => seen.length === 2)
  })

  t.test('observers start in the order of emission', async (t) => {
    const { caller, service, join } = play(t, stage)
    const seen: unknown[] = []
    service.on('e:*', ({ n }) => seen.push(n))
    await join()
    const order = Array.from({ length: 200 }, (_, n) => n)
    await Promise.all(order.map((n) => caller.emit(`e:${n % 3}`, { n })))
    await eventually(() => seen.length === order.length)
    t.strictSame(seen, order)
  })

  t.test('an observer learns trace, hops and identity, and passes them on', async (t) => {
    const { caller, service, join } = play(t, stage)
    const seen: unknown[] = []
    let trace: string | undefined
    caller.add('a:1', async (_, { emit, meta }) => {
      trace = meta.traceparent.split('-')[1]
      await emit('e:1')
    })
    service.on('e:1', async (_, { act, meta }) => {
      seen.push([meta.traceparent.split('-')[1], meta.hops, meta.identity])
      await act('a:2')
    })
    service.add('a:2', (_, { meta }) => seen.push([meta.traceparent.split('-')[1], meta.hops, meta.identity]))
    await join()
    await caller.act('a:1', {}, { identity: { user: 'ada' } })
    await eventually(() => seen.length === 2)
    t.strictSame(seen, [
      [trace, 2, { user: 'ada' }],
      [trace, 3, { user: 'ada' }],
    ])
  })

  t.test('a loop of events and acts ends', async (t) => {
    const { caller, service, join } = play(t, stage, { maxHops: 6 })
    const hops: number[] = []
    const failures: string[] = []
    service.on('e:1', async (_, { emit, meta }) => {
      hops.push(meta.hops)
      await emit('e:1').catch((error: { code: string }) => failures.push(error.code))
    })
    await join({ mutual: true })
    await caller.emit('e:1')
    await eventually(() => failures.length > 0)
    t.strictSame(hops, [1, 2, 3, 4, 5, 6])
    t.strictSame(failures, ['LUC_TOO_MANY_HOPS'])
  })

  t.test('a subscription that is taken out observes nothing any more', async (t) => {
    const { caller, service, join } = play(t, stage)
    const seen: string[] = []
    const first = service.on('e:1', () => seen.push('first'))
    service.on('e:1', () => seen.push('second'))
    await join()
    first.remove()
    await caller.emit('e:1')
    await eventually(() => seen.length > 0)
    t.strictSame(seen, ['second'])
  })

  t.test('an event with what JSON would change is refused at the emitter', async (t) => {
    const { caller, service, join } = play(t, stage, { parity: 'strict' })
    service.on('e:1', () => t.fail('never'))
    await join()
    await t.rejects(caller.emit('e:1', { when: new Date() }), { code: 'LUC_NOT_PORTABLE', details: { path: 'when' } })
    await t.rejects(caller.emit('e:1', { n: 1 }, { timeoutMs: 5 } as never), { code: 'LUC_OPTIONS_INVALID' })
  })

  const { means } = stage
  if (means === undefined) return

  t.test('of a service with several instances one gets each event, in turn', async (t) => {
    const emitter = made(t, { name: 'emitter', parity: stage.parity })
    const counts = [0, 0, 0]
    const each = [0, 0, 0]
    for (const index of counts.keys()) {
      const replica = made(t, { name: 'replica', parity: stage.parity })
      replica.on('e:1', () => {
        counts[index] = (counts[index] ?? 0) + 1
      })
      replica.on('e:1', { each: 'instance' }, () => {
        each[index] = (each[index] ?? 0) + 1
      })
      await join(means, emitter, replica)
    }
    for (let n = 0; n < 30; n++) await emitter.emit('e:1')
    const sum = (list: number[]) => list.reduce((a, b) => a + b, 0)
    await eventually(() => sum(each) === 90 && sum(counts) === 30)
    t.strictSame(each, [30, 30, 30])
    t.ok(
      counts.every((count) => count > 0),
      `each takes its share: ${counts}`,
    )
  })

  t.test('an instance of the service in this app is picked first', async (t) => {
    const near = made(t, { name: 'replica', parity: stage.parity })
    const far = made(t, { name: 'replica', parity: stage.parity })
    const seen: string[] = []
    near.on('e:1', () => seen.push('near'))
    far.on('e:1', () => seen.push('far'))
    far.on('e:1', { each: 'instance' }, () => seen.push('far, each'))
    await join(means, near, far)
    await near.emit('e:1')
    await eventually(() => seen.length === 2)
    t.strictSame(seen, ['near', 'far, each'])
  })

  t.test('an event goes one hop and is never relayed', async (t) => {
    const { caller, service, other } = play(t, stage)
    const seen: string[] = []
    service.on('e:1', () => seen.push('service'))
    other.on('e:1', () => seen.push('other'))
    await join(means, caller, service)
    await join(means, service, other)
    await caller.emit('e:1')
    await eventually(() => seen.length > 0)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    t.strictSame(seen, ['service'])
  })
}
