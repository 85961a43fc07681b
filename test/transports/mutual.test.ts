import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { Challenges } from '../../lib/challenges.js'
import {
  type App,
  type AppOptions,
  type Audience,
  type Auth,
  type ListenOptions,
  LuciliusError,
  lucilius,
  type Proof,
  sharedSecret,
  type Transport,
} from '../../lib/index.js'
import { proofOf } from '../../lib/proof-text.js'
import type { AddressBook } from '../../lib/system/address-book.js'
import { inLane } from '../../lib/system/lane.js'
import { late } from '../../lib/system/late.js'
import type { Observer } from '../../lib/transport-kit.js'
import { http } from '../../transports/http/index.js'
import { inProcess } from '../../transports/in-process/index.js'
import { websocket } from '../../transports/websocket/index.js'
import { eventually, gate } from '../core/eventually.js'
import { failureOf } from '../core/failure.js'
import { recordingLogger } from '../core/recording-logger.js'
import { PostOffice } from '../support/post-office.js'
import { ask, post } from './http/ask.js'
import { refusal } from './websocket/page.js'

const SECRET = 'the-secret-of-these-tests'
const mutual = () => sharedSecret(SECRET, { mutual: true })
const unproved = { code: 'LUC_UNAUTHENTICATED', message: /^The listener did not prove that it knows the secret/ }

/** The same over everything that has a socket. */
const sockets = {
  websocket: {
    listener: (port = 0): Transport => websocket({ port }),
    to: (url: string, ms = 5000): Transport => websocket({ url, handshakeTimeoutMs: ms }),
    through: (url: string, port: number) => url.replace(/:\d+/, `:${port}`),
    atPort: (port: number) => `ws://127.0.0.1:${port}/ws`,
  },
  http: {
    listener: (port = 0): Transport => http({ port, lingerMs: 20 }),
    to: (url: string, ms = 5000): Transport => http({ url, connectTimeoutMs: ms }),
    through: (url: string, port: number) => url.replace(/:\d+/, `:${port}`),
    atPort: (port: number) => `http://127.0.0.1:${port}`,
  },
} as const

const names = ['websocket', 'http'] as const

function made(t: Test, name: string, options: AppOptions = {}): App {
  const app = lucilius({ name, drainMs: 50, ...options })
  t.teardown(() => app.close())
  return app
}

async function service(t: Test, transport: Transport, auth: ListenOptions['auth'], audience: Audience = 'peers') {
  const app = made(t, 'service')
  app.add('a:1', ({ n }) => ({ n }))
  app.on('e:1', () => {})
  const { url } = await app.listen(transport, {
    expose: '*',
    events: { in: '*', out: '*' },
    audience,
    ...(auth === undefined ? {} : { auth }),
  })
  return { app, url }
}

/** What goes over a wire, seen by somebody in the middle who changes nothing. */
async function overheard(t: Test, url: string) {
  const { hostname, port } = new URL(url)
  const said = { up: '', down: '' }
  const open = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(Number(port), hostname)
    for (const socket of [near, far]) {
      open.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        near.destroy()
        far.destroy()
      })
    }
    near.on('data', (bytes) => {
      said.up += bytes.toString('latin1')
      far.write(bytes)
    })
    far.on('data', (bytes) => {
      said.down += bytes.toString('latin1')
      near.write(bytes)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  return { said, port: (server.address() as AddressInfo).port }
}

/** A listener that knows no secret: it answers as it is told. */
async function impostor(t: Test, answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const asked: string[] = []
  const server = createHttpServer()
  const take = (request: IncomingMessage, response: ServerResponse) => {
    asked.push(String(request.headers.authorization))
    answer(request, response)
  }
  server.on('request', take)
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => {})
    asked.push(String(request.headers.authorization))
    const response = {
      writeHead: (status: number, headers: object) => {
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
        socket.write(`HTTP/1.1 ${status} X\r\n${lines.join('')}content-length: 0\r\n\r\n`)
        return response
      },
      end: () => socket.end(),
    }
    answer(request, response as never)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return { asked, port: (server.address() as AddressInfo).port }
}

/** The challenge that a listener gives to a hello. */
async function challenge(url: string, hello: string): Promise<string> {
  const { status, headers } = await ask(`${url}/patterns`, { headers: { authorization: hello } })
  if (status !== 401) throw new Error(`It was not challenged: ${status}`)
  return String(headers['www-authenticate'])
}

