import type { Test } from 'tap'
import { foreign } from '../../../transports/amqp/index.js'
import { eventually } from '../../core/eventually.js'
import type { Broker } from '../../support/brokers.js'
import { EARLY_QUEUE } from './foreign.js'
import { stage } from './stage.js'

/** The broker goes away and comes back: the last test of its file, for nobody else has it meanwhile. */
export function outages(t: Test, broker: Broker): void {
  t.test('what is asked while the broker is away is answered when it is back', async (t) => {
    const { app, amqp, outsider } = stage(t, broker)
    const seen: unknown[] = []
    const service = app({ name: 'service' })
    service.add('a:1', ({ n }) => ({ n }))
    service.on('e:1', ({ n }) => void seen.push(n))
    service.use(foreign({ url: broker.url, consume: [{ queue: EARLY_QUEUE, as: 'e:1' }] }))
    await service.listen(amqp(), { expose: '*' })
    await service.listen(amqp({ app: 'service' }), { expose: '*', audience: 'clients' })
    const peer = app({ name: 'peer' })
    await peer.connect(amqp())
    const client = app({ name: 'client' })
    await client.connect(amqp({ app: 'service' }), { patterns: ['a:*'] })
    t.same(await peer.act('a:1,n:1'), { n: 1 })
    t.same(await client.act('a:1,n:2'), { n: 2 })

    await broker.kill()
    const late = app({ name: 'late' })
    const joined = late.connect(amqp())
    const finding = amqp().discover?.({ found: () => {}, gone: () => {} })
    await t.rejects(finding as Promise<unknown>, { code: 'LUC_UNREACHABLE' })
    const asked = [peer, client].map((one, n) => one.act('a:1', { n }, { timeoutMs: 60_000 }))
    await broker.restart()
    t.same(await Promise.all(asked), [{ n: 0 }, { n: 1 }])
    await joined
    // Whoever is there when it has looked is known; the service may be back a moment later.
    await eventually(() => late.find('a:1') !== undefined, 10_000)
    t.same(await late.act('a:1,n:3'), { n: 3 })
    const { channel } = await outsider()
    channel.sendToQueue(EARLY_QUEUE, Buffer.from('{"n":4}'))
    await eventually(() => seen.length === 1, 10_000)
    t.strictSame(seen, [4])
  })
}
