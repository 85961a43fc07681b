import t from 'tap'
import { lucilius } from '../../lib/index.js'
import { gate } from './eventually.js'
import { failureOf } from './failure.js'

t.test('close may be called as often as one likes, and by await using', async (t) => {
  let closed = 0
  {
    await using app = lucilius()
    app.onClose(() => void closed++)
    await app.ready()
  }
  t.equal(closed, 1)
  const app = lucilius()
  app.onClose(() => void closed++)
  await app.ready()
  await Promise.all([app.close(), app.close(), app[Symbol.asyncDispose]()])
  await app.close()
  t.equal(closed, 2)
})

t.test('after close everything is refused as LUC_SERVICE_CLOSED, not handled', async (t) => {
  const app = lucilius()
  app.add('a:1', () => 1)
  await app.ready()
  await app.close()
  const expected = { code: 'LUC_SERVICE_CLOSED', handled: /^no$/, retryable: true }
  const transport = { name: 'x', listen: () => t.fail('never'), connect: () => t.fail('never') } as never
  t.match(await failureOf(app.act('a:1')), expected)
  t.match(await failureOf(app.act('b:1')), expected)
  t.match(await failureOf(app.emit('e:1')), expected)
  t.match(await failureOf(app.listen(transport, { expose: '*' })), expected)
  t.match(await failureOf(app.connect(transport)), expected)
})

t.test('an app that was never ready closes without setting anything up', async (t) => {
  const app = lucilius()
  const ran: string[] = []
  app.use({
    name: 'never',
    setup: (app) => {
      ran.push('setup')
      app.onClose(() => ran.push('close'))
    },
  })
  app.onClose(() => ran.push('close app'))
  await app.close()
  t.notOk(ran.includes('setup') || ran.includes('close'))
  t.match(await failureOf(app.ready()), { code: 'LUC_SERVICE_CLOSED' })
})

t.test('close while plugins are loading waits for them and closes them', async (t) => {
  const app = lucilius()
  const held = gate()
  const ran: string[] = []
  app.use({
    name: 'slow',
    setup: async (app) => {
      app.onClose(() => ran.push('close'))
      await held.opened
      ran.push('setup')
    },
  })
  const ready = failureOf(app.ready())
  await new Promise((resolve) => setImmediate(resolve))
  const closed = app.close()
  held.open()
  t.match(await ready, { code: 'LUC_SERVICE_CLOSED' })
  await closed
  t.strictSame(ran, ['setup', 'close'])
})

t.test('what runs may finish, act and emit while the app closes', async (t) => {
  const app = lucilius()
  const held = gate()
  const started = gate()
  const seen: string[] = []
  app.add('a:1', async (_, { act, emit, signal }) => {
    started.open()
    await held.opened
    await emit('e:1')
    return [await act('a:2'), signal.aborted]
  })
  app.add('a:2', () => 2)
  app.on('e:1', () => seen.push('event'))
  app.onClose(() => seen.push('closed'))
  const running = app.act('a:1')
  await started.opened
  const closed = app.close()
  t.match(await failureOf(app.act('a:2')), { code: 'LUC_SERVICE_CLOSED' })
  held.open()
  t.strictSame(await running, [2, false])
  await closed
  t.strictSame(seen, ['event', 'closed'], 'hooks run after the work has ended')
})

t.test('a running subscriber is waited for, too', async (t) => {
  const app = lucilius()
  const held = gate()
  const started = gate()
  let done = false
  app.on('e:1', async () => {
    started.open()
    await held.opened
    done = true
  })
  await app.emit('e:1')
  await started.opened
  const closed = app.close()
  held.open()
  await closed
  t.ok(done)
})

t.test('an act that was accepted before close is not lost', async (t) => {
  const app = lucilius()
  app.add('a:1', async () => {
    await new Promise((resolve) => setImmediate(resolve))
    return 'done'
  })
  const early = app.act('a:1').catch((error: { code: string; handled: string }) => error)
  const closed = app.close()
  const outcome = await early
  if (outcome !== 'done') t.match(outcome, { code: 'LUC_SERVICE_CLOSED', handled: /^no$/ })
  await closed
  const ready = lucilius()
  ready.add('a:1', async () => {
    await new Promise((resolve) => setImmediate(resolve))
    return 'done'
  })
  await ready.ready()
  const sent = ready.act('a:1')
  await Promise.all([t.resolves(sent), ready.close()])
})

t.test('an onClose hook that fails does not keep the others from running', async (t) => {
  const app = lucilius()
  const ran: string[] = []
  app.onClose(() => ran.push('first'))
  app.use({
    name: 'bad',
    setup: (app) =>
      app.onClose(() => {
        throw new Error('broken')
      }),
  })
  app.onClose(() => ran.push('second'))
  await app.ready()
  t.match(await failureOf(app.close()), { code: 'LUC_PLUGIN_FAILED', message: /'bad'.*onClose.*broken/ })
  t.strictSame(ran.sort(), ['first', 'second'])
})

t.test('a handler may close its own app', async (t) => {
  const app = lucilius({ drainMs: 100 })
  app.add('a:1', () => {
    void app.close()
    return 'closing'
  })
  t.equal(await app.act('a:1'), 'closing')
  await app.close()
})
