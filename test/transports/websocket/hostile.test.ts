import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { lucilius } from '../../../lib/index.js'
import type { Observer } from '../../../lib/transport-kit.js'
import { type WebSocketOptions, websocket } from '../../../transports/websocket/index.js'
import { eventually } from '../../core/eventually.js'
import { introduction, type Page, page } from './page.js'

/** An app that listens, and where. */
async function listening(t: Test, audience: 'peers' | 'clients', options: Partial<WebSocketOptions> = {}) {
  const app = lucilius({ name: 'service', parity: 'off', drainMs: 100 })
  t.teardown(() => app.close())
  app.add('a:1', () => 'one')
  const { url } = await app.listen(websocket({ port: 0, ...options }), { expose: '*', events: { in: '*' }, audience })
  return { app, url }
}

/** Somebody who has told that it is a peer. */
async function peer(t: Test, url: string, name: string, more: object = {}): Promise<Page> {
  const one = await page(t, url)
  one.send(introduction(name, more))
  await one.when(({ kind }) => kind === 'announcement')
  return one
}

const announced = (one: Page) => one.frames.filter(({ kind }) => kind === 'announcement')

t.test('what is left of a frame when its sender was sent away costs nobody anything', async (t) => {
  const { url } = await listening(t, 'clients')
  for (const nonsense of ['1', '{"kind":"act"}']) {
    const hostile = await page(t, url)
    const began = performance.now()
    hostile.socket.send(`[${Array(Math.floor(1e6 / (nonsense.length + 1))).fill(nonsense)}]`)
    t.equal(await hostile.closed, 1008)
    t.ok(performance.now() - began < 1000, `${nonsense}: ${Math.round(performance.now() - began)} ms`)
  }
})

t.test('answers that nobody waits for and nobody could read are counted, too', async (t) => {
  const { url } = await listening(t, 'clients')
  const hostile = await page(t, url)
  hostile.socket.send(`[${Array(101).fill('{"kind":"reply","id":1,"__proto__":1}')}]`)
  t.equal(await hostile.closed, 1008)
  t.equal(hostile.frames.length, 0)
})

