import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { notify } from '../../examples/orders/notify.js'
import { order } from '../../examples/orders/order.js'
import { payment } from '../../examples/orders/payment.js'
import { stock } from '../../examples/orders/stock.js'
import { lucilius } from '../../lib/index.js'
import { lucilius as command } from '../cli/fake-io.js'
import { skipWithout } from '../support/brokers.js'
import { MemoryStore } from '../support/memory-store.js'
import { repoRoot } from '../support/repo-root.js'
import { written } from './orders/folder.js'
import { type Store, underKills } from './orders/kills.js'
import { within } from './within.js'

t.setTimeout(120_000)

const source = join(repoRoot(), 'examples/orders')
const apples = { id: 'o-1', sku: 'apple', quantity: 2, amount: 4 }
const melons = { id: 'o-2', sku: 'melon', quantity: 7, amount: 63 }

t.test('an order is notified, reserved and paid, and placing it again is the same order', async (t) => {
  const { app, store, folder } = await open(t)
  const { id, sku, quantity } = apples
  for (let time = 0; time < 2; time++) {
    t.strictSame(await app.act('role:order,cmd:place', { id, sku, quantity }), apples)
  }
  await within(5000, async () => nothingWaits(store))
  t.match(written(folder), {
    letters: [{ order: 'o-1', about: 'created' }],
    steps: [{ step: 'reserved' }, { step: 'paid' }],
    charges: [{ order: 'o-1', amount: 4 }],
  })
  t.equal(store.events.length, 1)
  const [shelf] = await app.act('role:stock,cmd:count')
  t.strictSame(shelf, { sku: 'apple', left: 8, reserved: 0, sold: 2 })
})

t.test('what payment refuses is given back, and the customer is told once', async (t) => {
  const { app, store, folder } = await open(t)
  await app.act('role:order,cmd:place', { id: 'o-2', sku: 'melon', quantity: 7 })
  await app.act('role:order,cmd:place', { id: 'o-3', sku: 'melon', quantity: 11 })
  await within(5000, async () => nothingWaits(store))
  const { letters, steps, charges } = written(folder)
  t.strictSame(
    steps.map((one) => `${one.order} ${one.step}`),
    ['o-2 reserved', 'o-2 refused', 'o-3 refused'],
  )
  t.match(
    letters.filter(({ about }) => about === 'refused'),
    [
      { order: 'o-2', text: 'We are sorry: 63 euro is more than 50.' },
      { order: 'o-3', text: 'We are sorry: there is no more melon.' },
    ],
  )
  t.strictSame(charges, [])
  const [, shelf] = await app.act('role:stock,cmd:count')
  t.strictSame(shelf, { sku: 'melon', left: 10, reserved: 0, sold: 0 })
})

t.test('an event that comes again changes nothing, in this process or in the next', async (t) => {
  const { app, store, folder } = await open(t)
  const again = async (from: typeof app, time: string) => {
    for (const one of [apples, melons]) await from.emit('role:order,event:created', one, { id: `${time}-${one.id}` })
  }
  await again(app, 'first')
  await within(5000, async () => nothingWaits(store))
  const before = written(folder)
  t.equal(before.letters.length, 3)

  await again(app, 'second')
  await within(5000, async () => nothingWaits(store))
  await app.close()
  const next = await open(t, { folder, store })
  await again(next.app, 'third')
  await within(5000, async () => nothingWaits(store))
  t.strictSame(written(folder), before)
})

t.test('a process that was killed between two steps goes on with the next one', async (t) => {
  const folder = temporary(t)
  const reserved = JSON.stringify({ order: 'o-1', step: 'reserved', sku: 'apple', quantity: 2 })
  writeFileSync(join(folder, 'stock.ndjson'), `${reserved}\n{"order":"o-1","step":"pa`)
  writeFileSync(join(folder, 'payments.ndjson'), '{"order":"o-1","amount":4}\n')
  const { app, store } = await open(t, { folder })
  t.match((await app.act('role:stock,cmd:count'))[0], { left: 8, reserved: 2, sold: 0 })
  await app.emit('role:order,event:created', apples, { id: 'again' })
  await within(5000, async () => nothingWaits(store))
  const { steps, charges } = written(folder)
  t.strictSame(
    steps.map(({ step }) => step),
    ['reserved', 'paid'],
  )
  t.strictSame(charges, [{ order: 'o-1', amount: 4 }], 'charged once')
  t.match((await app.act('role:stock,cmd:count'))[0], { left: 8, reserved: 0, sold: 2 })
})

