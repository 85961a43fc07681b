import t, { type Test } from 'tap'
import { type App, lucilius } from '../../../lib/index.js'
import { idText } from '../../../transports/websocket/id-text.js'
import { websocket } from '../../../transports/websocket/index.js'
import { introduction, type Page, page } from './page.js'

type Row = readonly unknown[]

/** An app that listens, and somebody who speaks the wire format with it. */
async function joined(t: Test, audience: 'peers' | 'clients'): Promise<{ app: App; peer: Page }> {
  const app = lucilius({ name: 'rates' })
  t.teardown(() => app.close())
  app.add('a:1', ({ echo }) => echo)
  app.add('a:2', (_, { meta: { hops, id } }) => ({ hops, id }))
  const { url } = await app.listen(websocket({ port: 0 }), { expose: '*', events: { in: '*' }, audience })
  const peer = await page(t, url)
  if (audience === 'peers') peer.send(introduction('shop'))
  return { app, peer }
}

/** The row that came back with this id. */
async function rowOf(peer: Page, id: number): Promise<unknown> {
  return peer.when((frame) => Array.isArray(frame) && (frame as Row)[0] === id)
}

t.test('an act that came as a row is answered by a row, one that came as an object by an object', async (t) => {
  const { peer } = await joined(t, 'peers')
  peer.send([1, { a: 1, echo: 'x' }, 'a:1', 1000], { kind: 'act', id: 2, message: { a: 1, echo: 'y' } })
  t.strictSame(await rowOf(peer, 1), [1, 'x'])
  t.strictSame(await peer.answer(2), { kind: 'reply', id: 2, reply: 'y' })
})

t.test('what no row can say comes as an object: a reply of undefined, an error', async (t) => {
  const { peer } = await joined(t, 'peers')
  peer.send([[3, { a: 1 }, 'a:1', 1000]])
  t.strictSame(await peer.answer(3), { kind: 'reply', id: 3 })
  peer.send([[4, { a: 1 }, 'b:1', 1000]])
  t.equal((await peer.answer(4)).error?.code, 'LUC_ROUTE_CHANGED')
})

t.test('the meta of a row is that of an envelope, or the time alone', async (t) => {
  const { peer } = await joined(t, 'peers')
  peer.send([[1, { a: 2 }, 'a:2', { timeoutMs: 1000, hops: 3, id: 'mine' }]])
  t.strictSame(await rowOf(peer, 1), [1, { hops: 3, id: 'mine' }])
  peer.send([[2, { a: 2 }, 'a:2', 0]])
  t.equal((await peer.answer(2)).error?.code, 'LUC_DEADLINE_EXCEEDED')
  for (const [index, meta] of [-1, null, 'soon', [], { hops: 0.5 }].entries()) {
    peer.send([[10 + index, { a: 2 }, 'a:2', meta]])
    t.equal((await peer.answer(10 + index)).error?.code, 'LUC_WIRE_INVALID', JSON.stringify(meta))
  }
})

t.test('a row that is none is answered, and harms no other message of its frame', async (t) => {
  const { peer } = await joined(t, 'peers')
  const bad = ['[1]', '[]', '[2,{"a":1},"a:1"]', '[3,{"a":1},"a:1",9,9]', '[4,7,"a:1",9]', '[5,{"a":1},6,9]']
  const poisoned = '[6,{"a":1,"__proto__":{}},"a:1",9]'
  peer.socket.send(`[${[...bad, poisoned].join()},[7,{"a":1,"echo":7},"a:1",1000]]`)
  t.strictSame(await rowOf(peer, 7), [7, 7])
  for (const id of [2, 3, 5]) t.equal((await peer.answer(id)).error?.code, 'LUC_WIRE_INVALID')
  for (const id of [4, 6]) t.equal((await peer.answer(id)).error?.code, 'LUC_MESSAGE_INVALID')
})

t.test('events come as rows, with services and meta or without', async (t) => {
  const { app, peer } = await joined(t, 'peers')
  const seen: unknown[] = []
  const done = new Promise<void>((resolve) => {
    app.on('e:*', { each: 'instance' }, ({ e }, { meta: { hops } }) => {
      if (seen.push([e, hops]) === 3) resolve()
    })
  })
  peer.send([{ e: 1 }], [{ e: 2 }, ['rates']], [{ e: 3 }, [], { hops: 2 }])
  await done
  t.strictSame(seen, [
    [1, 1],
    [2, 1],
    [3, 2],
  ])
})

t.test('a client may not send rows', async (t) => {
  const { peer } = await joined(t, 'clients')
  peer.send([1, { a: 1 }, 'a:1', 1000], { kind: 'act', id: 2, message: { a: 1, echo: 2 } })
  t.equal((await peer.answer(2)).reply, 2)
  t.equal((await peer.when(({ error }) => error !== undefined)).error?.code, 'LUC_WIRE_INVALID')
})

t.test('a peer that does not announce rows gets none', async (t) => {
  const { app, peer } = await joined(t, 'peers')
  const subscriptions = [{ pattern: 'e:1', service: 'x' }]
  const told = { wire: 1, name: 'x', instance: 'y', draining: false, actions: [{ pattern: 'b:1', service: 'x' }] }
  peer.send({ kind: 'announcement', ...told, subscriptions })
  await peer.when(({ kind }) => kind === 'announcement')
  const reply = app.act('b:1', {}, { timeoutMs: 2000 })
  const { id, message } = await peer.when(({ kind }) => kind === 'act')
  t.strictSame(message, { b: 1 })
  peer.send({ kind: 'reply', id, reply: 'yes' })
  t.equal(await reply, 'yes')
})

t.test('ids are written as numbers are', (t) => {
  for (const id of [
    0,
    7,
    999,
    1000,
    1001,
    65_536,
    999_999,
    1e6,
    1_000_042,
    536_870_911,
    999_999_999,
    1e9,
    2 ** 53 - 1,
  ]) {
    t.equal(idText(id), `${id}`)
  }
  t.end()
})