/** A stream that was opened with a proof. */
async function opened(t: Test, url: string) {
  const proof = prove(url)
  const authorization = proof.answer(await challenge(url, proof.hello))
  const response = await fetch(`${url}/stream`, { headers: { authorization } })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  t.teardown(() => reader.cancel().catch(() => {}))
  const hello = new TextDecoder().decode((await reader.read()).value)
  const id = /"connection":"([\w-]+)"/.exec(hello)?.[1] ?? ''
  return { authorization, id, close: () => reader.cancel() }
}

/** A proof of this secret, by the public door. */
function prove(url: string, secret = SECRET): Proof {
  const { prove } = sharedSecret(secret, { mutual: true })
  if (prove === undefined) throw new Error('It has no proof.')
  return prove(new URL(url).host)
}

/** What the core gives to one attempt to connect, without a core that repeats it. */
function bareObserver(): Observer {
  return {
    prove: (authority) => prove(`http://${authority}`),
    tell: () => ({ wire: 1, name: 'bare', instance: 'bare', draining: false, actions: [], subscriptions: [] }),
    onTell: () => () => {},
    hear: () => {},
    receive: async () => ({}),
    lost: () => {},
    onGiveUp: undefined,
  }
}

/** Lets come up what is thrown where nobody waits for it. */
const nextTurn = () => new Promise((resolve) => setTimeout(resolve, 20))

const fieldsOf = (text: string) => Object.fromEntries([...text.matchAll(/(\w+)="([\w-]*)"/g)].map((m) => [m[1], m[2]]))

t.test('the options are checked, and only what can prove is taken by connect', async (t) => {
  t.throws(() => sharedSecret(SECRET, { mutal: true } as never), { code: 'LUC_OPTIONS_INVALID', message: /'mutual'/ })
  t.throws(() => sharedSecret(SECRET, { mutual: 1 } as never), { code: 'LUC_OPTIONS_INVALID', message: /'mutual'/ })
  for (const hosts of ['a', [1], [''], ['a b'], ['http://a'], ['a:1:2'], ['[1]'], ['u@a']]) {
    t.throws(() => sharedSecret(SECRET, { hosts } as never), { code: 'LUC_OPTIONS_INVALID', message: /'hosts'/ })
  }
  t.throws(() => sharedSecret('short', { mutual: true }), { code: 'LUC_OPTIONS_INVALID' })
  t.strictSame(Object.keys(mutual()).sort(), ['authenticate', 'prove'], 'there is nothing that could be sent')
  t.strictSame(Object.keys(sharedSecret(SECRET)).sort(), ['authenticate', 'authorization'])
  const app = made(t, 'app')
  for (const auth of [{}, null, { prove: 1 }, { authorization: 1, prove: () => {} }, 'text']) {
    t.match(await failureOf(app.connect(inProcess(), { auth: auth as never })), { code: 'LUC_OPTIONS_INVALID' })
  }
})

