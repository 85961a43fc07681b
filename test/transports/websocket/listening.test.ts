import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import fastify from 'fastify'
import t, { type Test } from 'tap'
import { type ListenOptions, LuciliusError, lucilius, sharedSecret } from '../../../lib/index.js'
import { type WebSocketOptions, websocket } from '../../../transports/websocket/index.js'
import { eventually, gate } from '../../core/eventually.js'
import { failureOf } from '../../core/failure.js'
import { page, refusal } from './page.js'

type Given = Partial<WebSocketOptions>

async function service(t: Test, options: Given = {}, listen: Partial<ListenOptions> = {}) {
  const app = lucilius({ name: 'service', drainMs: 200, timeoutMs: 2000 })
  t.teardown(() => app.close())
  app.add('a:1', (message) => ({ got: message }))
  app.add('a:meta', (_, { meta }) => ({ ...meta }))
  app.add('a:throw', () => {
    throw new Error('SECRET')
  })
  app.add('a:undefined', () => undefined)
  const listener = await app.listen(websocket(options.server === undefined ? { port: 0, ...options } : options), {
    expose: '*',
    ...listen,
  })
  return { app, listener, url: listener.url }
}

t.test('wrong options are refused by name, and no secret is repeated', async (t) => {
  const wrong: readonly [unknown, RegExp][] = [
    [undefined, /options are an object/],
    [{}, /'port' or 'server'.*'url'/],
    [{ prot: 1 }, /'prot'.*'port'/],
    [{ port: -1 }, /'port'/],
    [{ port: 65_536 }, /'port'/],
    [{ port: '80' }, /'port'/],
    [{ port: 1.5 }, /'port'/],
    [{ port: 0, host: '' }, /'host'/],
    [{ port: 0, path: 'ws' }, /'path'/],
    [{ port: 0, path: '/ws?x' }, /'path'/],
    [{ url: 'http://127.0.0.1:1' }, /'url'/],
    [{ url: 'ws://user:SECRET@' }, /'url'/],
    [{ url: 'ws://user:SECRET@h:1/#x' }, /'url'/],
    [{ url: 'ws://127.0.0.1:1', port: 0 }, /'url'.*'port'/],
    [{ server: {} }, /'server'/],
    [{ server: createServer(), port: 0 }, /'server'/],
    [{ port: 0, origins: '*' }, /'origins'/],
    [{ port: 0, origins: ['*'] }, /'origins'/],
    [{ port: 0, origins: ['https://x.example/path'] }, /'origins'/],
    [{ port: 0, maxBytes: 0 }, /'maxBytes'/],
    [{ port: 0, maxDepth: Number.NaN }, /'maxDepth'/],
    [{ port: 0, maxInFlight: Number.POSITIVE_INFINITY }, /'maxInFlight'/],
    [{ port: 0, maxBuffered: -1 }, /'maxBuffered'/],
    [{ port: 0, pingMs: 0 }, /'pingMs'/],
    [{ port: 0, handshakeTimeoutMs: Number.POSITIVE_INFINITY }, /'handshakeTimeoutMs'/],
  ]
  for (const [options, message] of wrong) {
    const error = await failureOf(() => websocket(options as WebSocketOptions))
    t.match(error, { code: 'LUC_OPTIONS_INVALID', message }, JSON.stringify(options))
    t.notMatch(error.message, /SECRET/)
  }
})

t.test('each end is used for what it is', async (t) => {
  const app = lucilius()
  t.teardown(() => app.close())
  t.match(await failureOf(app.listen(websocket({ url: 'ws://127.0.0.1:1' }), { expose: '*' })), {
    code: 'LUC_OPTIONS_INVALID',
  })
  t.match(await failureOf(websocket({ port: 0 }).connect({} as never)), { code: 'LUC_OPTIONS_INVALID' })
})

t.test('a port that is taken is LUC_LISTEN_FAILED', async (t) => {
  const { app, url } = await service(t)
  const port = Number(new URL(url).port)
  t.match(await failureOf(app.listen(websocket({ port }), { expose: '*' })), { code: 'LUC_LISTEN_FAILED' })
})

t.test('a listener off loopback for peers needs to know who they are', async (t) => {
  const app = lucilius()
  t.teardown(() => app.close())
  const error = failureOf(app.listen(websocket({ port: 0, host: '0.0.0.0' }), { expose: '*', audience: 'peers' }))
  t.match(await error, { code: 'LUC_OPTIONS_INVALID', message: /auth/ })
})

