import t, { type Test } from 'tap'
import { type App, lucilius } from '../../../lib/index.js'
import { websocket } from '../../../transports/websocket/index.js'
import { introduction, type Page, page } from './page.js'

type Messages = Record<string, unknown>[]

const SUBSCRIBER = introduction('shop', { subscriptions: [{ pattern: '', service: 'shop', each: 'instance' }] })

/** An app that listens, and somebody who speaks the wire format with it. */
async function joined(t: Test, audience: 'peers' | 'clients', maxBytes?: number): Promise<{ app: App; peer: Page }> {
  const app = lucilius({ name: 'rates', parity: 'off' })
  t.teardown(() => app.close())
  app.add('a:1', () => 1)
  const events = { in: '*', out: '*' } as const
  const { url } = await app.listen(websocket({ port: 0, ...(maxBytes === undefined ? {} : { maxBytes }) }), {
    expose: '*',
    events,
    audience,
  })
  return { app, peer: await page(t, url) }
}

/** The next messages that an app observes. */
function observed(app: App, count: number): Promise<Messages> {
  const seen: Messages = []
  return new Promise((resolve) => {
    app.on('', { each: 'instance' }, (message) => {
      if (seen.push(message) === count) resolve(seen)
    })
  })
}

/** The events that a peer is sent as objects, rows and tables, up to one that is called last. */
async function heard(
  peer: Page,
  announced: object,
  emit: () => void,
): Promise<{ kinds: string[]; messages: Messages }> {
  peer.send({ ...SUBSCRIBER, ...announced })
  await peer.when(({ kind }) => kind === 'announcement')
  const kinds: string[] = []
  const messages: Messages = []
  emit()
  await peer.when((one: unknown) => {
    const told = one as { kind?: string; message: Messages[0]; keys: string[]; values: unknown[] } & Messages
    if (Array.isArray(one)) {
      kinds.push('row')
      messages.push(told[0] as Messages[0])
    } else if (told.kind === 'event' || told.kind === 'events') {
      kinds.push(told.kind)
      messages.push(told.message)
      const { keys = [], values = [] } = told
      for (let at = 0; at < values.length; at += keys.length) {
        messages.push({ ...told.message, ...Object.fromEntries(keys.map((key, i) => [key, values[at + i]])) })
      }
    }
    return messages.at(-1)?.last === true
  })
  return { kinds, messages }
}

t.test('events alike that are sent together come as a table, others in between in their order', async (t) => {
  const { app, peer } = await joined(t, 'peers')
  const alike = Array.from({ length: 9 }, (_, n) => ({ e: 'a', n, even: n % 2 === 0, text: `t${n >> 1}` }))
  const others = [{ e: 'b', in: { side: 1 } }, { e: 'c', text: 'quoted "' }, { e: 'd' }, { e: 'd', n: -0 }]
  const same = Array.from({ length: 5 }, () => ({ e: 'same', n: 1 }))
  const sent = [...alike, ...others, {}, {}, {}, {}, ...same, { last: true }]
  const { kinds, messages } = await heard(peer, { tables: true }, () => sent.map((one) => app.emit(one)))
  t.same(messages, JSON.parse(JSON.stringify(sent)))
  t.strictSame(kinds, ['events', ...Array(8).fill('row'), 'events', 'row'])
})

t.test('a peer that does not announce tables is sent rows, one that announces nothing objects', async (t) => {
  for (const [announced, kind] of [
    [{}, 'row'],
    [{ rows: false }, 'event'],
    [{ tables: 'yes' }, 'row'],
  ] as const) {
    const { app, peer } = await joined(t, 'peers')
    const sent = Array.from({ length: 6 }, (_, n) => ({ e: 1, n, last: n === 5 }))
    const { kinds, messages } = await heard(peer, announced, () => sent.map((one) => app.emit(one)))
    t.strictSame(messages, sent)
    t.strictSame(new Set(kinds), new Set([kind]))
  }
})