for (const name of names) {
  const { listener, to, through, atPort } = sockets[name]

  t.test(`${name}: both ends prove the secret, which is never sent`, async (t) => {
    for (const mutual of [true, false]) {
      const { url } = await service(t, listener(), sharedSecret(SECRET, { mutual, hosts: ['127.0.0.1'] }))
      const { said, port } = await overheard(t, url)
      const caller = made(t, 'caller')
      caller.on('e:1', () => {})
      await caller.connect(to(through(url, port)), { auth: sharedSecret(SECRET, { mutual: true }) })
      t.strictSame(await caller.act('a:1', { n: 1 }), { n: 1 })
      await caller.emit('e:1')
      t.match(said.up, /authorization: Lucilius hello="[\w-]{24}"\r\n/i)
      t.match(said.down, /www-authenticate: Lucilius nonce="[\w-]{24,}", proof="[\w-]{43}"\r\n/i)
      t.notMatch(said.up + said.down, new RegExp(`${SECRET}|Bearer`))
      await made(t, 'bearer').connect(to(url), { auth: sharedSecret(SECRET) })
    }
  })

  t.test(`${name}: nothing is told to a listener that does not know the secret`, async (t) => {
    const others: Record<string, ListenOptions['auth']> = {
      'that asks nobody': undefined,
      'with another secret': sharedSecret('another-secret-than-that', { hosts: ['127.0.0.1'] }),
      'that lets everybody in': () => true,
      'that asks for something else': () => false,
    }
    for (const [what, auth] of Object.entries(others)) {
      const { app, url } = await service(t, listener(), auth)
      const { said, port } = await overheard(t, url)
      const caller = made(t, 'the-caller')
      caller.add('of:caller', () => 1)
      const error = await failureOf(caller.connect(to(through(url, port)), { auth: mutual(), expose: '*' }))
      t.match(error, unproved, what)
      t.notMatch(said.up, /the-caller|of:caller|proof=/, what)
      t.equal(app.find('of:caller'), undefined)
    }
  })

  t.test(`${name}: an impostor's challenge is not answered`, async (t) => {
    const { url } = await service(t, sockets.http.listener(), mutual())
    const seen = await challenge(url, prove(url).hello)
    const challenges = [
      seen, // made for somebody else's hello
      'Bearer',
      'Lucilius',
      'Lucilius nonce="AAAAAAAAAAAAAAAAAAAAAAAA"',
      'Lucilius nonce="AAAAAAAAAAAAAAAAAAAAAAAA", proof=""',
      'Lucilius nonce="", proof="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"',
      'Lucilius nonce="AAAAAAAAAAAAAAAAAAAAAAAA", proof="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"',
      `Lucilius ${'x="y", '.repeat(500)}`,
    ]
    for (const text of challenges) {
      const { asked, port } = await impostor(t, (_, response) => {
        response.writeHead(401, { 'www-authenticate': text }).end()
      })
      const caller = made(t, 'the-caller')
      t.match(await failureOf(caller.connect(to(atPort(port)), { auth: mutual() })), unproved, text.slice(0, 80))
      t.equal(asked.length, 1, 'and nothing is asked again')
    }
    const { port } = await impostor(t, (_, response) => void response.writeHead(401, { x: 'y' }).end())
    t.match(await failureOf(made(t, 'c').connect(to(atPort(port)), { auth: mutual() })), unproved, 'no challenge')
    const away = await impostor(t, (_, response) => void response.writeHead(307, { location: '/' }).end())
    const error = await failureOf(to(atPort(away.port)).connect(bareObserver()))
    t.match(error.code, /^LUC_(UNREACHABLE|WIRE_INVALID)$/)
    t.equal(away.asked.length, 1, 'no redirect is followed')
  })

  t.test(`${name}: a listener that is started again is proved to again`, async (t) => {
    const first = await service(t, listener(), mutual())
    const caller = made(t, 'caller')
    await caller.connect(to(first.url), { auth: mutual() })
    await first.app.close()
    await service(t, listener(Number(new URL(first.url).port)), mutual())
    t.strictSame(await caller.act('a:1', { n: 2 }), { n: 2 })
  })

  t.test(
    `${name}: an attempt ends when nobody wants it any more or it takes too long, also between its steps`,
    async (t) => {
      for (const steps of [0, 1]) {
        const isAsked = gate()
        const challenges = new Challenges(SECRET)
        let left = steps
        const { port } = await impostor(t, (request, response) => {
          if (left-- === 0) return isAsked.open()
          const { authorization, host } = request.headers
          const text = challengeAt(challenges, String(authorization), host)
          response.writeHead(401, { 'www-authenticate': text }).end()
        })
        const late = made(t, 'late')
        const connected = late.connect(to(atPort(port)), { auth: mutual(), wait: false })
        await isAsked.opened
        await late.close()
        await connected
        left = steps
        // Without somebody who repeats it.
        const began = performance.now()
        const error = await failureOf(to(atPort(port), 100).connect(bareObserver()))
        t.match(error, { code: 'LUC_UNREACHABLE' })
        t.ok(performance.now() - began < 1000)
      }
    },
  )
}

t.test('an observer gives up an attempt between its steps', async (t) => {
  for (const name of names) {
    const isAsked = gate()
    const { port } = await impostor(t, () => isAsked.open())
    const observer = bareObserver()
    const { to, atPort } = sockets[name]
    const failed = failureOf(to(atPort(port)).connect(observer))
    await isAsked.opened
    observer.onGiveUp?.()
    t.match(await failed, { code: 'LUC_UNREACHABLE' }, name)
  }
})

t.test('within a process the steps are those of a socket', async (t) => {
  const { url } = await service(t, inProcess(), sharedSecret(SECRET))
  const caller = made(t, 'caller')
  await caller.connect(inProcess({ url }), { auth: mutual() })
  t.strictSame(await caller.act('a:1', { n: 1 }), { n: 1 })
  for (const auth of [undefined, sharedSecret('another-secret-than-that'), () => true] as const) {
    const other = await service(t, inProcess(), auth)
    t.match(await failureOf(made(t, 'c').connect(inProcess({ url: other.url }), { auth: mutual() })), unproved)
  }
})