t.test('a page acts with a bare message and gets the bare reply', async (t) => {
  const { url } = await service(t)
  const client = await page(t, url)
  client.send({ kind: 'act', id: 1, message: { a: 1, x: [1] }, unknown: true })
  t.strictSame(await client.answer(1), { kind: 'reply', id: 1, reply: { got: { a: 1, x: [1] } } })
  client.send({ kind: 'act', id: 'two', message: { a: 'undefined' } })
  t.strictSame(await client.answer('two'), { kind: 'reply', id: 'two' })
})

t.test('what a page says of trace and time counts, what it says of hops and identity does not', async (t) => {
  const { url } = await service(t)
  const client = await page(t, url)
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const meta = { traceparent, timeoutMs: 500, hops: 30, identity: { name: 'root' }, id: 'mine' }
  client.send({ kind: 'act', id: 1, message: { a: 'meta' }, meta, to: 'a:nothing', below: 'a:1', by: 'a:1' })
  const { reply } = (await client.answer(1)) as unknown as { reply: { [key: string]: unknown } }
  t.equal(String(reply.traceparent).slice(0, 36), traceparent.slice(0, 36))
  t.ok(Number(reply.deadline) < Date.now() + 600)
  t.equal(reply.hops, 1)
  t.notOk('identity' in reply)
  t.not(reply.id, 'mine')
})

t.test('errors leave with code, message and handled, without stack, path or secret', async (t) => {
  const { url } = await service(t)
  const client = await page(t, url)
  client.send({ kind: 'act', id: 1, message: { a: 'throw' } }, { kind: 'act', id: 2, message: { b: 1 } })
  t.match(await client.answer(1), { error: { code: 'LUC_ACTION_FAILED', handled: 'yes' } })
  t.match(await client.answer(2), { error: { code: 'LUC_ACTION_NOT_FOUND', handled: 'no' } })
  t.notMatch(JSON.stringify(client.frames), /SECRET|\.js|node_modules/)
})

t.test('messages of one frame are answered for themselves, whatever is wrong with their neighbours', async (t) => {
  const { url } = await service(t)
  const client = await page(t, url)
  const deep = `${'['.repeat(80)}${']'.repeat(80)}`
  const good = (id: number) => JSON.stringify({ kind: 'act', id, message: { a: 1, id } })
  const frame = [
    good(1),
    '{"kind":"act","id":2,"message":{"a":1,"__proto__":{"x":1}}}',
    good(3),
    `{"kind":"act","id":4,"message":{"a":1,"deep":${deep}}}`,
    '{"kind":"act","id":5,"message":[]}',
    '{"kind":"what","id":6}',
    '{"kind":"act","id":7,"message":{"a":1,"\\u005f_proto__":{"x":1}}}',
    '{"kind":"act","id":8,"message":{"a":1},"meta":{"timeoutMs":"soon"}}',
    good(9),
  ]
  client.socket.send(`[${frame.join(',')}]`)
  for (const id of [1, 3, 9]) t.match(await client.answer(id), { reply: { got: { id } } })
  for (const id of [2, 4, 5, 7]) t.match(await client.answer(id), { error: { code: 'LUC_MESSAGE_INVALID' } }, `${id}`)
  for (const id of [6, 8]) t.match(await client.answer(id), { error: { code: 'LUC_WIRE_INVALID', handled: 'no' } })
})

t.test('the deepest message that is carried has 64 levels, alone and joined', async (t) => {
  const { url } = await service(t)
  const client = await page(t, url)
  const act = (id: number, levels: number) =>
    `{"kind":"act","id":${id},"message":{"a":1,"x":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}}`
  client.socket.send(act(1, 63))
  client.socket.send(act(2, 65))
  client.socket.send(`[${act(3, 63)},${act(4, 65)}]`)
  for (const id of [1, 3]) t.ok('reply' in (await client.answer(id)), `${id}`)
  for (const id of [2, 4]) t.match(await client.answer(id), { error: { code: 'LUC_MESSAGE_INVALID' } }, `${id}`)
})

