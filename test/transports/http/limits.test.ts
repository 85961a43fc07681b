import { once } from 'node:events'
import { createServer as serve } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import t, { type Test } from 'tap'
import { ActionError, type App, lucilius } from '../../../lib/index.js'
import { type HttpOptions, http } from '../../../transports/http/index.js'
import { eventually, gate } from '../../core/eventually.js'
import { failureOf } from '../../core/failure.js'
import { post } from './ask.js'

function made(t: Test): App {
  const app = lucilius({ parity: 'off', drainMs: 100 })
  t.teardown(() => app.close())
  return app
}

t.test('an option that is wrong is refused when the transport is made, by its name', (t) => {
  const wrong: [unknown, RegExp][] = [
    [undefined, /options are an object/],
    [{}, /'port'.*'url'/],
    [{ prot: 0 }, /'prot'.*'port'/],
    [{ port: 0, url: 'http://127.0.0.1:1' }, /one of/],
    [{ port: -1 }, /'port'/],
    [{ port: 65_536 }, /'port'/],
    [{ port: 1.5 }, /'port'/],
    [{ port: '80' }, /'port'/],
    [{ port: 0, host: '' }, /'host'/],
    [{ url: 'http://127.0.0.1:1', host: 'x' }, /'host'/],
    [{ port: 0, prefix: 'api' }, /'prefix'/],
    [{ port: 0, prefix: '/api/' }, /'prefix'/],
    [{ port: 0, prefix: '/:id' }, /'prefix'/],
    [{ url: 'ws://127.0.0.1:1' }, /'url'/],
    [{ url: 'file:///etc/passwd' }, /'url'/],
    [{ url: 'nonsense' }, /'url'/],
    [{ url: 1 }, /'url'/],
    [{ url: 'http://127.0.0.1:1/?x=1' }, /'url'/],
    [{ url: 'http://127.0.0.1:1', prefix: '/x' }, /prefix/],
    [{ server: true }, /'server'/],
    [{ fastify: {} }, /'fastify'/],
    [{ port: 0, tls: 'x' }, /'tls'/],
    [{ port: 0, headersTimeoutMs: 2000, requestTimeoutMs: 1000 }, /'headersTimeoutMs'.*'requestTimeoutMs'/],
  ]
  for (const key of ['maxBytes', 'maxDepth', 'maxInFlight', 'connections']) {
    for (const value of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', null]) {
      wrong.push([{ port: 0, [key]: value }, new RegExp(`'${key}'`)])
    }
  }
  for (const key of ['headersTimeoutMs', 'requestTimeoutMs', 'heartbeatMs', 'lingerMs', 'connectTimeoutMs']) {
    for (const value of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, '1', null]) {
      wrong.push([{ port: 0, [key]: value }, new RegExp(`'${key}'`)])
    }
  }
  for (const [options, message] of wrong) {
    t.throws(() => http(options as HttpOptions), { code: 'LUC_OPTIONS_INVALID', message }, JSON.stringify(options))
  }
  t.end()
})

t.test('a user and password in a url are refused without being printed', (t) => {
  t.throws(() => http({ url: 'http://me:hunter2@127.0.0.1:1' }), { message: /^(?!.*hunter2)(?=.*auth)/ })
  t.end()
})

t.test('a transport that cannot listen or connect says so at once', async (t) => {
  const app = made(t)
  t.match(await failureOf(app.listen(http({ url: 'http://127.0.0.1:1' }), { expose: '*' })), {
    code: 'LUC_OPTIONS_INVALID',
    message: /'port'/,
  })
  t.match(await failureOf(app.connect(http({ port: 0 }))), { code: 'LUC_OPTIONS_INVALID', message: /'url'/ })
})

t.test('a port that is taken is LUC_LISTEN_FAILED', async (t) => {
  const app = made(t)
  const { url } = await app.listen(http({ port: 0 }), { expose: '*' })
  const error = await failureOf(made(t).listen(http({ port: Number(new URL(url).port) }), { expose: '*' }))
  t.match(error, { code: 'LUC_LISTEN_FAILED', message: /taken/ })
})

