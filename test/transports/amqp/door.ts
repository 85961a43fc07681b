import type { Test } from 'tap'
import { ActionError } from '../../../lib/index.js'
import type { Broker } from '../../support/brokers.js'
import { filled, json, stage, startService } from './stage.js'

/** Clients of any language, and the queue in which their messages wait. */
export function door(t: Test, broker: Broker): void {
  t.test('a client of any language asks with plain AMQP', async (t) => {
    const { app, amqp, outsider, space } = stage(t, broker)
    const convert = app({ name: 'convert' })
    convert.add('role:convert,cmd:rate', (message, { meta }) => ({ ...message, left: meta.deadline - Date.now() }))
    convert.add('role:convert,cmd:none', () => undefined)
    convert.add('role:convert,cmd:fail', () => {
      throw new ActionError('RATE_UNKNOWN', 'No such rate', { from: 'x' })
    })
    convert.add('role:secret,cmd:x', () => 1)
    await convert.listen(amqp(), { audience: 'clients', expose: ['role:convert,cmd:*'] })
    const { ask } = await outsider()
    const queue = `lucilius.${space}.act.convert`

    const { content, properties } = await ask(queue, '{"role":"convert","cmd":"rate","from":"usd"}', {
      expiration: '2000',
    })
    const reply = JSON.parse(content.toString())
    t.match(reply, { role: 'convert', cmd: 'rate', from: 'usd' })
    t.ok(reply.left > 500 && reply.left <= 2_100, `the expiration is the time-out: ${reply.left}`)
    t.match(properties, { type: 'reply', contentType: 'application/json', correlationId: /^ask-/ })

    t.equal((await ask(queue, '{"role":"convert","cmd":"none"}')).content.length, 0, 'no reply, no bytes')
    const failed = await ask(queue, '{"role":"convert","cmd":"fail"}')
    t.match(failed.properties, { type: 'error', headers: { 'lucilius-error': 'RATE_UNKNOWN' } })
    t.strictSame(json(failed), {
      error: { code: 'RATE_UNKNOWN', message: 'No such rate', handled: 'yes', details: { from: 'x' } },
    })
    for (const [body, code] of [
      ['{"role":"secret","cmd":"x"}', 'LUC_ACTION_NOT_FOUND'],
      ['{"role":"convert","cmd":"no"}', 'LUC_ACTION_NOT_FOUND'],
      ['nonsense', 'LUC_WIRE_INVALID'],
      ['[1]', 'LUC_MESSAGE_INVALID'],
      ['{"role":"convert","cmd":"rate","__proto__":{}}', 'LUC_MESSAGE_INVALID'],
      [`{"role":"convert","cmd":"rate","a":${'['.repeat(100)}${']'.repeat(100)}}`, 'LUC_MESSAGE_INVALID'],
      [`{"role":"convert","cmd":"rate","a":"${'x'.repeat(2 ** 20)}"}`, 'LUC_TOO_LARGE'],
    ] as const) {
      t.match(json(await ask(queue, body)), { error: { code, handled: 'no' } }, `${body.slice(0, 30)}: ${code}`)
    }
    const odd = await ask(queue, '{"role":"convert","cmd":"rate"}', { headers: { 'lucilius-timeout-ms': 'soon' } })
    t.match(json(odd), { error: { code: 'LUC_WIRE_INVALID' } })
  })

  t.test('a message waits until somebody answers, and no longer than it may', async (t) => {
    const { app, amqp, outsider, space } = stage(t, broker)
    const caller = app({ name: 'caller' })
    await caller.connect(amqp({ app: 'late' }), { patterns: ['a:*'] })
    const asked = caller.act('a:1,n:1', {}, { timeoutMs: 20_000 })
    const expired = caller.act('a:1,n:2', {}, { timeoutMs: 100 })
    await t.rejects(expired, { code: 'LUC_DEADLINE_EXCEEDED' })
    const { ask, channel } = await outsider()
    const foreign = ask(`lucilius.${space}.act.late`, '{"a":1,"n":3}', { expiration: '20000' })
    await channel.checkQueue(`lucilius.${space}.act.late`)

    const ran: unknown[] = []
    const late = app({ name: 'late' })
    late.add('a:1', ({ n }) => {
      ran.push(n)
      return { n }
    })
    await late.listen(amqp(), { audience: 'clients', expose: '*' })
    t.same(await asked, { n: 1 })
    t.same(json(await foreign), { n: 3 })
    t.strictSame(ran, [1, 3], 'what had expired was not started')
  })

  t.test('apps connect to the door by its url, and share it', async (t) => {
    const { app, amqp } = stage(t, broker)
    const seen = new Set<unknown>()
    let url = ''
    for (const who of ['one', 'two']) {
      const service = app({ name: 'service' })
      service.add('a:1', () => who)
      url = (await service.listen(amqp({ app: 'both' }), { audience: 'clients', expose: '*' })).url
    }
    const caller = app()
    await caller.connect(amqp({ url }), { patterns: ['a:1'] })
    for (let n = 0; n < 8; n++) seen.add(await caller.act('a:1'))
    t.strictSame([...seen].sort(), ['one', 'two'])
    await t.rejects(caller.connect(amqp({ url })), { code: 'LUC_OPTIONS_INVALID' }, 'it tells nothing')
    await t.rejects(caller.connect(amqp(), { patterns: ['a:1'] }), { code: 'LUC_OPTIONS_INVALID', message: /'app'/ })
  })

  t.test('a queue that is full refuses, and what waits in it is answered', async (t) => {
    const { app, amqp, outsider, space } = stage(t, broker)
    const caller = app()
    await caller.connect(amqp({ app: 'full' }), { patterns: ['a:1'] })
    const waiting = caller.act('a:1', {}, { timeoutMs: 20_000 })
    const { channel } = await outsider()
    const queue = `lucilius.${space}.act.full`
    await filled(channel, queue, 1)
    for (let n = 1; n < 10_000; n++) channel.sendToQueue(queue, Buffer.from('{}'), { expiration: '500' })
    await filled(channel, queue, 10_000)
    await t.rejects(caller.act('a:1'), { code: 'LUC_OVERLOADED', handled: 'no' })
    const service = app()
    service.add('a:1', () => 1)
    await service.listen(amqp({ app: 'full' }), { audience: 'clients', expose: '*' })
    t.equal(await waiting, 1)
  })

  t.test('who is killed while it answers has answered: lost, and not run twice', async (t) => {
    const here = stage(t, broker)
    const killed = await startService(t, here, 'killed')
    const { ask } = await here.outsider()
    const queue = `lucilius.${here.space}.act.doors`
    const lost = ask(queue, '{"a":"slow"}')
    await killed.started()
    let ran = 0
    const other = here.app()
    other.add('a:*', () => ++ran)
    await other.listen(here.amqp({ app: 'doors' }), { audience: 'clients', expose: '*' })
    await killed.kill()
    t.match(json(await lost), { error: { code: 'LUC_REPLY_LOST', handled: 'unknown' } })
    t.equal(ran, 0)
    t.same(json(await ask(queue, '{"a":2}')), 1, 'it goes on')
  })

  t.test('who closes leaves what it has not started to the next one', async (t) => {
    const { app, amqp, outsider, space } = stage(t, broker)
    const first = app({ drainMs: 2_000 })
    let started = () => {}
    const running = new Promise<void>((resolve) => {
      started = resolve
    })
    let finish = () => {}
    first.add('a:slow', async () => {
      started()
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return 'slow'
    })
    first.add('a:1', () => 'first')
    await first.listen(amqp({ app: 'shift' }), { audience: 'clients', expose: '*' })
    const { ask } = await outsider()
    const queue = `lucilius.${space}.act.shift`
    const slow = ask(queue, '{"a":"slow"}')
    await running
    const closed = first.close()
    const asked = Promise.all(Array.from({ length: 20 }, () => ask(queue, '{"a":1}')))
    const second = app()
    second.add('a:1', () => 'second')
    await second.listen(amqp({ app: 'shift' }), { audience: 'clients', expose: '*' })
    finish()
    t.equal(json(await slow), 'slow', 'what ran is answered')
    t.strictSame((await asked).map(json), Array(20).fill('second'))
    await closed
  })

  t.test('an answer never goes to a queue of ours that is no mailbox', async (t) => {
    const { app, amqp, outsider, space } = stage(t, broker)
    const service = app()
    let ran = 0
    service.add('a:1', () => ({ a: 2 }))
    service.add('a:2', () => ++ran)
    await service.listen(amqp({ app: 'x' }), { audience: 'clients', expose: ['a:1'] })
    await service.listen(amqp({ app: 'y' }), { audience: 'clients', expose: ['a:2'] })
    const { ask, channel } = await outsider()
    const [x, y] = [`lucilius.${space}.act.x`, `lucilius.${space}.act.y`]
    channel.publish('', x, Buffer.from('{"a":1}'), { replyTo: y })
    await ask(x, '{"a":1}')
    t.same(json(await ask(y, '{"a":2}')), 1, 'the first one that came there')
  })
}