t.test('an event with a trace is no part of a table', async (t) => {
  const { app, peer } = await joined(t, 'peers')
  app.add('a:2', async (_, { emit }) => {
    await Promise.all(Array.from({ length: 6 }, (_, n) => emit({ e: 1, n, last: n === 5 })))
  })
  const { kinds } = await heard(peer, { tables: true }, () => app.act('a:2'))
  t.strictSame(kinds, Array(6).fill('row'))
})

t.test('two apps hand tables over as single events, none of which shares anything with another', async (t) => {
  const [rates, shop] = [lucilius({ name: 'rates', parity: 'off' }), lucilius({ name: 'shop', parity: 'off' })]
  t.teardown(() => Promise.all([rates.close(), shop.close()]))
  const settings = { expose: '*', events: { out: '*' }, audience: 'peers' } as const
  const { url } = await rates.listen(websocket({ port: 0 }), settings)
  const all = observed(shop, 100)
  await shop.connect(websocket({ url }), { events: { in: '*' } })
  for (let n = 0; n < 100; n++) void rates.emit({ e: 1, n, kind: n < 50 ? 'low' : 'high' })
  const seen = await all
  t.strictSame(
    seen.map(({ n }) => n),
    Array.from({ length: 100 }, (_, n) => n),
  )
  t.equal(new Set(seen).size, 100)
  t.match(seen[99], { e: 1, kind: 'high' })
})

t.test('what is no table is answered, and harms no other message of its frame', async (t) => {
  const { app, peer } = await joined(t, 'peers', 2000)
  peer.send(introduction('shop'))
  const all = observed(app, 3)
  const message = { e: 1, n: 1 }
  const bad = [
    {},
    { message, keys: ['n'] },
    { message, values: [1] },
    { message, keys: [], values: [] },
    { message, keys: ['n', 'e'], values: [1] },
    { message, keys: ['other'], values: [1] },
    { message, keys: ['toString'], values: [1] },
    { message, keys: ['__proto__'], values: [1] },
    { message, keys: [1], values: [1] },
    { message, keys: ['n'], values: [{}] },
    { message, keys: ['n'], values: [[]] },
    { message: [], keys: ['n'], values: [1] },
    { message: { e: 1, n: {} }, keys: ['e'], values: [1] },
  ]
  const long = { message: { e: 'x'.repeat(1000), n: 1 }, keys: ['n'], values: Array(20).fill(1) }
  for (const [id, table] of [...bad, long].entries()) {
    peer.send({ kind: 'events', ...table }, { kind: 'act', id, message: { a: 1 } })
    t.equal((await peer.answer(id)).reply, 1)
  }
  t.strictSame(
    peer.frames.flatMap(({ error }) => (error === undefined ? [] : [error.code])),
    [...bad.map(() => 'LUC_WIRE_INVALID'), 'LUC_TOO_LARGE'],
  )
  peer.send({ kind: 'events', message: { e: null, n: 1 }, keys: ['n', 'e'], values: [2, 'x', null, false] })
  t.strictSame(await all, [
    { e: null, n: 1 },
    { e: 'x', n: 2 },
    { e: false, n: null },
  ])
})

t.test('the tables of a frame share one bound, and the next frame has its own', async (t) => {
  const { app, peer } = await joined(t, 'peers', 2000)
  peer.send(introduction('shop'))
  let seen = 0
  app.on('e:1', { each: 'instance' }, () => void seen++)
  const table = { kind: 'events', message: { e: 1, n: 1 }, keys: ['n'], values: Array(30).fill(1) }
  for (const id of [1, 2]) {
    peer.send(...Array(40).fill(table), { kind: 'act', id, message: { a: 1 } })
    t.equal((await peer.answer(id)).reply, 1)
    // A table counts 31 times 16 + 17 + 1 + 17, a frame has 2,000 + 16,384.
    t.equal(seen, id * 11 * 31)
    t.equal(peer.frames.filter(({ error }) => error?.code === 'LUC_TOO_LARGE').length, id * 29)
  }
})

t.test('a client may not send a table', async (t) => {
  const { peer } = await joined(t, 'clients')
  peer.send({ kind: 'events', message: { e: 1 }, keys: ['e'], values: [2] })
  t.equal((await peer.when(({ error }) => error !== undefined)).error?.code, 'LUC_WIRE_INVALID')
})