t.test('a body is bounded in bytes and depth, both ways', async (t) => {
  const app = made(t)
  app.add('a:1', ({ reply }) => reply)
  app.add('a:long', ({ length }) => 'x'.repeat(Number(length) - 2))
  const { url } = await app.listen(http({ port: 0, maxBytes: 1000, maxDepth: 3 }), { expose: '*' })
  const room = 1000 - JSON.stringify({ a: 1, text: '' }).length
  t.match(await post(url, { a: 1, text: 'x'.repeat(room) }), { status: 204 })
  const tooLong = await post(url, { a: 1, text: 'x'.repeat(room + 1) })
  t.match(tooLong, { status: 413, body: { error: { code: 'LUC_TOO_LARGE', handled: /^no$/ } } })
  t.equal(tooLong.headers.connection, 'close', 'and the rest of it is not read')
  t.match(await post(url, { a: 1, b: { c: [] } }), { status: 204 })
  t.match(await post(url, { a: 1, b: { c: [[]] } }), { status: 400, body: { error: { code: 'LUC_MESSAGE_INVALID' } } })
  t.match(await post(url, { a: 'long', length: 1000 }), { status: 200 })
  t.match(await post(url, { a: 'long', length: 1001 }), {
    status: 500,
    body: { error: { code: 'LUC_REPLY_INVALID', handled: 'yes' } },
  })
})

t.test('a reply, or details, that the other side could not read say so, and the work is done once', async (t) => {
  const [service, caller] = [made(t), made(t)]
  const deep = (levels: number): unknown => (levels === 0 ? 1 : { deep: deep(levels - 1) })
  const poison = JSON.parse('{"constructor":{"prototype":1}}')
  let ran = 0
  const answers: { readonly [name: string]: () => unknown } = {
    deep: () => deep(80),
    poison: () => poison,
    details: () => {
      throw new ActionError('A', 'a', deep(80))
    },
    poisoned: () => {
      throw new ActionError('A', 'a', poison)
    },
    long: () => {
      throw new ActionError('A', 'a', 'x'.repeat(2 ** 21))
    },
    fits: () => {
      throw new ActionError('FITS', 'a', deep(64))
    },
  }
  service.add('a:*', { idempotent: true }, ({ a }) => {
    ran++
    return answers[String(a)]?.()
  })
  const { url } = await service.listen(http({ port: 0 }), { expose: '*', audience: 'peers' })
  await caller.connect(http({ url }))
  for (const a of ['deep', 'poison', 'details', 'poisoned', 'long']) {
    ran = 0
    const error = await failureOf(caller.act({ a }))
    t.match(error, { code: 'LUC_REPLY_INVALID', handled: 'yes' }, a)
    t.equal(ran, 1, a)
  }
  t.match(await failureOf(caller.act('a:fits')), { code: 'FITS', details: deep(64) })
})

t.test('the connecting side bounds what it sends and what it takes', async (t) => {
  const [service, caller] = [made(t), made(t)]
  let ran = 0
  service.add('a:1', ({ length }) => {
    ran++
    return 'x'.repeat(Number(length ?? 0))
  })
  const { url } = await service.listen(http({ port: 0 }), { expose: '*', audience: 'peers' })
  await caller.connect(http({ url, maxBytes: 5000 }))
  t.match(await failureOf(caller.act('a:1', { text: 'x'.repeat(5000) })), { code: 'LUC_TOO_LARGE', handled: /^no$/ })
  t.equal(ran, 0)
  t.match(await failureOf(caller.act('a:1', { length: 10_000 })), { code: 'LUC_WIRE_INVALID', handled: 'unknown' })
  t.equal(ran, 1)
  t.equal(await caller.act('a:1'), '', 'and goes on')
})

t.test('a reply that does not end is given up as soon as it is too long', async (t) => {
  const caller = made(t)
  const endless = serve((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('[')
    const more = () => response.writable && response.write('0,'.repeat(1000)) && setImmediate(more)
    response.on('drain', more).on('close', () => endless.close())
    more()
  }).listen(0, '127.0.0.1')
  t.teardown(() => endless.close())
  await once(endless, 'listening')
  const { port } = endless.address() as AddressInfo
  await caller.connect(http({ url: `http://127.0.0.1:${port}`, maxBytes: 5000 }), { patterns: ['a:1'] })
  t.match(await failureOf(caller.act('a:1')), { code: 'LUC_WIRE_INVALID', handled: 'unknown' })
})

