import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import {
  type App,
  type AppOptions,
  type Context,
  type ListenOptions,
  lucilius,
  sharedSecret,
} from '../../../lib/index.js'
import { type HttpOptions, http } from '../../../transports/http/index.js'
import { eventually, gate } from '../../core/eventually.js'
import { failureOf } from '../../core/failure.js'
import { ask, post } from './ask.js'

const SECRET = 'a secret of the system'.replaceAll(' ', '-')

function made(t: Test, options: AppOptions = {}): App {
  const app = lucilius({ parity: 'off', drainMs: 100, ...options })
  t.teardown(() => app.close())
  return app
}

/** Adds what is to be known once the apps are connected. */
type SetUp = (service: App, caller: App) => void

/** Two apps, of which `caller` is connected to `service`. */
async function pair(t: Test, listen: Partial<ListenOptions> = {}, more: HttpOptions = {}, setUp?: SetUp) {
  const [service, caller] = [made(t, { name: 'service' }), made(t, { name: 'caller' })]
  setUp?.(service, caller)
  const events = { in: '*', out: '*' } as const
  const { url } = await service.listen(http({ port: 0, ...more }), {
    expose: '*',
    audience: 'peers',
    events,
    ...listen,
  })
  const connection = await caller.connect(http({ url }))
  return { service, caller, url, connection }
}

t.test('a peer learns what is exposed, follows what is added and withdrawn, and is known by its name', async (t) => {
  const { service, caller, connection } = await pair(t, { expose: ['a:*'] })
  t.equal(connection.peer?.name, 'service')
  t.match(await failureOf(caller.act('a:1')), { code: 'LUC_ACTION_NOT_FOUND' })
  const one = service.add('a:1', (_message, { meta }) => meta)
  service.add('b:1', () => 'hidden')
  await eventually(() => caller.find('a:1') !== undefined)
  const meta = (await caller.act('a:1')) as Context['meta']
  t.match(meta, { hops: 1, peer: { name: 'caller' } })
  t.equal(caller.find('b:1'), undefined)
  one.remove()
  await eventually(() => caller.find('a:1') === undefined)
  t.match(await failureOf(caller.act('a:1')), { code: 'LUC_ACTION_NOT_FOUND' })
})

t.test('GET /patterns tells a peer what there is, with a tag that changes when that does', async (t) => {
  const { service, url } = await pair(t)
  service.add('a:1', { idempotent: true }, () => 1)
  service.on('e:1', { each: 'instance' }, () => {})
  const first = await ask(`${url}/patterns`)
  t.match(first.body, {
    wire: 1,
    name: 'service',
    draining: false,
    actions: [{ pattern: 'a:1', service: 'service', idempotent: true }],
    subscriptions: [{ pattern: 'e:1', service: 'service', each: 'instance' }],
  })
  const again = await ask(`${url}/patterns`, { headers: { 'if-none-match': String(first.headers.etag) } })
  t.match(again, { status: 304, text: '' })
  t.match(await ask(`${url}/patterns`, { method: 'HEAD' }), { status: 200, text: '' })
  service.add('a:2', () => 2)
  const changed = await ask(`${url}/patterns`, { headers: { 'if-none-match': String(first.headers.etag) } })
  t.equal(changed.status, 200)
  t.not(changed.headers.etag, first.headers.etag)
})

t.test('events go both ways, in the order in which they were emitted', async (t) => {
  const [up, down, peers] = [[] as unknown[], [] as unknown[], new Set<unknown>()]
  const { service, caller } = await pair(t, {}, {}, (service, caller) => {
    service.on('e:up', ({ n }, { meta }) => {
      up.push(n)
      peers.add(meta.peer?.name)
    })
    caller.on('e:down', ({ n }, { meta }) => {
      down.push(n)
      peers.add(meta.peer?.name)
    })
  })
  const numbers = Array.from({ length: 500 }, (_, n) => n)
  for (const n of numbers) {
    await caller.emit('e:up', { n })
    await service.emit('e:down', { n })
  }
  await eventually(() => up.length === 500 && down.length === 500)
  t.strictSame([up, down], [numbers, numbers])
  t.strictSame([...peers].sort(), ['caller', 'service'])
})