t.test('what is no text of JSON closes the connection with the code for it', async (t) => {
  const { url } = await service(t, { maxBytes: 1000 })
  const code = async (send: (socket: import('ws').WebSocket) => void) => {
    const client = await page(t, url)
    send(client.socket)
    return client.closed
  }
  t.equal(await code((socket) => socket.send('hello')), 1008)
  t.equal(await code((socket) => socket.send('{"kind":"act"')), 1008)
  t.equal(await code((socket) => socket.send('')), 1008)
  t.equal(await code((socket) => socket.send(Buffer.from('{}'))), 1003)
  t.equal(await code((socket) => socket.send(`"${'x'.repeat(20_000)}"`)), 1009)
  t.equal(await code((socket) => socket.send(Buffer.from([0xff]), { binary: false })), 1007)
})

t.test('an id that is in use closes the connection, since its answers could not be told apart', async (t) => {
  const { app, url } = await service(t)
  app.add('a:wait', () => new Promise(() => {}))
  const client = await page(t, url)
  client.send({ kind: 'act', id: 1, message: { a: 'wait' } }, { kind: 'act', id: 1, message: { a: 1 } })
  t.equal(await client.closed, 1008)
})

t.test('frames that nobody can make sense of are answered, but not for ever', async (t) => {
  const { url } = await service(t)
  const client = await page(t, url)
  for (const frame of [null, 1, 'x', [], {}, { kind: 'act' }, { id: {}, kind: 'act', message: {} }]) client.send(frame)
  client.send({ kind: 'act', id: 1, message: { a: 1 } })
  await client.answer(1)
  t.match(await client.when(({ id }) => id === undefined), { kind: 'reply', error: { code: 'LUC_WIRE_INVALID' } })
  client.socket.send(`[${'0,'.repeat(500)}0]`)
  t.equal(await client.closed, 1008)
})

t.test('acts beyond maxInFlight are refused one by one, and nothing else is harmed', async (t) => {
  const { app, url } = await service(t, { maxInFlight: 2 })
  const open = gate()
  app.add('a:wait', () => open.opened)
  const client = await page(t, url)
  for (const id of [1, 2, 3]) client.send({ kind: 'act', id, message: { a: 'wait' } })
  t.match(await client.answer(3), { error: { code: 'LUC_OVERLOADED', handled: 'no' } })
  open.open()
  t.strictSame(await client.answer(2), { kind: 'reply', id: 2 })
  client.send({ kind: 'act', id: 3, message: { a: 1 } })
  await client.when(({ id, reply }) => id === 3 && reply !== undefined)
})

t.test('a cancel frame reaches the signal of the handler; one for an unknown id does nothing', async (t) => {
  const { app, url } = await service(t)
  const aborted = gate()
  const started = gate()
  app.add('a:wait', (_, { signal }) => {
    signal.addEventListener('abort', () => aborted.open())
    started.open()
    return new Promise(() => {})
  })
  const client = await page(t, url)
  client.send({ kind: 'cancel', id: 'of somebody else' }, { kind: 'cancel' })
  client.send({ kind: 'act', id: 1, message: { a: 'wait' } })
  await started.opened
  client.send({ kind: 'cancel', id: 1 })
  await aborted.opened
  t.match(await client.answer(1), { error: { code: 'LUC_CANCELLED' } })
})

t.test('a page that goes away cancels what it had asked for', async (t) => {
  const { app, url } = await service(t)
  const aborted = gate()
  const started = gate()
  app.add('a:wait', (_, { signal }) => {
    signal.addEventListener('abort', () => aborted.open())
    started.open()
    return new Promise(() => {})
  })
  const client = await page(t, url)
  client.send({ kind: 'act', id: 1, message: { a: 'wait' } })
  await started.opened
  client.socket.terminate()
  await aborted.opened
})

t.test('a page may emit what the listener lets in', async (t) => {
  const { app, url } = await service(t, {}, { events: { in: ['e:1'] } })
  const seen: unknown[] = []
  app.on('', (message) => void seen.push(message))
  const client = await page(t, url)
  client.send({ kind: 'event', message: { e: 2 } }, { kind: 'event', message: { e: 1 } })
  await eventually(() => seen.length > 0)
  t.strictSame(seen, [{ e: 1 }])
})