t.test('a transport that cannot prove is refused before anything is told', async (t) => {
  const office = new PostOffice()
  const { app, url } = await service(t, office.transport(), undefined)
  const caller = made(t, 'caller')
  const error = { code: 'LUC_OPTIONS_INVALID', message: /cannot prove a secret at both ends/ }
  t.match(await failureOf(caller.connect(office.transport().to(url), { auth: mutual() })), error)
  t.strictSame(
    office.letters.filter(({ parcel }) => parcel.kind === 'open'),
    [],
  )
  t.equal(app.explain('a:1').candidates.length, 1)
  const patterns = ['a:1']
  const { url: silent } = await service(t, http({ port: 0 }), mutual(), 'clients')
  t.match(await failureOf(caller.connect(http({ url: silent }), { auth: mutual(), patterns })), {
    code: 'LUC_OPTIONS_INVALID',
    message: /without 'mutual'/,
  })
  let closed = 0
  const mute = {
    name: 'mute',
    listen: () => Promise.reject(),
    connect: async () => ({ carry: async () => ({}), close: async () => void closed++ }),
  } as unknown as Transport
  t.match(await failureOf(caller.connect(mute, { auth: mutual(), patterns })), error)
  t.equal(closed, 1)
})

t.test('what stands between an app and its transport lets the proof pass', async (t) => {
  const { url } = await service(t, websocket({ port: 0 }), mutual())
  const addresses = { urlOf: () => url, changed: () => new Promise(() => {}) } as unknown as AddressBook
  const to = (url: string) => websocket({ url })
  const lane = { carries: () => true, hears: () => true }
  for (const transport of [
    inLane(to(url), lane),
    late({ id: 'service', name: 'late', addresses, to, log: recordingLogger().logger }),
  ]) {
    const caller = made(t, 'caller')
    await caller.connect(transport, { auth: mutual() })
    t.strictSame(await caller.act('a:1', { n: 4 }), { n: 4 }, transport.name)
  }
})

t.test('websocket: one that tells nothing is proved to as well', async (t) => {
  const { url } = await service(t, websocket({ port: 0 }), mutual(), 'clients')
  const caller = made(t, 'caller')
  await caller.connect(websocket({ url }), { auth: mutual(), patterns: ['a:1'] })
  t.strictSame(await caller.act('a:1', { n: 3 }), { n: 3 })
})

