import type { Test } from 'tap'
import type { Meta } from '../../lib/index.js'
import { play, type Stage } from './scene.js'

/** What stands beside a message arrives beside it, and is passed on. */
export function metas(t: Test, stage: Stage): void {
  t.test('a handler learns id, trace, deadline and hops, and cannot change them', async (t) => {
    const { caller, service, join } = play(t, stage)
    let meta: Meta | undefined
    service.add('a:1', (_, context) => {
      meta = context.meta
      t.equal(context.meta, meta, 'the same each time it is read')
      t.equal(context.pattern, 'a:1')
    })
    await join()
    await caller.act('a:1', {}, { timeoutMs: 5000 })
    t.match(meta, { id: /\w/, traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/, hops: 1 })
    t.ok(Math.abs((meta?.deadline ?? 0) - Date.now() - 5000) < 1000)
    t.ok(Object.isFrozen(meta))
    t.equal(meta?.identity, undefined)
  })

  t.test('the trace goes through all that follows from a message, each act with a span of its own', async (t) => {
    const { caller, service, other, join } = play(t, stage)
    const traces: string[] = []
    const ids: string[] = []
    service.add('a:1,b:2', async (_, { act, prior, meta }) => {
      traces.push(meta.traceparent)
      ids.push(meta.id)
      await prior()
      await act('a:2')
    })
    other.add('a:*', (_, { meta }) => {
      traces.push(meta.traceparent)
      ids.push(meta.id)
    })
    await join({ mutual: true })
    await caller.act('a:1,b:2')
    await caller.act('a:2')
    const [first, ...rest] = traces.map((trace) => trace.split('-')[1])
    t.equal(traces.length, 4)
    t.strictSame(rest.slice(0, 2), [first, first])
    t.not(rest[2], first, 'another message starts a trace of its own')
    t.equal(new Set(traces).size, 4)
    t.equal(new Set(ids).size, 4, 'every message has an id of its own')
  })

  t.test('the identity is passed on to acts and priors, deep-frozen, and can be replaced', async (t) => {
    const { caller, service, other, join } = play(t, stage)
    const seen: unknown[] = []
    service.add('a:1,b:2', async (_, { act, prior, meta }) => {
      seen.push(meta.identity)
      await prior()
      await act('a:2')
      await act('a:2', {}, { identity: { user: 'another' } })
    })
    other.add('a:*', (_, { meta }) => {
      seen.push(meta.identity)
      return null
    })
    await join({ mutual: true })
    const identity = { user: 'ada', scopes: ['read'] }
    await caller.act('a:1,b:2', {}, { identity })
    t.strictSame(seen, [identity, identity, identity, { user: 'another' }])
    for (const one of seen) t.ok(Object.isFrozen(one))
    t.ok(
      seen.slice(0, 3).every((one) => Object.isFrozen((one as typeof identity).scopes)),
      'all the way down',
    )
    t.notOk(Object.isFrozen(identity), "and the caller's own stays as it was")
  })

  t.test('an identity of any JSON value is carried', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', (_, { meta }) => ({ identity: meta.identity }))
    await join()
    for (const identity of ['ada', 7, false, null, ['a']]) {
      t.strictSame(await caller.act('a:1', {}, { identity }), { identity }, JSON.stringify(identity))
    }
    t.same(await caller.act('a:1'), {}, 'or none')
  })

  t.test('a message is never a directive', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', (_, { meta }) => [meta.hops, meta.identity ?? 'nobody'])
    await join()
    const data = {
      timeout$: 1,
      identity: 'root',
      meta: { hops: 9 },
      hops: 99,
      identity$: 'root',
      to: 'x',
      exact$: true,
    }
    t.strictSame(await caller.act('a:1', data), [1, 'nobody'])
  })

  t.test('a handler learns which app a message came from', async (t) => {
    const { caller, service, join } = play(t, stage)
    let meta: Meta | undefined
    service.add('a:1', (_, context) => {
      meta = context.meta
    })
    await join()
    await caller.act('a:1')
    if (stage.means === undefined) t.equal(meta?.peer, undefined)
    else t.match(meta?.peer, { name: 'caller', instance: /\w/ })
  })

  t.test('the functions of the context may be taken apart', async (t) => {
    const { caller, service, join } = play(t, stage)
    service.add('a:1', async (_, { act, emit, prior, log, signal, meta, pattern }) => {
      await emit('e:1')
      log.info('fine')
      return [await act('a:2'), (await prior()) === undefined, signal.aborted, meta.hops, pattern]
    })
    service.add('a:2', () => 2)
    await join()
    t.strictSame(await caller.act('a:1'), [2, true, false, 1, 'a:1'])
  })
}
