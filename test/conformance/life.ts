import type { Test } from 'tap'
import type { App } from '../../lib/index.js'
import { eventually, gate } from '../core/eventually.js'
import { failureOf } from '../core/failure.js'
import { cuttable } from './means.js'
import { join, made, play, type Stage } from './scene.js'

const never = () => new Promise<never>(() => {})

/** Apps come and go, and no call hangs or is lost in silence. */
export function life(t: Test, stage: Stage): void {
  t.test('a closing app finishes what runs and refuses what is new', async (t) => {
    const { caller, service, join } = play(t, stage, { drainMs: 5000, timeoutMs: 300 })
    const started = gate()
    const held = gate()
    service.add('a:1', async (_, { act }) => {
      started.open()
      await held.opened
      return ['done', await act('a:2')]
    })
    service.add('a:2', () => 'inside')
    await join()
    const running = caller.act('a:1', {}, { timeoutMs: 5000 })
    await started.opened
    const closed = service.close()
    const late = await failureOf(service.act('a:2'))
    t.match(late, { code: 'LUC_SERVICE_CLOSED', handled: /^no$/, retryable: true })
    const elsewhere = await failureOf(caller.act('a:2'))
    t.match(elsewhere, {
      code: stage.means === undefined ? 'LUC_SERVICE_CLOSED' : 'LUC_UNREACHABLE',
      handled: /^no$/,
      retryable: true,
    })
    held.open()
    t.strictSame(await running, ['done', 'inside'], 'acts of running handlers are let through')
    await closed
  })

  t.test('after drainMs the signals of what still runs are aborted', async (t) => {
    const { caller, service, join } = play(t, stage, { drainMs: 50 })
    const started = gate()
    const aborted = gate<string>()
    service.add('a:1', (_, { signal }) => {
      signal.addEventListener('abort', () => aborted.open((signal.reason as { code: string }).code))
      started.open()
      return never()
    })
    await join()
    const running = failureOf(caller.act('a:1'))
    await started.opened
    const began = performance.now()
    await service.close()
    t.ok(performance.now() - began < 2000)
    t.equal(await aborted.opened, 'LUC_CANCELLED')
    t.match(await running, { code: 'LUC_CANCELLED', handled: /^unknown$/ })
  })

  const { means } = stage
  if (means === undefined) return

  t.test('a call under way when the line is cut fails as lost: its fate is unknown', async (t) => {
    const { caller, service, join, line } = play(t, stage)
    const started = gate()
    service.add('a:1', () => {
      started.open()
      return never()
    })
    await join()
    const running = failureOf(caller.act('a:1'))
    await started.opened
    await line().cut()
    t.match(await running, { code: 'LUC_REPLY_LOST', handled: /^unknown$/ })
  })

  t.test('after the line was cut the connection comes back by itself', async (t) => {
    const { caller, service, join, line } = play(t, stage)
    service.add('a:1', () => 'back')
    await join()
    for (let time = 0; time < 3; time++) {
      await line().cut()
      t.equal(await caller.act('a:1'), 'back')
    }
  })

  t.test('while the line is cut acts are parked, and served in order when it is back', async (t) => {
    const { caller, service, join, line } = play(t, stage)
    const seen: unknown[] = []
    service.add('a:1', ({ n }) => {
      seen.push(n)
      return n
    })
    await join()
    line().block()
    await line().cut()
    const order = Array.from({ length: 100 }, (_, n) => n)
    const calls = order.map((n) => caller.act('a:1', { n }))
    line().heal()
    t.strictSame(await Promise.all(calls), order)
    t.strictSame(seen, order)
  })

  t.test('what is parked until its deadline was not handled', async (t) => {
    const { caller, service, join, line } = play(t, stage)
    let ran = 0
    service.add('a:1', () => ++ran)
    await join()
    line().block()
    await line().cut()
    const error = await failureOf(caller.act('a:1', {}, { timeoutMs: 60 }))
    t.match(error, { code: 'LUC_UNREACHABLE', handled: /^no$/, retryable: true })
    const controller = new AbortController()
    const cancelled = failureOf(caller.act('a:1', {}, { signal: controller.signal }))
    controller.abort()
    t.match(await cancelled, { code: 'LUC_CANCELLED', handled: /^no$/ })
    line().heal()
    t.equal(await caller.act('a:1'), 1, 'and is never done afterwards')
  })

  t.test('only so many messages are parked, and only so many bytes', async (t) => {
    const bounds = { max: { park: { max: 3 } }, maxBytes: { park: { maxBytes: 100 } } }
    for (const [name, options] of Object.entries(bounds)) {
      const { caller, service, join, line } = play(t, stage, options)
      service.add('a:1', ({ n }) => n)
      await join()
      line().block()
      await line().cut()
      const text = 'x'.repeat(10)
      const calls = [1, 2, 3].map((n) => caller.act('a:1', { n, text }))
      const error = await failureOf(caller.act('a:1', { n: 4, text }))
      t.match(error, { code: 'LUC_OVERLOADED', handled: /^no$/, retryable: true }, name)
      line().heal()
      t.strictSame(await Promise.all(calls), [1, 2, 3])
      t.equal(await caller.act('a:1', { n: 5 }), 5, 'there is room again')
    }
  })

  t.test('acts that come from a peer never park', async (t) => {
    const { caller, service, other } = play(t, stage, { park: { unknown: true }, timeoutMs: 2000 })
    service.add('a:1', () => 'here')
    other.add('a:2', () => 'there')
    await join(means, caller, service)
    const line = await join(means, service, other)
    line.block()
    await line.cut()
    const registration = service.add('b:1', () => 1)
    await eventually(() => caller.find('b:1') !== undefined)
    registration.remove()
    const began = performance.now()
    t.match(await failureOf(caller.act('b:1', {}, { timeoutMs: 100 })), { handled: /^no$/ })
    t.ok(performance.now() - began < 1000)
  })

  t.test('a lost peer is forgotten after forgetMs', async (t) => {
    const { caller, service, join, line } = play(t, stage, { forgetMs: 300 })
    service.add('a:1', () => 1)
    await join()
    line().block()
    await line().cut()
    t.ok(caller.find('a:1'), 'kept at first')
    const parked = failureOf(caller.act('a:1'))
    await eventually(() => caller.find('a:1') === undefined)
    t.match(await parked, { handled: /^no$/, retryable: true })
    t.match(await failureOf(caller.act('a:1')), { code: 'LUC_ACTION_NOT_FOUND' })
  })

  t.test('a connection that is closed is forgotten at once', async (t) => {
    const { caller, service } = play(t, stage)
    service.add('a:1', () => 1)
    const listener = await service.listen(means.listen(), { expose: '*', audience: 'peers' })
    const connection = await caller.connect(means.connect(listener.url))
    t.match(connection.peer, { name: 'service', instance: /\w/ })
    t.equal(await caller.act('a:1'), 1)
    await connection.close()
    t.match(await failureOf(caller.act('a:1')), { code: 'LUC_ACTION_NOT_FOUND' })
  })

  t.test('connect keeps trying until the peer is there, and acts wait for it', async (t) => {
    const { caller, service } = play(t, stage)
    service.add('a:1', () => 'there')
    const line = await unlistened(service)
    const connecting = caller.connect(line)
    const early = caller.act('a:1')
    line.heal()
    t.equal(await early, 'there')
    await connecting
    t.equal(await caller.act('a:1'), 'there')
  })

  t.test('wait: false returns at once, and acts wait until the peer is known', async (t) => {
    const { caller, service } = play(t, stage)
    service.add('a:1', () => 'there')
    const line = await unlistened(service)
    const connection = await caller.connect(line, { wait: false })
    t.equal(connection.peer, undefined)
    const early = caller.act('a:1')
    const unknown = failureOf(caller.act('a:2'))
    t.match(await failureOf(caller.act('a:1', {}, { timeoutMs: 60 })), { code: 'LUC_UNREACHABLE', handled: /^no$/ })
    line.heal()
    t.equal(await early, 'there')
    t.match(await unknown, { code: 'LUC_ACTION_NOT_FOUND' })
  })

  t.test('what waits for an unknown peer is checked, bounded and cancelled like everything else', async (t) => {
    const { caller, service } = play(t, stage, { park: { max: 2 } })
    service.add('a:1', (message) => message)
    const line = await unlistened(service)
    await caller.connect(line, { wait: false })
    t.match(await failureOf(caller.act('a:1', {}, { signal: AbortSignal.abort() })), {
      code: 'LUC_CANCELLED',
      handled: /^no$/,
    })
    const unportable = failureOf(caller.act('a:1', { big: 1n }))
    const nested = { x: 1 }
    const first = caller.act('a:1', { nested })
    nested.x = 2
    const full = failureOf(Promise.all([caller.act('a:1'), caller.act('a:1'), caller.act('a:1')]))
    line.heal()
    t.match(await unportable, { code: 'LUC_NOT_PORTABLE', handled: /^no$/ })
    t.match(await full, { code: 'LUC_OVERLOADED', handled: /^no$/ })
    const got = await first
    if (stage.parity === 'strict') t.strictSame(got, { a: 1, nested: { x: 1 } }, 'as it was when it was sent')
  })

  t.test('what a handler acts ends with it, also while it waits for an unknown peer', async (t) => {
    const { caller, service } = play(t, stage)
    const line = await unlistened(service)
    await caller.connect(line, { wait: false })
    const inner = gate<string>()
    const started = gate()
    caller.add('a:1', async (_, { act }) => {
      started.open()
      const { code } = await failureOf(act('b:1'))
      inner.open(code)
    })
    const controller = new AbortController()
    const outer = failureOf(caller.act('a:1', {}, { signal: controller.signal }))
    await started.opened
    controller.abort()
    t.match(await outer, { code: 'LUC_CANCELLED' })
    const began = performance.now()
    t.equal(await inner.opened, 'LUC_CANCELLED')
    t.ok(performance.now() - began < 1000)
  })

  t.test('an app that closes gives up what it has parked, as not handled', async (t) => {
    const { caller, service, join, line } = play(t, stage, { drainMs: 50 })
    service.add('a:1', () => 1)
    await join()
    line().block()
    await line().cut()
    const known = failureOf(caller.act('a:1'))
    await caller.connect(line(), { wait: false })
    const unknown = failureOf(caller.act('b:1'))
    const began = performance.now()
    await caller.close()
    t.match(await known, { handled: /^no$/ })
    t.match(await unknown, { handled: /^no$/, retryable: true })
    t.ok(performance.now() - began < 2000)
  })

  t.test('of two instances of a service the one that is left takes over', async (t) => {
    const caller = made(t, { name: 'caller', parity: stage.parity })
    const replicas = [0, 1].map(() => made(t, { name: 'replica', parity: stage.parity, drainMs: 1000 }))
    const counts = [0, 0]
    for (const [index, replica] of replicas.entries()) {
      replica.add('a:1', async () => {
        counts[index] = (counts[index] ?? 0) + 1
        await new Promise((resolve) => setTimeout(resolve, 5))
        return index
      })
      await join(means, caller, replica)
    }
    t.equal(caller.list('a:1').length, 1, 'instances of one service are one action')
    await Promise.all(Array.from({ length: 40 }, () => caller.act('a:1')))
    t.ok(
      counts.every((count) => count >= 10),
      `balanced: ${counts}`,
    )
    const calls: Promise<unknown>[] = []
    for (let n = 0; n < 20; n++) calls.push(caller.act('a:1'))
    const closed = replicas[0]?.close()
    for (let n = 0; n < 20; n++) calls.push(caller.act('a:1'))
    t.equal((await Promise.all(calls)).length, 40, 'no call fails')
    await closed
    for (let n = 0; n < 10; n++) t.equal(await caller.act('a:1'), 1)
  })

  t.test('a connection to itself is closed', async (t) => {
    const app = made(t, { name: 'alone', parity: stage.parity })
    app.add('a:1', () => 1)
    const listener = await app.listen(means.listen(), { expose: '*', audience: 'peers' })
    await app.connect(means.connect(listener.url))
    t.equal(app.list().length, 1)
    t.equal(await app.act('a:1'), 1)
  })

  t.test('several connections to one instance count as one', async (t) => {
    const { caller, service } = play(t, stage)
    const seen: unknown[] = []
    service.add('a:1', () => 'once')
    service.on('e:1', () => seen.push('event'))
    service.on('e:1', { each: 'instance' }, () => seen.push('each'))
    await join(means, caller, service)
    await join(means, caller, service)
    t.equal(caller.list().length, 1)
    t.equal(await caller.act('a:1'), 'once')
    await caller.emit('e:1')
    await eventually(() => seen.length >= 2)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    t.strictSame(seen.sort(), ['each', 'event'])
  })

  /** A line to an app, blocked until it is healed. */
  async function unlistened(app: App) {
    const listener = await app.listen(means?.listen() as never, { expose: '*', audience: 'peers' })
    const line = cuttable(means?.connect(listener.url) as never, means as never)
    line.block()
    return line
  }
}