t.test('whoever does not prove the secret is refused, whatever was overheard', async (t) => {
  let now = 5000
  const challenges = new Challenges(SECRET, () => now)
  const auth: ListenOptions['auth'] = ({ headers: { authorization, host } }) =>
    typeof authorization === 'string' && challenges.accept(authorization, () => String(host))
  const { app, url } = await service(t, http({ port: 0 }), auth)
  const { url: wsUrl } = await app.listen(websocket({ port: 0 }), { expose: '*', audience: 'peers', auth })
  const other = await service(t, http({ port: 0 }), mutual())
  const attempts = async (headers: { readonly [name: string]: string }, what: string) => {
    const expected = { status: 401, headers: { 'www-authenticate': 'Bearer' } }
    t.match(await post(url, { a: 1 }, headers), { ...expected, body: { error: { code: 'LUC_UNAUTHENTICATED' } } }, what)
    t.match(await ask(`${url}/stream`, { headers }), expected, what)
    t.match(await refusal(wsUrl, undefined, { headers }), { status: 401, code: 'LUC_UNAUTHENTICATED' }, what)
  }
  const proof = prove(url)
  const { host } = new URL(url)
  const text = await challenge(url, proof.hello)
  const { hello = '' } = fieldsOf(proof.hello)
  const { nonce = '', proof: told = '' } = fieldsOf(text)
  const right = proofOf(SECRET, 'connector', hello, nonce, host)
  const foreign = fieldsOf(await challenge(other.url, proof.hello))
  const says = (fields: { readonly [name: string]: string }) =>
    `Lucilius ${Object.entries(fields)
      .map(([key, value]) => `${key}="${value}"`)
      .join(', ')}`
  const wrong: { readonly [what: string]: string } = {
    'no fields': 'Lucilius',
    'a scheme that is not ours': `Luciliusx hello="${hello}"`,
    'a short hello': 'Lucilius hello="AAAA"',
    'an endless hello': `Lucilius hello="${'A'.repeat(129)}"`,
    'a hello of other characters': `Lucilius hello="${hello}\u00e9"`,
    'two hellos': `Lucilius hello="${hello}", hello="${hello}"`,
    'no nonce': says({ hello, proof: right }),
    'no proof': says({ hello, nonce }),
    'an empty proof': says({ hello, nonce, proof: '' }),
    'the proof of the listener, sent back': says({ hello, nonce, proof: told }),
    'a proof of another secret': says({ hello, nonce, proof: proofOf(`${SECRET}x`, 'connector', hello, nonce, host) }),
    'a proof for another address': says({ hello, nonce, proof: proofOf(SECRET, 'connector', hello, nonce, 'a:1') }),
    'a nonce for another hello': says({
      hello: 'B'.repeat(24),
      nonce,
      proof: proofOf(SECRET, 'connector', 'B'.repeat(24), nonce, host),
    }),
    'a nonce of its own': says({
      hello,
      nonce: 'C'.repeat(56),
      proof: proofOf(SECRET, 'connector', hello, 'C'.repeat(56), host),
    }),
    'a nonce of another listener': says({
      hello,
      nonce: foreign.nonce ?? '',
      proof: proofOf(SECRET, 'connector', hello, foreign.nonce ?? '', host),
    }),
    'a nonce with a tail': says({
      hello,
      nonce: `${nonce}A`,
      proof: proofOf(SECRET, 'connector', hello, `${nonce}A`, host),
    }),
    'an empty nonce': says({ hello, nonce: '', proof: proofOf(SECRET, 'connector', hello, '', host) }),
  }
  for (const [what, authorization] of Object.entries(wrong)) await attempts({ authorization }, what)

  const authorization = proof.answer(text)
  t.equal(authorization, says({ hello, nonce, proof: right }))
  t.match(
    await post(url, { a: 1, n: 7 }, { authorization }),
    { status: 200, body: { n: 7 } },
    'the right one is let in',
  )
  await attempts({ authorization }, 'once')

  const slow = prove(url)
  const late = slow.answer(await challenge(url, slow.hello))
  const inTime = prove(url)
  now += 1
  const justInTime = inTime.answer(await challenge(url, inTime.hello))
  now += 10_000
  await attempts({ authorization: late }, 'a challenge is answered within 10 s')
  t.match(await post(url, { a: 1 }, { authorization: justInTime }), { status: 200 })
  await attempts({ authorization: justInTime }, 'and is remembered for as long')
  now += 1
  await attempts({ authorization: justInTime }, 'when it is forgotten it is too old')
})

