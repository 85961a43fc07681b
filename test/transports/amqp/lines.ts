import type { Test } from 'tap'
import { jsonLogger } from '../../../lib/index.js'
import type { Observer } from '../../../lib/transport-kit.js'
import { eventually } from '../../core/eventually.js'
import type { Broker } from '../../support/brokers.js'
import { faultProxy } from '../../support/fault-proxy.js'
import { stage, startService } from './stage.js'

/** Apps that find each other through the broker. */
export function lines(t: Test, broker: Broker): void {
  t.test('apps find each other, whoever comes first, and share the work', async (t) => {
    const { app, amqp } = stage(t, broker)
    const early = app({ name: 'caller' })
    await early.connect(amqp())
    t.strictSame(early.list(), [])
    for (const who of ['one', 'two']) {
      const service = app({ name: 'service' })
      service.add('a:1', () => who)
      await service.listen(amqp(), { expose: '*' })
    }
    await eventually(() => early.list().length > 0)
    t.match(await early.act('a:1'), /one|two/, 'who came before them has found them')
    const late = app({ name: 'late' })
    await late.connect(amqp())
    const seen = new Set<unknown>()
    for (let n = 0; n < 8; n++) seen.add(await late.act('a:1'))
    t.strictSame([...seen].sort(), ['one', 'two'])
  })

  t.test('one that listens and looks with the same transport does not find itself', async (t) => {
    const { app, amqp } = stage(t, broker)
    const logged: unknown[] = []
    const write = (line: string) => void logged.push(JSON.parse(line))
    const both = app({ name: 'both', logger: jsonLogger({ level: 'trace', write }) })
    const transport = amqp()
    await both.listen(transport, { expose: '*' })
    await both.connect(transport)
    t.notOk(JSON.stringify(logged).includes('itself'))
  })

  t.test('a space hears nothing of another one', async (t) => {
    const { app, amqp, space } = stage(t, broker)
    const service = app()
    service.add('a:1', () => 1)
    await service.listen(amqp(), { expose: '*' })
    const caller = app()
    await caller.connect(amqp({ space: `${space}-other` }))
    t.strictSame(caller.list(), [])
  })

  t.test('events reach each service once', async (t) => {
    const { app, amqp } = stage(t, broker)
    const seen: string[] = []
    for (const name of ['stock, with a comma', 'notify', 'notify']) {
      const one = app({ name })
      one.on('role:order,event:*', ({ n }) => void seen.push(`${name} ${n}`))
      await one.listen(amqp(), { expose: [], events: { in: '*', out: [] } })
    }
    const order = app({ name: 'order' })
    await order.connect(amqp(), { events: { in: [], out: '*' } })
    await order.emit('role:order,event:created', { n: 1 })
    await eventually(() => seen.length === 2)
    t.strictSame(seen.sort(), ['notify 1', 'stock, with a comma 1'])
  })

  t.test('a killed process is noticed: the act is lost, and the next one goes elsewhere', async (t) => {
    const here = stage(t, broker)
    const killed = await startService(t, here, 'killed')
    const caller = here.app({ name: 'caller' })
    await caller.connect(here.amqp())
    const lost = caller.act('a:slow', {}, { timeoutMs: 60_000 })
    lost.catch(() => {})
    await killed.started()
    await killed.kill()
    const began = performance.now()
    await t.rejects(lost, { code: 'LUC_REPLY_LOST', handled: 'unknown' })
    t.ok(performance.now() - began < 20_000, 'long before its deadline')
    const next = caller.act('a:1', {}, { timeoutMs: 20_000 })
    const other = here.app({ name: 'service' })
    other.add('a:1', () => ({ tag: 'other' }))
    await other.listen(here.amqp(), { expose: '*' })
    t.same(await next, { tag: 'other' })
  })

  t.test('nobody has that mailbox: unreachable at once', async (t) => {
    const { amqp } = stage(t, broker)
    const began = performance.now()
    await t.rejects(amqp({ url: `${broker.url}#nobody` }).connect(nobody), { code: 'LUC_UNREACHABLE', handled: 'no' })
    t.ok(performance.now() - began < 1_000)
  })

  t.test('what AMQP cannot carry is refused, and the line stays', async (t) => {
    const { app, amqp } = stage(t, broker)
    const service = app({ name: 'service' })
    service.add('a:1', (_, { meta }) => (meta.identity as string)?.length)
    await service.listen(amqp(), { expose: '*' })
    const caller = app({ name: 'caller' })
    await caller.connect(amqp())
    t.equal(await caller.act('a:1', {}, { identity: 'x'.repeat(10_000) }), 10_000)
    const large = caller.act('a:1', {}, { identity: 'x'.repeat(100_000) })
    await t.rejects(large, { code: 'LUC_TOO_LARGE', handled: 'no' })
    t.equal(await caller.act('a:1', {}, { identity: 'y' }), 1)
  })

  t.test('garbage in a mailbox and in the news harms nobody', async (t) => {
    const { app, amqp, outsider, space } = stage(t, broker)
    const service = app({ name: 'service' })
    service.add('a:1', () => 1)
    const { url } = await service.listen(amqp(), { expose: '*' })
    const caller = app({ name: 'caller' })
    await caller.connect(amqp())
    const { channel } = await outsider()
    const address = new URL(url).hash.slice(1)
    const mailbox = `lucilius.${space}.mail`
    const bodies = [
      '',
      '{',
      '[]',
      'null',
      '{"announcement":1}',
      `${'['.repeat(1000)}`,
      '\u{fffd}\0',
      '{"__proto__":{}}',
    ]
    const types = [
      undefined,
      'act',
      'act a:1',
      'event',
      'reply',
      'error',
      'open',
      'opened',
      'tell',
      'close',
      'ping',
      'x y',
    ]
    for (const body of bodies) {
      for (const type of types) {
        for (const correlationId of [undefined, '', '.', 'line', 'line.1', 'line.-1', 'line.NaN', 'x'.repeat(200)]) {
          const headers = { 'lucilius-hops': 'x', 'lucilius-identity': '{', n: { deep: [1, true] } }
          const properties = { type, correlationId, headers, replyTo: 'nobody', expiration: '100' }
          channel.publish(mailbox, address, Buffer.from(body), clean(properties))
          channel.publish(`lucilius.${space}.news`, 'who', Buffer.from(body), clean(properties))
          channel.publish(`lucilius.${space}.news`, 'here', Buffer.from(body), clean({ ...properties, type: 'here' }))
        }
      }
    }
    const answer = await new Promise((resolve) => {
      void channel.assertQueue('', { exclusive: true }).then(async ({ queue }) => {
        await channel.bindQueue(queue, mailbox, queue)
        await channel.consume(
          queue,
          (message) => message?.properties.type === 'error' && resolve(JSON.parse(message.content.toString())),
        )
        channel.publish(mailbox, address, Buffer.from('[]'), { type: 'act', correlationId: 'l.7', replyTo: queue })
      })
    })
    t.match(answer, { error: { code: 'LUC_MESSAGE_INVALID', handled: 'no' } }, 'an act that cannot be read is answered')
    t.equal(await caller.act('a:1'), 1)
  })

  t.test('a connection to the broker that is cut comes back, at the same address', async (t) => {
    const { app, amqp } = stage(t, broker)
    const proxy = await faultProxy(broker.port)
    t.teardown(() => proxy.close())
    const service = app({ name: 'service' })
    service.add('a:1', () => 1)
    const { url } = await service.listen(amqp({ url: `amqp://127.0.0.1:${proxy.port}` }), { expose: '*' })
    const address = new URL(url).hash
    const caller = app({ name: 'caller' })
    await caller.connect(amqp({ url: `${broker.url}${address}` }))
    t.equal(await caller.act('a:1'), 1)
    proxy.cut()
    proxy.set({})
    // The first one may still find the queue of the lost connection: nobody knows what became of it.
    const first = await caller.act('a:1').catch((error) => error.handled)
    t.ok(first === 1 || first === 'unknown', String(first))
    t.equal(await caller.act('a:1'), 1)
  })
}

/** Somebody who connects and wants nothing. */
const nobody: Observer = {
  tell: () => ({ wire: 1, name: 'x', instance: 'x', actions: [], subscriptions: [], draining: false }),
  onTell: () => () => {},
  hear: () => {},
  receive: async () => ({}),
  lost: () => {},
}

/** Without what is undefined: amqplib would refuse it. */
function clean(properties: object): object {
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined))
}