t.test('an event that is too deep for the listener does not take those beside it along', async (t) => {
  const seen: unknown[] = []
  const { caller } = await pair(t, {}, { maxDepth: 5 }, (service) => service.on('e:1', ({ n }) => void seen.push(n)))
  const deep = [[[[[[[[[[1]]]]]]]]]]
  await Promise.all([0, 1, 2, 3, 4].map((n) => caller.emit('e:1', n === 3 ? { n, deep } : { n })))
  await eventually(() => seen.length === 4)
  t.strictSame(seen, [0, 1, 2, 4])
})

t.test('the last events of an app that closes still arrive', async (t) => {
  const seen: unknown[] = []
  const { caller } = await pair(t, {}, {}, (service) => service.on('e:1', ({ n }) => void seen.push(n)))
  for (let n = 0; n < 20; n++) await caller.emit('e:1', { n })
  await caller.close()
  t.equal(seen.length, 20)
})

t.test('patterns of any script and an identity cross in header fields', async (t) => {
  const { service, caller } = await pair(t)
  const identity = { user: 'Zoë 😀', roles: ['a%b', 'c,d'] }
  service.add({ währung: '€ 100%', b: 'ß' }, async (_message, context) => [context.pattern, context.meta.identity])
  service.add({ währung: '€ 100%' }, (_message, { meta }) => [meta.identity, Object.isFrozen(meta.identity)])
  await eventually(() => caller.list().length === 2)
  const [pattern, seen] = (await caller.act({ währung: '€ 100%', b: 'ß' }, {}, { identity })) as unknown[]
  t.match(pattern, 'währung')
  t.strictSame(seen, identity)
  t.strictSame(await caller.act({ währung: '€ 100%' }, {}, { identity }), [identity, true])
  const long = 'é'.repeat(3000)
  service.add({ long }, () => 'long')
  await eventually(() => caller.find({ long }) !== undefined)
  t.equal(await caller.act({ long }), 'long')
})

t.test(
  'a peer that asks for another route than would run is told so, and header fields that cannot be read are refused',
  async (t) => {
    const { service, url } = await pair(t)
    service.add('a:1', () => 1)
    t.match(await post(url, { a: 1 }, { 'lucilius-to': 'a:2' }), { status: 409, body: { error: { handled: /^no$/ } } })
    t.match(await post(url, { a: 1 }, { 'lucilius-to': 'a:1' }), { status: 200 })
    for (const [name, value] of [
      ['lucilius-to', '%E0%A4%A'],
      ['lucilius-hops', '-1'],
      ['lucilius-hops', '1.5'],
      ['lucilius-hops', '99999999999999999999'],
      ['lucilius-identity', '{'],
      ['lucilius-identity', '%7B%22__proto__%22%3A1%7D'],
    ] as const) {
      t.match(
        await post(url, { a: 1 }, { [name]: value }),
        { status: 400, body: { error: { handled: /^no$/ } } },
        value,
      )
    }
  },
)

t.test('a listener for clients says what it needs to one that connects as a peer', async (t) => {
  const [service, caller] = [made(t), made(t)]
  service.add('a:1', () => 1)
  const { url } = await service.listen(http({ port: 0 }), { expose: '*' })
  const refusal = await attempt(url)
  t.match(refusal, { code: 'LUC_FORBIDDEN', message: /audience: 'peers'/ })
  await caller.connect(http({ url }), { patterns: ['a:1'] })
  t.equal(await caller.act('a:1'), 1, 'but one that names what it answers asks for nothing')
})

/** What one attempt to connect ends in. */
function attempt(url: string, authorization?: string) {
  const nothing = { wire: 1, name: 'x', instance: 'x', actions: [], subscriptions: [], draining: false }
  const observer = {
    tell: () => nothing,
    onTell: () => () => {},
    hear: () => {},
    receive: async () => ({}),
    lost: () => {},
    authorization,
  }
  return failureOf(http({ url }).connect(observer))
}

