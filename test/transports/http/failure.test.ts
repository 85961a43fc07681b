import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect, createServer as listenRaw, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { type App, type AppOptions, lucilius } from '../../../lib/index.js'
import { http } from '../../../transports/http/index.js'
import { websocket } from '../../../transports/websocket/index.js'
import { eventually, gate } from '../../core/eventually.js'
import { failureOf } from '../../core/failure.js'
import { ask, post } from './ask.js'

function made(t: Test, options: AppOptions = {}): App {
  const app = lucilius({ parity: 'off', drainMs: 1000, ...options })
  t.teardown(() => app.close())
  return app
}

const peers = { expose: '*', audience: 'peers' } as const

t.test('a rolling restart under load fails no call', async (t) => {
  const caller = made(t, { name: 'caller' })
  const start = async (port: number) => {
    const app = made(t, { name: 'service' })
    app.add('a:1', async ({ n }) => {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 4))
      return n
    })
    const { url } = await app.listen(http({ port }), peers)
    return { app, url, port: Number(new URL(url).port) }
  }
  const services = [await start(0), await start(0)]
  for (const { url } of services) await caller.connect(http({ url }))
  let [calls, wrong, going] = [0, 0, true]
  const failed: unknown[] = []
  const worker = async () => {
    while (going) {
      const n = ++calls
      await caller.act('a:1', { n }).then(
        (reply) => {
          if (reply !== n) wrong++
        },
        (error: unknown) => failed.push(error),
      )
    }
  }
  const workers = Array.from({ length: 32 }, worker)
  for (let round = 0; round < 6; round++) {
    const service = services[round % 2] as (typeof services)[number]
    await new Promise((resolve) => setTimeout(resolve, 100))
    await service.app.close()
    services[round % 2] = await start(service.port)
  }
  going = false
  await Promise.all(workers)
  t.strictSame(failed, [])
  t.equal(wrong, 0)
  t.ok(calls > 500, `${calls} calls`)
})

t.test('while it drains a listener answers each request 503, not handled, and asks to be left', async (t) => {
  const app = made(t)
  const release = gate()
  app.add('a:1', () => release.opened.then(() => 'done'))
  const { url } = await app.listen(http({ port: 0 }), { expose: '*' })
  const idle = await keptOpen(t, url)
  const running = post(url, { a: 1 })
  await new Promise((resolve) => setTimeout(resolve, 30))
  const closed = app.close()
  const late = await post(url, { a: 1 })
  t.match(late, {
    status: 503,
    headers: { connection: 'close' },
    body: { error: { code: 'LUC_SERVICE_CLOSED', handled: /^no$/ } },
  })
  t.notOk(idle.destroyed || idle.readableEnded, 'a socket that is idle is not closed')
  release.open()
  t.match(await running, { status: 200, body: 'done', headers: { connection: 'close' } }, 'what ran is answered')
  idle.write('GET /ready HTTP/1.1\r\nhost: x\r\n\r\n')
  const [text] = (await once(idle, 'data')) as [Buffer]
  t.match(String(text), /^HTTP\/1\.1 503 [\s\S]*connection: close/, 'even after that, until all have gone')
  await closed
  t.match(await failureOf(ask(`${url}/health`)), { code: 'ECONNREFUSED' })
})

t.test('a peer that is told of a drain closes its idle sockets, and keeps those in use', async (t) => {
  const [service, caller] = [made(t), made(t)]
  const release = gate()
  service.add('a:wait', () => release.opened.then(() => 'done'))
  const transport = http({ port: 0 })
  const { url } = await service.listen(transport, peers)
  await caller.connect(http({ url }))
  const open = () => new Promise<number>((resolve) => transport.server?.getConnections((_, count) => resolve(count)))
  const until = async (holds: (count: number) => boolean) => {
    while (!holds(await open())) await new Promise((resolve) => setImmediate(resolve))
  }
  const idle = Array.from({ length: 5 }, () => caller.act('a:wait', {}, { timeoutMs: 5000 }))
  await until((count) => count >= 6)
  release.open()
  await Promise.all(idle)
  const second = gate()
  const started = gate()
  service.add('a:second', () => {
    started.open()
    return second.opened.then(() => 'second')
  })
  await eventually(() => caller.find('a:second') !== undefined)
  const running = caller.act('a:second')
  await started.opened
  const closed = service.close()
  await until((count) => count <= 2)
  second.open()
  t.equal(await running, 'second')
  await closed
})