t.test('HTTP: what belongs to a stream says the proof of the stream again, and is refused without it', async (t) => {
  const { app, url } = await service(t, http({ port: 0, lingerMs: 20 }), mutual())
  const announcement = { wire: 1, name: 'page', instance: 'page', draining: false, actions: [], subscriptions: [] }
  const [one, two] = [await opened(t, url), await opened(t, url)]
  const tell = (id: string, authorization: string) =>
    ask(`${url}/stream/${id}`, { method: 'PUT', body: announcement, headers: { authorization } })
  const act = (id: string, authorization: string) =>
    post(url, { a: 1, n: 1 }, { authorization, ...(id === '' ? {} : { 'lucilius-connection': id }) })
  const refused = { status: 401, body: { error: { code: 'LUC_UNAUTHENTICATED', handled: 'no' } } }
  for (let round = 0; round < 3; round++) {
    t.match(await tell(one.id, one.authorization), { status: 204 })
    t.match(await act(one.id, one.authorization), { status: 200 })
  }
  for (const [id, authorization, what] of [
    [one.id, two.authorization, 'the proof of another stream'],
    ['x', one.authorization, 'a stream that is not there'],
    [one.id, `${one.authorization} `, 'one character more'],
    [one.id, one.authorization.replace(/.{3}"$/, 'AAA"'), 'another proof'],
    [one.id, 'Bearer wrong', 'something else'],
  ] as const) {
    if (!what.startsWith('one character')) t.match(await tell(id, authorization), refused, what)
    if (!what.startsWith('one character')) t.match(await act(id, authorization), refused, what)
  }
  t.match(await act('', one.authorization), refused, 'no stream')
  t.match(await act(one.id, `Bearer ${SECRET}`), { status: 200 }, 'the secret itself is as good')
  await one.close()
  const gone = async () => (await act(one.id, one.authorization)).status === 401
  while (!(await gone())) await new Promise((resolve) => setTimeout(resolve, 5))
  t.match(await tell(one.id, one.authorization), refused, 'a stream that is gone')
  t.match(await act(two.id, two.authorization), { status: 200 }, 'and the others go on')

  const isRunning = gate()
  const isOver = gate()
  app.add('a:slow', async () => {
    isRunning.open()
    await isOver.opened
  })
  const slow = post(url, { a: 'slow' }, { authorization: two.authorization, 'lucilius-connection': two.id })
  await isRunning.opened
  const closed = app.close()
  const late = await act(one.id, one.authorization)
  t.match(late, { status: 503, body: { error: { code: 'LUC_SERVICE_CLOSED', handled: 'no' } } }, 'may go elsewhere')
  t.match(await act('', one.authorization), { status: 401 }, 'only what once had a stream is told so')
  isOver.open()
  await slow
  await closed
})

t.test('a listener proves itself at its own address and at hosts that it was told, and nowhere else', (t) => {
  const hello = prove('http://a').hello
  const at = (host: string | undefined, socket: object | undefined, hosts: readonly string[] = []) => {
    const headers = { authorization: hello, ...(host === undefined ? {} : { host }) }
    try {
      sharedSecret(SECRET, { hosts }).authenticate({ headers, ...(socket === undefined ? {} : { socket }) })
    } catch (error) {
      return error as LuciliusError
    }
    throw new Error('It was let in.')
  }
  const here = { localAddress: '10.0.0.7', localPort: 7400 }
  const loopback = { localAddress: '127.0.0.1', localPort: 7400 }
  const own: readonly (readonly [host: string | undefined, socket: object | undefined, hosts?: string[]])[] = [
    ['10.0.0.7:7400', here],
    ['10.0.0.7:7400', { ...here, localAddress: '::ffff:10.0.0.7' }],
    ['[::ffff:a00:7]:7400', here],
    ['[FD00:0::8]:7400', { localAddress: 'fd00::8', localPort: 7400 }],
    ['[fe80::1]:7400', { localAddress: 'fe80::1%eth0', localPort: 7400 }],
    ['10.0.0.7', { ...here, localPort: 80 }],
    ['10.0.0.7', { ...here, localPort: 443, encrypted: true }],
    ['localhost:7400', loopback],
    ['localhost:7400', { localAddress: '::1', localPort: 7400 }],
    ['rates.example', here, ['a.example', 'Rates.Example']],
    ['RATES.example:9', here, ['rates.example']],
    ['rates.example:9', here, ['rates.example:9']],
    ['rates.example', here, ['rates.example:80']],
    ['[fd00::8]:9', here, ['fd00::8']],
    ['[fd00::8]:9', here, ['[fd00::8]:9']],
    [undefined, undefined],
  ]
  for (const [host, socket, hosts] of own) {
    t.match(at(host, socket, hosts), { details: { challenge: /^Lucilius nonce=/ } }, `${host} ${hosts ?? ''}`)
  }
  const foreign: typeof own = [
    ['10.0.0.7:7401', here],
    ['10.0.0.8:7400', here],
    ['10.0.0.7', here],
    ['10.0.0.7', { ...here, localPort: 443 }],
    ['10.0.0.7', { ...here, localPort: 80, encrypted: true }],
    ['localhost:7400', here],
    ['localhost:7401', loopback],
    ['rates.example:7400', here],
    ['a.rates.example', here, ['rates.example']],
    ['rates.example:8', here, ['rates.example:9']],
    ['u@10.0.0.7:7400', here],
    ['10.0.0.7:7400/', here],
    ['[10.0.0.7]:7400', here],
    ['', here],
    [undefined, here],
    ['10.0.0.7:7400', undefined],
    ['10.0.0.7:7400', {}],
  ]
  for (const [host, socket, hosts] of foreign) {
    const { code, details, message } = at(host, socket, hosts)
    t.strictSame([code, details], ['LUC_UNAUTHENTICATED', undefined], `${host} ${hosts ?? ''}`)
    t.match(message, /LUCILIUS_ADVERTISE, or sharedSecret\(secret, \{ hosts/)
  }
  t.match(at('x.example:1', here).message, /dialled 'x\.example:1', which is no address of this listener/)
  t.match(at('"x\r\n', here).message, /dialled no host,/)
  t.end()
})

for (const name of names) {
  t.test(
    `${name}: whoever stands at another address gets no proof for it, and none of it is good elsewhere`,
    async (t) => {
      const { listener, to, through, atPort } = sockets[name]
      const there = await service(t, listener(), mutual())
      const { said, port } = await overheard(t, there.url)
      const caller = made(t, 'the-caller')
      const error = await failureOf(caller.connect(to(through(there.url, port)), { auth: mutual() }))
      t.match(error, {
        code: 'LUC_UNAUTHENTICATED',
        message: /prove .* It said: Who connects has dialled '127\.0\.0\.1:\d+'/,
      })
      t.match(said.down, /www-authenticate: Bearer/i)
      t.notMatch(said.up, /the-caller|proof=/)

      // It asks by the right name what it then shows under its own.
      const { host } = new URL(there.url)
      const asked = there.url.replace('ws:', 'http:')
      const upgrade = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-protocol': 'lucilius.v1' }
      const key = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' }
      const stranger = await impostor(t, async ({ headers: { authorization = '' } }, response) => {
        const path = name === 'http' ? '/patterns' : ''
        const fields = { ...(name === 'http' ? {} : { ...upgrade, ...key }), host, authorization }
        const { headers } = await ask(`${asked}${path}`, { headers: fields })
        response.writeHead(401, { 'www-authenticate': String(headers['www-authenticate']) }).end()
      })
      const mistaken = failureOf(made(t, 'the-caller').connect(to(atPort(stranger.port)), { auth: mutual() }))
      t.match(await mistaken, { ...unproved, message: /'Host'\.$/ })
      t.equal(stranger.asked.length, 1, 'and got no answer that it could use there')
    },
  )
}

t.test('HTTP: the proof of a stream opens no other, and tells nothing', async (t) => {
  const { url } = await service(t, http({ port: 0, lingerMs: 20 }), mutual())
  const { authorization, id } = await opened(t, url)
  for (const path of ['/stream', '/patterns']) {
    const headers = { authorization, 'lucilius-connection': id }
    const response = await fetch(`${url}${path}`, { headers })
    await response.body?.cancel()
    t.equal(response.status, 401, path)
  }
})

t.test('HTTP: an answer to a hello that is over at once, or endless, ends an attempt and nothing else', async (t) => {
  const answers: Record<string, (response: ServerResponse) => void> = {
    'no body': (response) => response.writeHead(204).end(),
    'an empty body': (response) => response.writeHead(200, { 'content-length': 0 }).end(),
    'a whole body': (response) => response.writeHead(200, { 'content-length': 2 }).end('{}'),
    'half a body': (response) => response.writeHead(200, { 'content-length': 2 }).write('{'),
  }
  for (const [what, answer] of Object.entries(answers)) {
    const { port } = await impostor(t, (_, response) => answer(response))
    const { to, atPort } = sockets.http
    t.match(await failureOf(to(atPort(port)).connect(bareObserver())), unproved, what)
    await nextTurn() // what is thrown then ends the process
  }
  const { port } = await impostor(t, (_, response) => response.writeHead(500).end('x'.repeat(100_000)))
  t.match(await failureOf(http({ url: `http://127.0.0.1:${port}` }).connect(bareObserver())), {
    code: 'LUC_WIRE_INVALID',
  })
  await nextTurn()
})

t.test('HTTP: no answer of a listener is taken for a mistake in the options, which would end all tries', async (t) => {
  const challenges = new Challenges(SECRET)
  const evil = (code: string) => JSON.stringify({ error: { code, message: 'Give up.', handled: 'no' } })
  const json = { 'content-type': 'application/json' }
  for (const code of ['LUC_OPTIONS_INVALID', 'LUC_LISTEN_FAILED', 'constructor', 'OF_ITS_OWN']) {
    for (const steps of [0, 1]) {
      let left = steps
      const { port } = await impostor(t, ({ headers }, response) => {
        if (left-- === 0) return void response.writeHead(503, json).end(evil(code))
        const challenge = challengeAt(challenges, String(headers.authorization), headers.host)
        response.writeHead(401, { 'www-authenticate': challenge }).end()
      })
      const error = await failureOf(http({ url: `http://127.0.0.1:${port}` }).connect(bareObserver()))
      t.match(error, { code: 'LUC_WIRE_INVALID', message: /answered with status 503/ }, `${code} after ${steps}`)
    }
  }
  const { port } = await impostor(t, (_, response) => response.writeHead(503, json).end(evil('LUC_SERVICE_CLOSED')))
  const error = await failureOf(http({ url: `http://127.0.0.1:${port}` }).connect(bareObserver()))
  t.match(error, { code: 'LUC_SERVICE_CLOSED', message: 'Give up.' }, 'what a listener does say is passed on')
})

t.test('the socket of a refused attempt is closed, though its listener would keep it', async (t) => {
  const answers = [
    '404 X\r\ncontent-length: 0\r\n\r\n',
    '401 X\r\ncontent-length: 0\r\n\r\n',
    '401 X\r\nwww-authenticate: Lucilius nonce="A"\r\ncontent-length: 2\r\n\r\n{}',
    '503 X\r\ncontent-length: 2\r\n\r\n{}',
    '200 X\r\ncontent-length: 2\r\n\r\n{}',
  ]
  const open = new Set<Socket>()
  let answer = ''
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => open.delete(socket))
    socket.on('data', () => socket.write(`HTTP/1.1 ${answer}`))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  const { port } = server.address() as AddressInfo
  for (const name of names) {
    for (answer of answers) {
      const { to, atPort } = sockets[name]
      await failureOf(to(atPort(port)).connect(bareObserver()))
      await failureOf(to(atPort(port)).connect({ ...bareObserver(), prove: undefined, authorization: 'Bearer x' }))
      await eventually(() => open.size === 0).catch(() => t.fail(`${name}: ${answer.slice(0, 5)}`))
    }
  }
})

t.test('HTTP: what an author asks for himself is asked for at each request', async (t) => {
  let asked = 0
  const auth: Auth = {
    authenticate: ({ headers }) => ++asked > 0 && headers.authorization === 'Token x',
    authorization: 'Token x',
  }
  const { url } = await service(t, http({ port: 0 }), auth)
  const caller = made(t, 'caller')
  await caller.connect(http({ url }), { auth })
  const before = asked
  await caller.act('a:1')
  t.equal(asked, before + 1)
})

t.test('authenticate says what it asks for, in one line', async (t) => {
  let challenge: unknown
  const auth = () => {
    throw new LuciliusError('LUC_UNAUTHENTICATED', 'Who is it?', { details: { challenge } })
  }
  const { app, url } = await service(t, http({ port: 0 }), auth)
  const { url: wsUrl } = await app.listen(websocket({ port: 0 }), { expose: '*', auth })
  const upgrade = { upgrade: 'websocket', connection: 'upgrade', 'sec-websocket-protocol': 'lucilius.v1' }
  const key = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==', 'sec-websocket-version': '13' }
  const asks = async () => {
    const over = await ask(wsUrl.replace('ws:', 'http:'), { headers: { ...upgrade, ...key } })
    return [over.headers['www-authenticate'], (await ask(`${url}/patterns`)).headers['www-authenticate']]
  }
  for (challenge of ['Basic realm="shop"', 'Negotiate']) t.strictSame(await asks(), [challenge, challenge])
  for (challenge of ['a\r\nset-cookie: x', '', 1, null, 'é', 'x'.repeat(5000), undefined]) {
    t.strictSame(await asks(), ['Bearer', 'Bearer'])
  }
})

t.test('a flood costs no memory: only what proved the secret is remembered, and no more than a bound', async (t) => {
  let now = 0
  const challenges = new Challenges(SECRET, () => now)
  const answered = () => {
    const proof = prove('http://a:1')
    return proof.answer(challengeAt(challenges, proof.hello))
  }
  const [early, waiting, spent] = [answered(), answered(), answered()]
  t.ok(challenges.accept(spent, () => 'a:1'))
  for (let n = 0; n < 5000; n++) challengeAt(challenges, `Lucilius hello="${String(n).padStart(24, '0')}"`)
  t.ok(
    challenges.accept(early, () => 'a:1'),
    'no hello takes the place of another',
  )
  t.notOk(
    challenges.accept(spent, () => 'a:1'),
    'or of what was taken',
  )

  const taken: string[] = [spent, early]
  while (taken.length <= 4096) {
    const answer = answered()
    if (!challenges.accept(answer, () => 'a:1')) throw new Error(`The answer ${taken.length} was not taken.`)
    taken.push(answer)
  }
  t.notOk(
    taken.some((answer) => challenges.accept(answer, () => 'a:1')),
    'none is taken twice, however many there were',
  )
  t.notOk(
    challenges.accept(waiting, () => 'a:1'),
    'what was handed out before there were too many is taken no more',
  )
  now += 1
  t.ok(
    challenges.accept(answered(), () => 'a:1'),
    'and what is handed out then is',
  )
})

/** The challenge to a hello. */
function challengeAt(challenges: Challenges, authorization: string, host = 'a:1'): string {
  try {
    challenges.accept(authorization, () => host)
  } catch (error) {
    return String((error as { readonly details?: { readonly challenge?: unknown } }).details?.challenge)
  }
  throw new Error('It was not challenged.')
}
