import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testSystem } from 'lucilius/testing'
import { system } from '../lucilius.config.js'

// The same tests in one process, in one process that checks messages as if they crossed a network, and over connections.
for (const shape of ['local', 'parity', 'split'] as const) {
  test(`an order takes from the stock (${shape})`, async (t) => {
    const shop = await testSystem(system, { shape })
    t.after(() => shop.close())

    const order = await shop.act('role:order,cmd:place', { sku: 'apple', quantity: 2 })

    assert.deepEqual(order, { number: 1, sku: 'apple', quantity: 2 })
    assert.deepEqual(await shop.act('role:stock,cmd:left', { sku: 'apple' }), { left: 8 })
  })

  test(`what is not there cannot be ordered (${shape})`, async (t) => {
    const shop = await testSystem(system, { shape })
    t.after(() => shop.close())

    await assert.rejects(shop.act('role:order,cmd:place', { sku: 'pear', quantity: 4 }), { code: 'SOLD_OUT' })
  })
}

test('an order asks the stock, whoever that is', async (t) => {
  const shop = await testSystem(system, { only: ['order'], mocks: { 'role:stock,cmd:take': { left: 0 } } })
  t.after(() => shop.close())

  assert.deepEqual(await shop.act('role:order,cmd:place', { sku: 'fig', quantity: 1 }), {
    number: 1,
    sku: 'fig',
    quantity: 1,
  })
})
