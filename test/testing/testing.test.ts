import t from 'tap'
import { ActionError, type App, jsonLogger } from '../../lib/index.js'
import { defineSystem } from '../../lib/system/index.js'
import { type Shape, testSystem } from '../../lib/testing/index.js'

const shapes: readonly Shape[] = ['local', 'parity', 'split']

/** What a bank and a shop say to each other. */
function shopAndBank() {
  const told: unknown[] = []
  const bank = (app: App) => {
    app.add('role:bank,cmd:pay', { idempotent: true }, async ({ amount }, { emit }) => {
      if (Number(amount) > 100) throw new ActionError('TOO_MUCH', 'The bank refuses', { amount })
      await emit('role:bank,event:paid', { amount })
      return { paid: amount }
    })
  }
  const shop = (app: App) => {
    app.on('role:bank,event:paid', ({ amount }) => void told.push(amount))
    app.add('role:shop,cmd:buy', async ({ price }, { act }) => {
      const { paid } = (await act('role:bank,cmd:pay', { amount: price })) as { paid: unknown }
      return { bought: true, paid }
    })
  }
  const system = defineSystem({ services: { bank: async () => bank, shop: async () => shop } })
  return { system, told }
}

for (const shape of shapes) {
  t.test(`${shape}: the same body gets the same replies, errors and record`, async (t) => {
    const { system, told } = shopAndBank()
    const running = await testSystem(system, { shape })
    t.teardown(running.close)

    t.same(await running.act('role:shop,cmd:buy', { price: 5 }), { bought: true, paid: 5 })
    await t.rejects(running.act('role:bank,cmd:pay', { amount: 500 }), { code: 'TOO_MUCH', details: { amount: 500 } })

    await running.close()
    t.same(told, [5])
    t.match(running.messages, [
      { kind: 'act', service: 'shop', pattern: 'cmd:buy,role:shop', reply: { bought: true, paid: 5 } },
      { kind: 'act', service: 'bank', message: { amount: 5 }, reply: { paid: 5 } },
      { kind: 'emit', service: 'bank', message: { role: 'bank', event: 'paid', amount: 5 } },
      { kind: 'act', service: 'bank', message: { amount: 500 }, error: { code: 'TOO_MUCH' } },
    ])
    t.equal(running.messages.length, 4)
  })

  t.test(`${shape}: durable events are kept and tried again, and nothing is left of them`, async (t) => {
    const heard: unknown[] = []
    const order = (app: App) => {
      app.event('role:order,event:created', { durable: true })
      app.add('role:order', async ({ id }, { emit }) => emit('role:order,event:created', { id }))
    }
    const notify = (app: App) => {
      app.on('role:order,event:created', { durable: 'outbox' }, ({ id }, { delivery }) => {
        heard.push([id, delivery?.attempt])
        if (delivery?.attempt === 1) throw new Error('down')
      })
    }
    const services = { order: async () => order, notify: async () => notify }
    const running = await testSystem({ services }, { shape, logger: false })
    t.teardown(running.close)
    await running.act('role:order,id:1')
    while (heard.length < 2) await new Promise((resolve) => setTimeout(resolve, 5))
    t.strictSame(heard, [
      [1, 1],
      [1, 2],
    ])
    const again = await testSystem({ services }, { shape, logger: false })
    await again.close()
    t.equal(heard.length, 2, 'another test knows nothing of it')
  })

  t.test(`${shape}: a mock answers in place of an action, whoever asks`, async (t) => {
    const { system } = shopAndBank()
    const running = await testSystem(system, { shape, mocks: { 'role:bank,cmd:pay': { paid: 'play money' } } })
    t.teardown(running.close)

    t.same(await running.act('role:shop,cmd:buy', { price: 5 }), { bought: true, paid: 'play money' })
    t.same(await running.act('role:bank,cmd:pay', { amount: 1 }), { paid: 'play money' })
    t.strictSame(
      running.messages.map(({ service }) => service),
      ['shop', 'mock', 'mock'],
    )
  })

  t.test(`${shape}: what a handler threw is recorded as it was, and logged`, async (t) => {
    const thrown = new Error('out of paper', { cause: new Error('no trees') })
    const shop = (app: App) =>
      void app.add('role:shop', () => {
        throw thrown
      })
    const lines: string[] = []
    const logger = jsonLogger({ level: 'error', write: (line) => lines.push(line) })
    const running = await testSystem({ services: { shop: async () => shop } }, { shape, logger })
    t.teardown(running.close)
    await t.rejects(running.act('role:shop'), { code: 'LUC_ACTION_FAILED' })
    t.equal(running.messages[0]?.error, thrown)
    t.match(lines.join(''), /out of paper.*no trees/)
  })

  t.test(`${shape}: a service runs without those that are left out`, async (t) => {
    const { system } = shopAndBank()
    const running = await testSystem(system, { shape, only: ['shop'], mocks: { 'role:bank,cmd:pay': { paid: 1 } } })
    t.teardown(running.close)

    t.same(await running.act('role:shop,cmd:buy', { price: 5 }), { bought: true, paid: 1 })
    await t.rejects(running.act('role:bank,cmd:refund'), { code: 'LUC_ACTION_NOT_FOUND' })
  })

  t.test(`${shape}: an event that a test emits reaches the services`, async (t) => {
    const { system, told } = shopAndBank()
    const running = await testSystem(system, { shape })
    await running.emit('role:bank,event:paid', { amount: 7 })
    await running.close()
    t.same(told, [7])
  })

  t.test(`${shape}: what keeps a service from starting is told, and nothing stays behind`, async (t) => {
    const { system } = shopAndBank()
    const broken = defineSystem({
      services: {
        bank: system.services.get('bank')?.module ?? '',
        broken: async () => () => {
          throw new Error('no luck')
        },
      },
    })
    await t.rejects(testSystem(broken, { shape }), { code: 'LUC_PLUGIN_FAILED', message: /broken/ })
  })
}

t.test('parity and split refuse what cannot cross a process, local does not look', async (t) => {
  const system = { services: { odd: async () => (app: App) => void app.add('role:odd', () => new Date(0)) } }
  const outcomes = await Promise.all(
    shapes.map(async (shape) => {
      await using running = await testSystem(system, { shape })
      return running.act('role:odd').then(
        () => 'a reply',
        ({ code }) => code,
      )
    }),
  )
  t.same(outcomes, ['a reply', 'LUC_NOT_PORTABLE', 'LUC_NOT_PORTABLE'])
})

t.test('a wrong option says what is allowed', async (t) => {
  const { system } = shopAndBank()
  await t.rejects(testSystem(system, { shape: 'spilt' as Shape }), { message: /local, parity, split/ })
  await t.rejects(testSystem(system, { only: ['bnak'] }), { message: /did you mean 'bank'/ })
  await t.rejects(testSystem(system, { moks: {} } as object), { message: /did you mean 'mocks'/ })
  await t.rejects(testSystem(system, { logger: {} as never }), { code: 'LUC_OPTIONS_INVALID' })
  await t.rejects(testSystem({ services: {}, deploymnts: {} } as never), { code: 'LUC_OPTIONS_INVALID' })
})