/** A socket over which one request was answered. */
async function keptOpen(t: Test, url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  socket.write('GET /health HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(socket, 'data')
  return socket
}

t.test('a listener that is closed by itself lets go of its peers, and they look for it again', async (t) => {
  const [service, caller] = [made(t), made(t)]
  service.add('a:1', () => 1)
  const first = await service.listen(http({ port: 0 }), peers)
  await caller.connect(http({ url: first.url }))
  await first.close()
  const parked = caller.act('a:1')
  await service.listen(http({ port: Number(new URL(first.url).port) }), peers)
  t.equal(await parked, 1)
})

t.test('closing does not wait for a client that keeps its socket, nor for one that does not read', async (t) => {
  const app = made(t, { drainMs: 50 })
  app.add('a:1', () => 'x'.repeat(500_000))
  const { url } = await app.listen(http({ port: 0, lingerMs: 50 }), { expose: '*' })
  await keptOpen(t, url)
  const deaf = connect(Number(new URL(url).port), '127.0.0.1').pause()
  deaf.on('error', () => {})
  t.teardown(() => deaf.destroy())
  const head = 'POST /act HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n'
  deaf.write(`${head}{"a":1}`.repeat(20))
  await new Promise((resolve) => setTimeout(resolve, 50))
  const began = performance.now()
  await app.close()
  t.ok(performance.now() - began < 1000)
})

/** A process that serves, and what it says. */
async function victim(t: Test, port = 0) {
  const child = fork(fileURLToPath(new URL('./serve.js', import.meta.url)), [String(port)])
  t.teardown(() => child.kill('SIGKILL'))
  const [url] = (await once(child, 'message')) as [string]
  return { child, url }
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

t.test('when the server is killed its pending calls are lost at once, and the next ones wait for it', async (t) => {
  const { child, url } = await victim(t)
  const caller = made(t)
  await caller.connect(http({ url }))
  t.equal(await caller.act('cmd:quick'), child.pid)
  const started = once(child, 'message')
  const calls = Array.from({ length: 20 }, () => failureOf(caller.act('cmd:never')))
  await started
  const began = performance.now()
  await killed(child)
  for (const error of await Promise.all(calls)) t.match(error, { code: 'LUC_REPLY_LOST', handled: /^unknown$/ })
  t.ok(performance.now() - began < 1000)
  const parked = caller.act('cmd:quick')
  const { child: next } = await victim(t, Number(new URL(url).port))
  t.equal(await parked, next.pid)
})

t.test('a call that was never started is not handled, one that was is unknown', async (t) => {
  const sockets = new Set<Socket>()
  const asked = gate()
  const mute = listenRaw((socket) => {
    sockets.add(socket.on('error', () => {}).on('data', () => asked.open()))
  }).listen(0, '127.0.0.1')
  await once(mute, 'listening')
  const caller = made(t)
  const url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`
  await caller.connect(http({ url, connections: 1 }), { patterns: ['cmd:*'] })
  const running = failureOf(caller.act('cmd:running'))
  await asked.opened
  const waiting = failureOf(caller.act('cmd:waiting', {}, { timeoutMs: 300 }))
  mute.close()
  for (const socket of sockets) socket.destroy()
  t.match(await running, { code: 'LUC_REPLY_LOST', handled: /^unknown$/ })
  t.match(await waiting, { code: 'LUC_UNREACHABLE', handled: /^no$/ }, 'it was parked until its deadline')
})

t.test('cancellation and deadline reach the handler, and a call that waits for a socket is never sent', async (t) => {
  const [service, caller] = [made(t), made(t)]
  const [started, aborted] = [gate(), gate<unknown>()]
  const ran: unknown[] = []
  service.add('a:*', ({ a }, { signal }) => {
    ran.push(a)
    signal.addEventListener('abort', () => aborted.open(signal.reason))
    started.open()
    return a === 'quick' ? 'quick' : new Promise(() => {})
  })
  const { url } = await service.listen(http({ port: 0 }), peers)
  await caller.connect(http({ url, connections: 1 }))
  const controller = new AbortController()
  const call = failureOf(caller.act('a:slow', {}, { signal: controller.signal }))
  await started.opened
  t.match(await failureOf(caller.act('a:late', {}, { timeoutMs: 40 })), { code: 'LUC_DEADLINE_EXCEEDED' })
  controller.abort()
  t.match(await call, { code: 'LUC_CANCELLED' })
  t.match(await aborted.opened, { code: 'LUC_CANCELLED' })
  t.equal(await caller.act('a:quick'), 'quick', 'the connection goes on')
  t.strictSame(ran, ['slow', 'quick'])
})

/** What comes back on a socket that sends an act and, as soon as that runs, something else; undefined while it is open. */
async function behindAnAct(t: Test, url: string, started: Promise<unknown>, rest: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  let text = ''
  socket.on('error', () => {})
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  socket.write(`${ACT}{"a":1}`)
  await started
  socket.write(rest)
  await once(socket, 'close')
  return text
}

const ACT = 'POST /act HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 7\r\n\r\n'

t.test('what is broken behind an act that runs is never answered in its place', async (t) => {
  for (const [what, rest] of [
    ['garbage', 'GARBAGE\r\n\r\n'],
    ['half a header, then silence', 'POST /act HTTP/1.1\r\nhost'],
    ['a header that is too long', `GET /health HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`],
    ['garbage behind another request', `${ACT}{"b":1}GARBAGE\r\n\r\n`],
    ['half a body, then silence', `${ACT}{"b"`],
    ['an upgrade to nothing', 'GET /x HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n'],
    ['an upgrade to WebSocket', 'GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'],
  ] as const) {
    const app = made(t, { drainMs: 10 })
    const started = gate()
    app.add('a:1', () => {
      started.open()
      return new Promise(() => {})
    })
    const transport = http({ port: 0, headersTimeoutMs: 100, requestTimeoutMs: 100, lingerMs: 10 })
    const { url } = await app.listen(transport, { expose: '*' })
    await app.listen(websocket({ server: transport }), { expose: '*' })
    t.equal(await behindAnAct(t, url, started.opened, rest), '', what)
    await app.close()
  }
})

t.test(
  'good requests behind an act that runs are answered after it, and so is what is broken behind those',
  async (t) => {
    const app = made(t)
    const [first, second] = [gate(), gate()]
    app.add('a:1', () => first.opened.then(() => 'first'))
    app.add('b:1', () => {
      second.open()
      return 'second'
    })
    const { url } = await app.listen(http({ port: 0 }), { expose: '*' })
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    t.teardown(() => socket.destroy())
    let text = ''
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part
    })
    socket.write(`${ACT}{"a":1}${ACT}{"b":1}`)
    await second.opened
    first.open()
    await eventually(() => text.includes('"second"'))
    socket.write('GARBAGE\r\n\r\n')
    await once(socket, 'close')
    t.match(text, /^HTTP\/1\.1 200 [^{]*"first"HTTP\/1\.1 200 [^{]*"second"HTTP\/1\.1 400 [^{]*\{.*"handled":"no"/)
  },
)

/** A server that answers every act in the same way, in the place of ours. */
async function instead(t: Test, status: number, type: string, body: string): Promise<string> {
  const server: Server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(status, { 'content-type': type }).end(body))
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

t.test("only our own error body says whether the work was done, never a proxy's status", async (t) => {
  const json = 'application/json'
  const ours = (handled: unknown, code = 'LUC_OVERLOADED') => JSON.stringify({ error: { code, message: 'm', handled } })
  const cases: [number, string, string, object][] = [
    [502, 'text/html', '<h1>Bad gateway</h1>', { code: 'LUC_REPLY_LOST', handled: /^unknown$/ }],
    [503, 'text/plain', '', { code: 'LUC_REPLY_LOST', handled: /^unknown$/ }],
    [503, json, '{"message":"no such host"}', { code: 'LUC_REPLY_LOST', handled: /^unknown$/ }],
    [503, json, ours('no'), { code: 'LUC_OVERLOADED', handled: /^no$/ }],
    [500, json, ours('maybe'), { code: 'LUC_OVERLOADED', handled: /^unknown$/ }],
    [418, json, ours('yes', 'TEAPOT'), { code: 'TEAPOT' }],
    [404, 'text/html', 'not here', { code: 'LUC_WIRE_INVALID', handled: /^unknown$/ }],
    [301, json, '{}', { code: 'LUC_WIRE_INVALID', handled: /^unknown$/ }],
    [200, 'text/html', '{}', { code: 'LUC_WIRE_INVALID', handled: /^unknown$/ }],
    [200, json, '{"a":', { code: 'LUC_WIRE_INVALID', handled: /^unknown$/ }],
    [400, json, '{"error":{"code":1}}', { code: 'LUC_WIRE_INVALID', handled: /^unknown$/ }],
  ]
  for (const [status, type, body, expected] of cases) {
    const caller = made(t)
    await caller.connect(http({ url: await instead(t, status, type, body) }), { patterns: ['a:1'] })
    t.match(await failureOf(caller.act('a:1')), expected, `${status} ${body}`)
  }
})