t.test('as many messages of one peer run as the listener says, and those beyond are refused one by one', async (t) => {
  const [service, caller] = [made(t), made(t)]
  const release = gate()
  let running = 0
  service.add('a:1', async () => {
    running++
    await release.opened
    return 'done'
  })
  const { url } = await service.listen(http({ port: 0, maxInFlight: 4 }), { expose: '*', audience: 'peers' })
  await caller.connect(http({ url }))
  const calls = Array.from({ length: 4 }, () => caller.act('a:1'))
  await eventually(() => running === 4)
  t.match(await failureOf(caller.act('a:1')), { code: 'LUC_OVERLOADED', handled: /^no$/, retryable: true })
  release.open()
  t.strictSame(await Promise.all(calls), ['done', 'done', 'done', 'done'])
  t.equal(await caller.act('a:1'), 'done', 'and room is made')
})

t.test('a client that sends faster on one socket than is answered is refused beyond the bound', async (t) => {
  const app = made(t)
  const release = gate()
  app.add('a:1', () => release.opened)
  const { url } = await app.listen(http({ port: 0, maxInFlight: 2 }), { expose: '*' })
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  const head = 'POST /act HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n'
  socket.write(`${head}{"a":1}`.repeat(3))
  setTimeout(() => release.open(), 50)
  await eventually(() => text.includes('LUC_OVERLOADED'))
  t.equal(text.match(/HTTP\/1.1 204/g)?.length, 2)
})

t.test('a connection opens as many sockets as it may, and what is beyond waits its turn', async (t) => {
  const [service, caller] = [made(t), made(t)]
  let running = 0
  let most = 0
  service.add('a:1', async ({ n }) => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setImmediate(resolve))
    running--
    return n
  })
  const { url } = await service.listen(http({ port: 0 }), { expose: '*', audience: 'peers' })
  await caller.connect(http({ url, connections: 3 }))
  const replies = await Promise.all(Array.from({ length: 50 }, (_, n) => caller.act('a:1', { n })))
  t.strictSame(
    replies,
    Array.from({ length: 50 }, (_, n) => n),
  )
  t.ok(most <= 3, `${most} at once`)
})

t.test('a header that does not come, and a body that does not, are answered 408 and closed', async (t) => {
  const app = made(t)
  const limits = { headersTimeoutMs: 100, requestTimeoutMs: 200 }
  const { url } = await app.listen(http({ port: 0, ...limits }), { expose: '*' })
  const head = 'POST /act HTTP/1.1\r\nhost: x\r\n'
  for (const bytes of ['', head, `${head}content-type: application/json\r\ncontent-length: 9\r\n\r\n{`]) {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    let text = ''
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    socket.write(bytes)
    await once(socket, 'close')
    t.match(text, /^HTTP\/1\.1 408 [\s\S]*"code":"LUC_WIRE_INVALID"[\s\S]*"handled":"no"/, JSON.stringify(bytes))
  }
})

t.test('a header that is too long is answered 431', async (t) => {
  const app = made(t)
  const { url } = await app.listen(http({ port: 0 }), { expose: '*' })
  const answer = await post(url, { a: 1 }, { 'x-long': 'x'.repeat(20_000) })
  t.match(answer, { status: 431, body: { error: { code: 'LUC_TOO_LARGE', handled: /^no$/ } } })
})

t.test('whoever does not answer in time is tried again', async (t) => {
  const app = made(t)
  let attempts = 0
  const deaf = createServer((socket) => {
    attempts++
    t.teardown(() => socket.destroy())
  }).listen(0, '127.0.0.1')
  t.teardown(() => deaf.close())
  await once(deaf, 'listening')
  const { port } = deaf.address() as AddressInfo
  await app.connect(http({ url: `http://127.0.0.1:${port}`, connectTimeoutMs: 50 }), { wait: false })
  await eventually(() => attempts >= 2)
  t.pass()
})
