import t from 'tap'
import { ActionError, type App, lucilius } from '../../lib/index.js'
import { mock } from '../../plugins/mock/index.js'
import { inProcess } from '../../transports/in-process/index.js'

function rates(app: App) {
  app.add('role:fx,cmd:get', () => ({ rate: 1 }))
}

function quotes(app: App) {
  app.add('role:quote', async (_, { act }) => act('role:fx,cmd:get', { currency: 'usd' }))
}

t.test('a mock answers with a value, a function or an error', async (t) => {
  await using app = lucilius()
  app.use(mock('role:a', { rate: 2 }))
  app.use(mock('role:b', (message: { n: number }) => message.n + 1))
  app.use(mock({ role: 'c' }, new ActionError('RATE_UNKNOWN', 'No rate', { to: 'xyz' })))
  app.use(mock('role:d', undefined))
  t.strictSame(await app.act('role:a'), { rate: 2 })
  t.equal(await app.act('role:b,n:1'), 2)
  await t.rejects(app.act('role:c'), { code: 'RATE_UNKNOWN', message: 'No rate', details: { to: 'xyz' } })
  t.equal(await app.act('role:d'), undefined)
})

t.test('a mock remembers what was sent, in order and with the identity, until it is cleared', async (t) => {
  await using app = lucilius()
  const greet = mock('role:greet', 'hello')
  app.use(greet)
  await app.act('role:greet,n:1')
  await app.act('role:greet', { n: 2, list: [1] }, { identity: { user: 'u1' } })
  t.strictSame(greet.sent, [
    { message: { role: 'greet', n: 1 } },
    { message: { role: 'greet', n: 2, list: [1] }, identity: { user: 'u1' } },
  ])
  greet.clear()
  t.strictSame(greet.sent, [])
})

t.test('a mock stands in front of the action of its pattern, used before the service or after it', async (t) => {
  for (const order of [
    [mock('cmd:get,role:fx', { rate: 2 }), rates, quotes],
    [rates, quotes, mock('cmd:get,role:fx', { rate: 2 })],
  ]) {
    await using app = lucilius()
    for (const plugin of order) app.use(plugin)
    t.strictSame(await app.act('role:quote'), { rate: 2 })
  }
})

t.test('a service that acts when it is ready meets the mock that was used before it', async (t) => {
  await using app = lucilius()
  const fx = mock('role:fx,cmd:get', { rate: 2 })
  app.use(fx)
  app.use(rates)
  let seen: unknown
  app.use(function early(app) {
    app.onReady(async () => {
      seen = await app.act('role:fx,cmd:get')
    })
  })
  await app.ready()
  t.strictSame(seen, { rate: 2 })
  t.equal(fx.sent.length, 1)
})

t.test('the prior of a mock is the action that it stands in front of', async (t) => {
  await using app = lucilius()
  app.use(rates)
  app.use(
    mock('role:fx,cmd:get', async (_: unknown, { prior }: { prior: () => Promise<object> }) => ({
      ...(await prior()),
      seen: true,
    })),
  )
  t.strictSame(await app.act('role:fx,cmd:get'), { rate: 1, seen: true })
})

t.test('a mock answers in place of a peer', async (t) => {
  await using there = lucilius({ name: 'rates' })
  there.use(rates)
  const listener = await there.listen(inProcess(), { expose: '*' })
  await using here = lucilius({ name: 'quotes' })
  here.use(quotes)
  here.use(mock('role:fx,cmd:get', { rate: 2 }))
  await here.connect(inProcess({ url: listener.url }))
  t.strictSame(await here.act('role:quote'), { rate: 2 })
})

t.test('what a more specific action answers never gets to a mock', async (t) => {
  await using app = lucilius()
  const fx = mock('role:fx,cmd:get', { rate: 2 })
  app.use(fx)
  app.add('role:fx,cmd:get,currency:jpy', () => ({ rate: 160 }))
  t.strictSame(await app.act('role:fx,cmd:get,currency:jpy'), { rate: 160 })
  t.equal(fx.sent.length, 0)
})