t.test('a frame that takes long to come is a sign of life', async (t) => {
  const { url } = await listening(t, 'clients', { pingMs: 60 })
  const { port } = new URL(url)
  const socket = connect(Number(port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  let text = ''
  let isOpen = true
  socket.on('data', (data) => {
    text += data
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    isOpen = false
  })
  const key = 'dGhlIHNhbXBsZSBub25jZQ=='
  const fields = `host: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}`
  socket.write(`GET /ws HTTP/1.1\r\n${fields}\r\nsec-websocket-protocol: lucilius.v1\r\n\r\n`)
  await eventually(() => text.includes('\r\n\r\n'))
  const body = Buffer.from('{"kind":"act","id":1,"message":{"a":1,"long":"text"}}')
  // Masked with zeros, one byte after the other: no ping is answered meanwhile.
  socket.write(Buffer.from([0x81, 0x80 | body.length, 0, 0, 0, 0]))
  for (const byte of body) {
    socket.write(Buffer.from([byte]))
    await sleep(8)
  }
  await eventually(() => text.includes('"reply":"one"') || !isOpen)
  t.match(text, '"reply":"one"')
})

t.test('somebody who reads slowly and steadily is not cut', async (t) => {
  const { app, url } = await listening(t, 'clients', { pingMs: 100, maxBuffered: 1e6 })
  app.add('a:big', () => 'x'.repeat(1e6))
  const slow = await page(t, url)
  const ids = Array.from({ length: 24 }, (_, id) => id)
  slow.send(...ids.map((id) => ({ kind: 'act', id, message: { a: 'big' } })))
  let isDone = false
  const end = Promise.race([slow.closed, Promise.all(ids.map((id) => slow.answer(id)))]).then((code) => {
    isDone = true
    return code
  })
  while (!isDone) {
    slow.socket.resume()
    await sleep(2)
    slow.socket.pause()
    await sleep(20)
  }
  t.type(await end, Array)
})

t.test('a message does not pass by its limit as an announcement', async (t) => {
  const { app, url } = await listening(t, 'peers', { maxBytes: 1000 })
  let ran = 0
  app.add('a:2', () => ++ran)
  const hostile = await peer(t, url, 'hostile')
  const text = 'x'.repeat(20_000)
  hostile.socket.send(`{"kind":"announcement","kind":"act","id":1,"message":{"a":2,"text":"${text}"}}`)
  t.equal(await hostile.closed, 1009)
  t.equal(ran, 0)
  const long = await peer(t, url, 'long')
  const subscriptions = Array.from({ length: 1000 }, (_, n) => ({ pattern: `e:${n}`, service: 'long' }))
  // With its kind in front, as the limit wants it.
  long.send(introduction('long', { subscriptions }))
  long.send({ kind: 'act', id: 1, message: { a: 1 } })
  t.equal((await long.answer(1)).reply, 'one')
})

t.test('a peer says something in time; one that only asks need not say what it is', async (t) => {
  const { url } = await listening(t, 'peers', { handshakeTimeoutMs: 100 })
  const known = await peer(t, url, 'known')
  const asking = await page(t, url)
  asking.send({ kind: 'act', id: 1, message: { a: 1 } })
  t.equal((await asking.answer(1)).reply, 'one')
  const silent = await page(t, url)
  t.equal(await silent.closed, 1008)
  for (const one of [known, asking]) {
    one.send({ kind: 'act', id: 2, message: { a: 1 } })
    t.equal((await one.answer(2)).reply, 'one')
  }
})

t.test('peers are told what has changed, and nothing when somebody else comes', async (t) => {
  const { app, url } = await listening(t, 'peers')
  const bystander = await peer(t, url, 'bystander')
  const other = await peer(t, url, 'other', { actions: [{ pattern: 'x:1', service: 'other' }] })
  t.ok(app.find('x:1'))
  other.socket.terminate()
  app.add('a:2', () => 2)
  await eventually(() => announced(bystander).length > 1)
  t.match(announced(bystander)[1], { actions: [{ pattern: 'a:1' }, { pattern: 'a:2' }] })
})

t.test('what an act is routed by, or below, is checked, and is not repeated', async (t) => {
  const { app, url } = await listening(t, 'peers')
  app.add('a:1,b:1', () => 'narrow')
  const caller = await peer(t, url, 'caller')
  const ask = async (id: number, by: unknown) => {
    caller.send({ kind: 'act', id, message: { a: 1, b: 1 }, by })
    const { reply, error } = await caller.answer(id)
    return reply ?? error
  }
  t.equal(await ask(1, '{"a":1}'), 'one')
  const wrong = ['a:1', '{"a":', '[]', '{"a":{}}', '{"__proto__":1}', '{"a":1,"CANARY":null}']
  for (const [id, by] of wrong.entries()) {
    const error = await ask(id + 2, by)
    t.match(error, { code: 'LUC_WIRE_INVALID', handled: 'no', message: /'by'/ }, by.slice(0, 40))
    t.notMatch(JSON.stringify(error), /CANARY/)
  }
  caller.send({ kind: 'act', id: 90, message: { a: 1 }, below: 'CANARY' })
  const { error } = await caller.answer(90)
  t.match(error, { code: 'LUC_WIRE_INVALID', handled: 'no', message: "'below' of the envelope is no pattern." })
})

t.test('a peer that announces again and again is heard a few times, and then what it said last', async (t) => {
  const heard: { name?: string; draining?: boolean }[] = []
  const observer: Observer = {
    tell: () => ({ wire: 1, name: 'x', instance: 'x', actions: [], subscriptions: [], draining: false }),
    onTell: () => () => {},
    hear: (announcement) => void heard.push(announcement as object),
    receive: async () => ({}),
    lost: () => {},
  }
  const listener = await websocket({ port: 0 }).listen({
    audience: 'peers',
    draining: false,
    authenticate: async () => ({}),
    accept: () => observer,
  })
  t.teardown(() => listener.close())
  const restless = await peer(t, listener.url, 'first')
  for (let time = 0; time < 5; time++) restless.send(introduction('first'))
  for (let n = 0; n < 50; n++) restless.send(introduction(`n${n}`))
  await eventually(() => heard.at(-1)?.name === 'n49')
  t.equal(heard.filter(({ name }) => name === 'first').length, 1, 'what is repeated is no news')
  t.ok(heard.length < 25, `${heard.length} of 51 were taken`)
  const from = heard.length
  restless.send(introduction('leaving'), introduction('gone', { draining: true }))
  await eventually(() => heard.at(-1)?.draining === true)
  t.equal(heard.length, from + 1, 'that it leaves is heard at once, and what was said before is old')
})

t.test('no frame is longer than the other end takes, whatever is joined in it', async (t) => {
  const { app, url } = await listening(t, 'peers', { maxBytes: 1000 })
  let seen = 0
  app.on('', { each: 'instance' }, () => void seen++)
  const sender = lucilius({ name: 'sender', parity: 'off', drainMs: 100 })
  t.teardown(() => sender.close())
  await sender.connect(websocket({ url }), { events: { out: '*' } })
  for (let n = 0; n < 3000; n++) void sender.emit({ e: 1, text: n === 0 ? 'x'.repeat(40) : '', n })
  for (let n = 0; n < 500; n++) void sender.emit({ e: 1, list: [n], text: 'é'.repeat(300) })
  await eventually(() => seen === 3500)
})