t.test('a service that only speaks the wire format is found again after it was away', async (t) => {
  const caller = made(t, { timeoutMs: 3000 })
  const serve = async (port: number) => {
    const service = made(t)
    service.add('a:1', () => 'there')
    const { url } = await service.listen(http({ port }), { expose: '*' })
    return { service, port: Number(new URL(url).port) }
  }
  const first = await serve(0)
  await caller.connect(http({ url: `http://127.0.0.1:${first.port}` }), { patterns: ['a:1'] })
  t.equal(await caller.act('a:1'), 'there')
  await first.service.close()
  const parked = caller.act('a:1')
  await serve(first.port)
  t.equal(await parked, 'there')
})

t.test('a stranger is refused before anything of his is read, whatever he asks', async (t) => {
  const service = made(t)
  let ran = 0
  service.add('a:1', () => ++ran)
  const { url } = await service.listen(http({ port: 0 }), {
    expose: '*',
    audience: 'peers',
    auth: sharedSecret(SECRET),
  })
  const error = { code: 'LUC_UNAUTHENTICATED', handled: /^no$/ }
  const expected = { status: 401, headers: { 'www-authenticate': 'Bearer' }, body: { error } }
  for (const authorization of [undefined, 'Bearer wrong', `Bearer ${SECRET}x`, SECRET, `Basic ${SECRET}`]) {
    const headers = authorization === undefined ? {} : { authorization }
    t.match(await post(url, { a: 1 }, headers), expected)
    t.match(await ask(`${url}/patterns`, { headers }), expected)
    t.match(await ask(`${url}/stream`, { headers }), expected)
    t.match(await ask(`${url}/stream/x`, { method: 'PUT', body: {}, headers }), expected)
    t.match(await ask(`${url}/stream/x`, { method: 'POST', body: [], headers }), expected)
  }
  const endless = await ask(`${url}/act`, { method: 'POST', body: 'x', headers: { 'content-length': '100000000' } })
  t.match(endless, expected, 'not even the length of the body counts')
  t.equal(ran, 0)
  t.match(await attempt(url, 'Bearer wrong'), { code: 'LUC_UNAUTHENTICATED' })
  const caller = made(t)
  await caller.connect(http({ url }), { auth: sharedSecret(SECRET) })
  t.equal(await caller.act('a:1'), 1)
})

t.test('who a client is comes from authenticate and from nothing he says, and is frozen', async (t) => {
  const service = made(t)
  service.add('a:1', (_message, { meta }) => [meta.identity, Object.isFrozen(meta.identity), meta.peer])
  const auth = async ({ headers }: { headers: { readonly [name: string]: unknown } }) => {
    if (headers['x-user'] === 'broken') throw new Error('directory is down')
    return headers['x-user'] === undefined ? undefined : { user: headers['x-user'] }
  }
  const { url } = await service.listen(http({ port: 0 }), { expose: '*', auth })
  const forged = { 'lucilius-identity': '%22admin%22' }
  const { body } = await post(url, { a: 1 }, { 'x-user': 'ann', ...forged })
  t.strictSame(body, [{ user: 'ann' }, true, null])
  t.match(await post(url, { a: 1 }, forged), { status: 401 })
  const broken = await post(url, { a: 1 }, { 'x-user': 'broken' })
  t.equal(broken.status, 401)
  t.notMatch(broken.text, /directory/)
})

t.test('off loopback a listener for peers needs auth', async (t) => {
  const app = made(t)
  for (const options of [{ port: 0, host: '0.0.0.0' }, { server: false as const }]) {
    const error = await failureOf(app.listen(http(options), { expose: '*', audience: 'peers' }))
    t.match(error, { code: 'LUC_OPTIONS_INVALID', message: /auth/ })
  }
  for (const host of ['127.0.0.1', 'localhost', '127.1.2.3']) t.equal(http({ port: 0, host }).local, true, host)
  for (const host of ['0.0.0.0', '127.0.0.1.example.com', '::']) t.equal(http({ port: 0, host }).local, false, host)
})

