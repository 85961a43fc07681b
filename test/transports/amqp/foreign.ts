import type { Test } from 'tap'
import { jsonLogger } from '../../../lib/index.js'
import { foreign } from '../../../transports/amqp/index.js'
import { eventually } from '../../core/eventually.js'
import type { Broker } from '../../support/brokers.js'
import { MemoryStore } from '../../support/memory-store.js'
import { filled, json, stage } from './stage.js'

/** A queue that was declared long before the broker is killed: RabbitMQ 3.10 loses a quorum queue that is younger than a second. */
export const EARLY_QUEUE = 'test-early-orders'

/** Producers and consumers that know nothing of lucilius. */
export function others(t: Test, broker: Broker): void {
  const { url } = broker

  t.test('plain JSON of a producer becomes an event, and an event plain JSON for a consumer', async (t) => {
    const { app, outsider, space } = stage(t, broker)
    const [shop, billing, queue] = [`${space}-shop`, `${space}-billing`, EARLY_QUEUE]
    const seen: unknown[] = []
    const service = app({ name: 'billing' })
    service.use(
      foreign({
        url,
        consume: [{ exchange: shop, key: ['order.created', 'order.paid'], queue, as: 'role:order,event:created' }],
        publish: [{ match: 'role:invoice,event:*', exchange: billing, key: 'invoice.{event}.{n}' }],
      }),
    )
    service.on('role:order,event:created', async (message, { emit }) => {
      seen.push(message)
      await emit('role:invoice,event:sent', { n: message.n })
    })
    await service.ready()

    const { channel, next } = await outsider()
    await channel.assertQueue(`${space}-in`, { exclusive: true })
    await channel.bindQueue(`${space}-in`, billing, 'invoice.sent.*')
    channel.publish(shop, 'order.created', Buffer.from('{"n":1,"role":"x","items":[{"sku":"a"}]}'))
    channel.publish(shop, 'order.shipped', Buffer.from('{"n":2}'))
    channel.publish(shop, 'order.paid', Buffer.from('{"n":3}'))
    const first = await next(`${space}-in`)
    t.same(json(first), { role: 'invoice', event: 'sent', n: 1 })
    t.match(first.fields, { routingKey: 'invoice.sent.1' })
    t.match(first.properties, { contentType: 'application/json', deliveryMode: 2, messageId: /./ })
    t.same(json(await next(`${space}-in`)), { role: 'invoice', event: 'sent', n: 3 })
    t.strictSame(
      seen,
      [
        { n: 1, role: 'order', items: [{ sku: 'a' }], event: 'created' },
        { n: 3, role: 'order', event: 'created' },
      ],
      "the pattern's pairs go over what the message says itself",
    )
  })

  t.test('what can be no event is put aside with the reason, and the rest goes on', async (t) => {
    const { app, outsider, space } = stage(t, broker)
    const queue = `${space}-orders`
    const { channel, next } = await outsider()
    await channel.assertQueue(queue, { durable: false })
    const bad = ['{', '[]', '{"__proto__":1}', `{"a":"${'x'.repeat(2_000)}"}`]
    for (const body of bad) channel.sendToQueue(queue, Buffer.from(body), { headers: { from: 'shop' }, messageId: 'm' })
    channel.sendToQueue(queue, Buffer.from('{"n":1}'))
    const seen: unknown[] = []
    const service = app()
    service.on('a:1', ({ n }) => void seen.push(n))
    service.use(foreign({ url, maxBytes: 1_000, consume: [{ queue, as: 'a:1' }] }))
    await service.ready()
    await eventually(() => seen.length === 1)
    for (const [index, code] of [
      'LUC_WIRE_INVALID',
      'LUC_MESSAGE_INVALID',
      'LUC_MESSAGE_INVALID',
      'LUC_TOO_LARGE',
    ].entries()) {
      const dead = await next(`${queue}.dead`)
      t.equal(dead.content.toString(), bad[index])
      t.match(dead.properties, { messageId: 'm', deliveryMode: 2 })
      t.match(dead.properties.headers, { from: 'shop', 'lucilius-error': code, 'lucilius-key': queue })
      t.type(dead.properties.headers?.['lucilius-reason'], 'string')
    }
    t.match(await channel.checkQueue(queue), { messageCount: 0 })
    t.strictSame(seen, [1])
  })

  t.test('a message is acknowledged once its durable event is stored, and stored once if it comes twice', async (t) => {
    const { app, outsider, space } = stage(t, broker)
    const queue = `${space}-orders`
    let failures = 2
    let stored = 0
    const store = new MemoryStore({
      failAppend: () => {
        if (failures-- > 0) return 'before'
        stored++
        return undefined
      },
    })
    const seen: unknown[] = []
    const service = app({ name: 'billing', store })
    service.on('role:order,event:created', { durable: 'bill' }, (message, { delivery }) => {
      seen.push([message.n, typeof delivery?.id])
    })
    service.use(foreign({ url, consume: [{ queue, as: 'role:order,event:created', durable: true }] }))
    await service.ready()
    const { channel } = await outsider()
    for (const n of [1, 1, 2]) channel.sendToQueue(queue, Buffer.from(`{"n":${n}}`), { messageId: `m${n}` })
    await eventually(() => stored === 3 && seen.length === 2)
    t.strictSame(seen.sort(), [
      [1, 'string'],
      [2, 'string'],
    ])
    await service.close()
    t.match(await channel.checkQueue(queue), { messageCount: 0 })
    t.match(await channel.checkQueue(`${queue}.dead`), { messageCount: 0 })
  })

  t.test('a message that was not stored when the app closes stays in its queue', async (t) => {
    const { app, outsider, space } = stage(t, broker)
    const queue = `${space}-orders`
    let tried = 0
    const store = new MemoryStore({
      failAppend: () => {
        tried++
        return 'before'
      },
    })
    const service = app({ store })
    service.use(foreign({ url, consume: [{ queue, as: 'a:1', durable: true }] }))
    await service.ready()
    const { channel } = await outsider()
    channel.sendToQueue(queue, Buffer.from('{}'))
    await eventually(() => tried > 0)
    await service.close()
    await filled(channel, queue, 1)
    t.ok(tried < 10, `no hot loop: ${tried} tries`)
  })

  t.test('from a durable subscription an event is published until the broker has confirmed it', async (t) => {
    const { app, outsider, space } = stage(t, broker)
    const store = new MemoryStore()
    const service = app({ name: 'billing', store })
    service.event('role:invoice,event:sent', { durable: true })
    service.use(
      foreign({
        url,
        publish: [{ match: 'role:invoice,event:sent', exchange: '', key: `${space}-in`, durable: 'shop' }],
      }),
    )
    const { channel, next } = await outsider()
    await channel.assertQueue(`${space}-in`, { exclusive: true })
    await service.emit('role:invoice,event:sent', { n: 1 }, { id: 'invoice-1' })
    const message = await next(`${space}-in`)
    t.same(json(message), { role: 'invoice', event: 'sent', n: 1 })
    t.equal(message.properties.messageId, 'invoice-1')
    t.ok(store.subscriptions.some((one) => JSON.stringify(one).includes('shop')))
  })

  t.test('an event for a queue that is not there is no event published', async (t) => {
    const { app, outsider, space } = stage(t, broker)
    let failed = 0
    const write = (line: string) => {
      if (line.includes(`The queue ${space}-in is not there`)) failed++
    }
    const logger = jsonLogger({ level: 'warn', write })
    const service = app({ name: 'billing', store: new MemoryStore(), logger })
    service.event('role:invoice', { durable: true })
    service.use(
      foreign({ url, publish: [{ match: 'role:invoice', exchange: '', key: `${space}-in`, durable: 'shop' }] }),
    )
    await service.emit('role:invoice', { n: 1 })
    await eventually(() => failed > 0)
    const { channel, next } = await outsider()
    await channel.assertQueue(`${space}-in`, { exclusive: true })
    t.match(json(await next(`${space}-in`)), { n: 1 })
  })

  t.test('a queue that is deleted is there again', async (t) => {
    const { app, outsider, space } = stage(t, broker)
    const queue = `${space}-orders`
    const seen: unknown[] = []
    const service = app()
    service.on('a:1', ({ n }) => void seen.push(n))
    service.use(foreign({ url, consume: [{ queue, as: 'a:1', exchange: `${space}-shop` }] }))
    await service.ready()
    const { channel } = await outsider()
    await channel.deleteQueue(queue)
    const end = performance.now() + 5_000
    for (let n = 0; seen.length === 0 && performance.now() < end; n++) {
      channel.publish(`${space}-shop`, 'x', Buffer.from(`{"n":${n}}`))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    t.ok(seen.length > 0)
  })

  t.test('wrong options are refused where they are written, a wrong login where the app starts', async (t) => {
    const consume = [{ queue: 'q', as: 'a:1' }]
    for (const [options, text] of [
      [{}, /'consume' or 'publish'/],
      [{ consum: consume }, /'consum'/],
      [{ consume: [{ queue: 'q', as: 'a:*' }] }, /'as' is one event/],
      [{ consume: [{ queue: 'q', as: '' }] }, /'as' is one event/],
      [{ consume: [{ queue: '', as: 'a:1' }] }, /'queue'/],
      [{ consume: [{ queue: 'q', as: 'a:1', key: 'k' }] }, /'exchange'/],
      [{ consume: [{ queue: 'q', as: 'a:1', exchange: '' }] }, /default exchange/],
      [{ consume: [{ queue: 'q', as: 'a:1', prefetch: 0 }] }, /prefetch/],
      [{ consume: {} }, /list/],
      [{ publish: [{ match: 'a:1', exchange: 'x' }] }, /'key'/],
      [{ publish: [{ match: 'a:1', exchange: 'x', key: 'k', confirm: true }] }, /'confirm'/],
      [
        { consume: [{ queue: 'q', as: 'a:1', exchange: 'x' }], publish: [{ match: 'a:*', exchange: 'x', key: 'k' }] },
        /again/,
      ],
      [{ url: 'http://x', consume }, /'url'/],
    ] as const) {
      t.throws(() => foreign(options as never), { code: 'LUC_OPTIONS_INVALID', message: text })
    }
    t.throws(() => foreign({ consume: [{ queue: 'q', as: 'a' }] }), { code: 'LUC_PATTERN_INVALID' })
    const { app } = stage(t, broker)
    const refused = app()
    refused.use(foreign({ url, user: 'somebody', pass: 'open-sesame', consume }))
    await t.rejects(refused.ready(), { code: 'LUC_PLUGIN_FAILED', message: /^(?!.*sesame)/s })
    const away = app()
    away.use(foreign({ url: 'amqp://127.0.0.1:1', consume, publish: [{ match: 'b:1', exchange: 'x', key: 'k' }] }))
    await away.ready()
    t.pass('a broker that is away is tried again')
  })
}