t.test('clients are told nothing, and an app that takes the listener for a peer is told so', async (t) => {
  const { url } = await service(t)
  const client = await page(t, url)
  client.send({ kind: 'act', id: 1, message: { a: 1 } })
  await client.answer(1)
  t.equal(client.frames.length, 1)
  client.send({ kind: 'announcement', wire: 1, name: 'x', instance: 'y', actions: [], subscriptions: [] })
  t.equal(await client.closed, 4403)
  const observer = {
    tell: () => ({}),
    onTell: () => () => {},
    hear: () => {},
    receive: async () => ({}),
    lost: () => {},
  }
  const error = await failureOf(websocket({ url }).connect(observer as never))
  t.match(error, { code: 'LUC_FORBIDDEN', message: /audience: 'peers'/ })
})

t.test('connect with patterns acts on a listener that tells nothing', async (t) => {
  const { url } = await service(t)
  const app = lucilius()
  t.teardown(() => app.close())
  await app.connect(websocket({ url }), { patterns: ['a:1'] })
  t.strictSame(await app.act('a:1,b:2'), { got: { a: 1, b: 2 } })
})

t.test('an upgrade is refused with a status and our error in the body', async (t) => {
  const { url } = await service(t, { origins: ['http://localhost'] })
  const status = async (...given: Parameters<typeof refusal>) => {
    const { status, code } = await refusal(...given)
    return [status, code]
  }
  const from = (origin: string) => ({ headers: { origin } })
  t.strictSame(await status(url, undefined, from('https://evil.example')), [403, 'LUC_FORBIDDEN'])
  t.strictSame(await status(url, undefined, from('http://localhost.evil.example')), [403, 'LUC_FORBIDDEN'])
  t.strictSame(await status(url, undefined, from('null')), [403, 'LUC_FORBIDDEN'])
  t.strictSame(await status(url, ['evil.v9']), [400, 'LUC_WIRE_INVALID'])
  t.strictSame(await status(url, []), [400, 'LUC_WIRE_INVALID'])
  t.strictSame(await status(url.replace('/ws', '/elsewhere')), [404, 'LUC_WIRE_INVALID'])
  const answer = await fetch(url.replace('ws:', 'http:'))
  t.equal(answer.status, 426)
  await page(t, url, from('http://localhost'))
  await page(t, `${url}?some=query`)
})

t.test('nobody gets in before authenticate has said so', async (t) => {
  const auth = sharedSecret('0123456789abcdef')
  const { url } = await service(t, {}, { auth })
  t.match(await refusal(url), { status: 401, code: 'LUC_UNAUTHENTICATED' })
  t.match(await refusal(url, undefined, { headers: { authorization: 'Bearer wrong' } }), { status: 401 })
  await page(t, url, { headers: { authorization: auth.authorization } })
})

t.test('authenticate may forbid, fail or take too long', async (t) => {
  let answer: () => unknown = () => undefined
  const { url } = await service(t, { handshakeTimeoutMs: 100 }, { auth: () => answer() as never })
  answer = () => {
    throw new LuciliusError('LUC_FORBIDDEN', 'Not you.')
  }
  t.match(await refusal(url), { status: 403, code: 'LUC_FORBIDDEN' })
  answer = () => {
    throw new Error('SECRET')
  }
  const { status, text } = await refusal(url)
  t.equal(status, 401)
  t.notMatch(text, /SECRET/)
  answer = () => new Promise(() => {})
  t.match(await refusal(url), { status: 503 })
})

t.test('the identity that authenticate gives reaches the handler, whatever the page claims', async (t) => {
  const { url } = await service(t, {}, { auth: () => ({ name: 'ann' }) })
  const client = await page(t, url)
  client.send({ kind: 'act', id: 1, message: { a: 'meta' }, meta: { identity: { name: 'root' } } })
  t.match(await client.answer(1), { reply: { identity: { name: 'ann' } } })
})

t.test('a peer with the wrong secret learns why it is not let in', async (t) => {
  const { url } = await service(t, {}, { audience: 'peers', auth: sharedSecret('0123456789abcdef') })
  const observer = { authorization: sharedSecret('fedcba9876543210').authorization }
  t.match(await failureOf(websocket({ url }).connect(observer as never)), { code: 'LUC_UNAUTHENTICATED' })
})