t.test('a listener that gives no sign of life on its stream is lost', async (t) => {
  const caller = made(t, { forgetMs: 50 })
  const announcement = { wire: 1, name: 'mute', instance: 'mute', actions: [{ pattern: 'a:1', service: 'mute' }] }
  const hello = { connection: 'x', heartbeatMs: 20, announcement: { ...announcement, subscriptions: [] } }
  let streams = 0
  const mute = createServer((request, response) => {
    if (request.method === 'PUT') {
      response.writeHead(204).end()
      return
    }
    streams++
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(`: comment\r\nid: 1\r\nevent: hello\r\ndata: ${JSON.stringify(hello)}\r\n\r\n`)
  }).listen(0, '127.0.0.1')
  t.teardown(() => {
    mute.closeAllConnections()
    mute.close()
  })
  await once(mute, 'listening')
  await caller.connect(http({ url: `http://127.0.0.1:${(mute.address() as AddressInfo).port}` }))
  t.equal(caller.find('a:1')?.remote, 'mute')
  await eventually(() => streams >= 2)
  t.pass('and connected to again')
})

t.test('signs of life keep a stream, and so does an act that leaves no socket for them', async (t) => {
  const [service, caller] = [made(t), made(t)]
  const beats = 8 // Nearly three times what may be missed.
  service.add('a:slow', () => new Promise((resolve) => setTimeout(resolve, beats * 40, 'done')))
  const transport = http({ port: 0, heartbeatMs: 40 })
  const { url } = await service.listen(transport, { expose: '*', audience: 'peers' })
  let streams = 0
  transport.server?.on('request', (request) => {
    if (request.url === '/stream') streams++
  })
  await caller.connect(http({ url, connections: 1 }))
  await new Promise((resolve) => setTimeout(resolve, beats * 40))
  t.equal(await caller.act('a:slow'), 'done')
  t.equal(streams, 1)
})

t.test(
  'a peer that gives no sign of life is lost, though its socket is open, but not by an app that drains',
  async (t) => {
    const service = made(t, { drainMs: 200 })
    const [started, release] = [gate(), gate()]
    service.add('a:1', () => {
      started.open()
      return release.opened
    })
    const settings = { expose: '*', audience: 'peers', events: { out: '*' } } as const
    const { url } = await service.listen(http({ port: 0, heartbeatMs: 20 }), settings)
    const frozen = await heldStream(t, url)
    const ended = new Promise((resolve) => frozen.response.once('close', resolve))
    for (let beat = 0; beat < 4; beat++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      await ask(`${url}/stream/${frozen.id}`, { method: 'POST', body: [] })
    }
    t.notOk(frozen.response.destroyed, 'an empty list is a sign of life')
    await ended
    t.match(await ask(`${url}/stream/${frozen.id}`, { method: 'POST', body: [] }), { status: 404 })
    const late = await heldStream(t, url)
    const running = post(url, { a: 1 })
    await started.opened
    const closed = service.close()
    await new Promise((resolve) => setTimeout(resolve, 120)) // Six beats.
    t.notOk(late.response.destroyed, 'who is told to leave has no socket left to give one')
    release.open()
    await Promise.all([running, closed])
  },
)

/** A stream of somebody who says nothing on his own, and its id. */
async function heldStream(t: Test, url: string): Promise<{ response: IncomingMessage; id: string }> {
  const asked = request(`${url}/stream`, { agent: false }).end()
  t.teardown(() => asked.destroy())
  asked.on('error', () => {})
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  response.on('error', () => {})
  const [hello] = (await once(response.setEncoding('utf8'), 'data')) as [string]
  return { response, id: /"connection":"([\w-]+)"/.exec(hello)?.[1] ?? '' }
}

t.test('a connection to oneself is closed', async (t) => {
  const app = made(t)
  app.add('a:1', () => 1)
  const { url } = await app.listen(http({ port: 0 }), { expose: '*', audience: 'peers' })
  const connection = await app.connect(http({ url }))
  t.equal(connection.peer, undefined)
  t.equal(app.find('a:1')?.remote, undefined)
})