t.test('while payment cannot be reached nothing is refused, and it is asked again', async (t) => {
  const { app, store, folder } = await open(t, { without: 'payment' })
  await app.act('role:order,cmd:place', { id: 'o-1', sku: 'apple', quantity: 2 })
  await within(5000, async () => written(folder).steps.length > 0)
  app.add('role:payment,cmd:charge', ({ amount }) => ({ amount }))
  await within(5000, async () => nothingWaits(store))
  t.strictSame(
    written(folder).steps.map(({ step }) => step),
    ['reserved', 'paid'],
  )
})

t.test('what is no order is refused at once', async (t) => {
  const { app, store } = await open(t)
  const wrong = [
    [{ id: 'a', sku: 'constructor', quantity: 1 }, 'SKU_UNKNOWN'],
    [{ id: 'a b', sku: 'apple', quantity: 1 }, 'ID_INVALID'],
    [{ sku: 'apple', quantity: 1 }, 'ID_INVALID'],
    [{ id: 'a', sku: 'apple', quantity: 0 }, 'QUANTITY_INVALID'],
    [{ id: 'a', sku: 'apple', quantity: 1.5 }, 'QUANTITY_INVALID'],
  ] as const
  for (const [message, code] of wrong) {
    await t.rejects(app.act('role:order,cmd:place', message as never), { code })
  }
  t.strictSame(store.events, [])
})

t.test('there is nothing that a plan would find wrong with a deployment', async (t) => {
  for (const deployment of ['dev', 'nats', 'amqp']) {
    const { code, stdout, stderr } = await command(['plan', deployment, '--strict', '--json', '--config', source])
    t.strictSame({ code, stderr }, { code: 0, stderr: '' }, deployment)
    t.match(JSON.parse(stdout), { findings: [], plans: [{ deployment, findings: [] }] })
  }
})

t.test('a service knows no transport, store, process or host', async (t) => {
  const services = readdirSync(source).filter((file) => file.endsWith('.ts') && file !== 'lucilius.config.ts')
  t.equal(services.length, 6)
  for (const file of services) {
    const text = readFileSync(join(source, file), 'utf8')
    const code = text.replaceAll(/\/\*.*?\*\/|\/\/.*$/gms, '')
    const imports = [...code.matchAll(/(?:from|import)\s*\(?'([^']*)'/g)].map(([, name = '']) => name)
    const own = [
      'lucilius',
      './contracts.js',
      './journal.js',
      ...(file === 'journal.ts' ? ['node:fs', 'node:path'] : []),
    ]
    t.strictSame(
      imports.filter((name) => !own.includes(name)),
      [],
      file,
    )
    t.notMatch(code, /\b(nats|amqp|broker|store|transport|process|host|port|listen|connect|env)\b/i, file)
    t.ok(text.split('\n').length <= 75, `${file} is short`)
  }
})

// Most of the time they wait, so they run side by side.
t.jobs = 2

// RabbitMQ takes as long to start as all of this: `npm run test:orders` goes on for a minute on each store.
for (const [store, skip] of [
  ['embedded', false],
  ['nats', skipWithout('nats-server')],
] as const satisfies readonly (readonly [Store, string | false])[]) {
  t.test(
    `${store}: whatever is killed, every order is notified once, paid or refused, and stock adds up`,
    { skip },
    async (t) => {
      const seed = Math.floor(Math.random() * 1_000_000)
      const { broken, kills, orders } = await underKills({
        store,
        seconds: 5,
        everyMs: 800,
        perSecond: 40,
        seed,
        teardown: (end) => t.teardown(end),
      })
      t.strictSame(broken, [], `seed ${seed}`)
      t.ok(orders > 100, `${orders} orders`)
      t.ok(kills.size >= 2, [...kills.keys()].join(', '))
    },
  )
}

interface Given {
  readonly folder?: string
  readonly store?: MemoryStore
  readonly without?: 'payment'
}

/** The system in one app, with small shelves. */
async function open(t: Test, { folder = temporary(t), store = new MemoryStore(), without }: Given = {}) {
  const app = lucilius({ name: 'orders', store })
  t.teardown(() => app.close())
  app.use(order, { prices: { apple: 2, melon: 9 } })
  app.use(notify, { outbox: join(folder, 'outbox.ndjson') })
  app.use(stock, { file: join(folder, 'stock.ndjson'), shelves: { apple: 10, melon: 10 } })
  if (without === undefined) app.use(payment, { file: join(folder, 'payments.ndjson'), limit: 50 })
  await app.ready()
  return { app, store, folder }
}

function nothingWaits(store: MemoryStore): boolean {
  return store.subscriptions.every((name) => store.waiting(name).length === 0)
}

function temporary(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'orders-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