t.test('shares the port of an http server, and leaves other paths to it', async (t) => {
  const server = createServer((_, response) => void response.end('page'))
  t.teardown(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const app = lucilius({ drainMs: 100 })
  app.add('a:1', () => 1)
  const listener = await app.listen(websocket({ server, path: '/one' }), { expose: '*' })
  await app.listen(websocket({ server, path: '/two' }), { expose: '*' })
  t.equal(listener.url, `ws://127.0.0.1:${port}/one`)
  t.match(await failureOf(app.listen(websocket({ server, path: '/one' }), { expose: '*' })), {
    code: 'LUC_LISTEN_FAILED',
  })
  t.equal(await (await fetch(`http://127.0.0.1:${port}/one`)).text(), 'page')
  for (const path of ['one', 'two']) {
    const client = await page(t, `ws://127.0.0.1:${port}/${path}`)
    client.send({ kind: 'act', id: 1, message: { a: 1 } })
    t.match(await client.answer(1), { reply: 1 })
  }
  t.match(await refusal(`ws://127.0.0.1:${port}/three`), { status: 404 }, 'nobody else would answer')
  server.on('upgrade', (request, socket) => {
    if (request.url === '/three') socket.end('HTTP/1.1 418 Teapot\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
  })
  t.match(await refusal(`ws://127.0.0.1:${port}/three`), { status: 418 }, 'somebody else does')
  await app.close()
  t.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'page', 'the server is not ours to close')
})

t.test('shares the port of a fastify app', async (t) => {
  const web = fastify()
  t.teardown(() => web.close())
  web.get('/', async () => 'page')
  await web.listen({ port: 0, host: '127.0.0.1' })
  const { url } = await service(t, { server: web })
  const client = await page(t, url)
  client.send({ kind: 'act', id: 1, message: { a: 1 } })
  t.match(await client.answer(1), { reply: { got: { a: 1 } } })
  t.equal(await (await fetch(url.replace('ws:', 'http:').replace('/ws', '/'))).text(), 'page')
})

t.test('who connects and says nothing is not waited for', async (t) => {
  const { url } = await service(t, { handshakeTimeoutMs: 100 })
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  await new Promise<void>((resolve) => socket.on('close', () => resolve()).resume())
})

t.test('a page that gives no sign of life is cut after two pings', async (t) => {
  const { url } = await service(t, { pingMs: 30 })
  const silent = await page(t, url, { autoPong: false })
  const alive = await page(t, url)
  t.equal(await silent.closed, 1006)
  t.equal(alive.socket.readyState, alive.socket.OPEN)
})

t.test('a page that does not read is not read from, and others are served meanwhile', async (t) => {
  const { app, url } = await service(t, { maxBuffered: 100_000 })
  let started = 0
  app.add('a:big', () => {
    started++
    return 'x'.repeat(100_000)
  })
  const lazy = await page(t, url)
  lazy.socket.pause()
  // Long enough that they do not arrive all at once: what has arrived is answered.
  const message = { a: 'big', filler: 'y'.repeat(2000) }
  for (let id = 0; id < 1000; id++) lazy.send({ kind: 'act', id, message })
  const client = await page(t, url)
  for (let id = 0; id < 50; id++) {
    client.send({ kind: 'act', id, message: { a: 1 } })
    await client.answer(id)
  }
  t.ok(started < 500, `${started} of 1000 were read`)
  lazy.socket.resume()
  await lazy.answer(999)
})

t.test('replies of one turn are joined into frames of at most 16', async (t) => {
  const { url } = await service(t)
  const client = await page(t, url)
  client.send(...Array.from({ length: 40 }, (_, id) => ({ kind: 'act', id, message: { a: 1 } })))
  for (let id = 0; id < 40; id++) await client.answer(id)
  t.strictSame(client.sizes, [16, 16, 8])
})

t.test('a closing app answers late acts one by one, then says goodbye with 1001', async (t) => {
  const { app, url } = await service(t)
  const open = gate()
  app.add('a:wait', () => open.opened)
  const client = await page(t, url)
  client.send({ kind: 'act', id: 1, message: { a: 'wait' } })
  client.send({ kind: 'act', id: 2, message: { a: 1 } })
  await client.answer(2)
  const closed = app.close()
  client.send({ kind: 'act', id: 3, message: { a: 1 } })
  t.match(await client.answer(3), { error: { code: 'LUC_SERVICE_CLOSED', handled: 'no' } })
  t.match(await refusal(url), { status: 503, code: 'LUC_SERVICE_CLOSED' })
  open.open()
  t.strictSame(await client.answer(1), { kind: 'reply', id: 1 })
  await closed
  t.equal(await client.closed, 1001)
})
