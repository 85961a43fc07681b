import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { WebSocketServer } from 'ws'
import { lucilius } from '../../../lib/index.js'
import { websocket } from '../../../transports/websocket/index.js'
import { badInputsApp, exposed, limits, SECRET } from '../../support/bad-inputs-fixture.js'
import { readCases } from '../../support/repo-root.js'
import { type Frame, type Page, page } from './page.js'

interface Case {
  readonly id: string
  readonly surface: string
  readonly name: string
  readonly encoding: string
  readonly input: string
  readonly expected: {
    readonly outcome: string
    readonly status?: readonly number[]
    readonly code?: readonly string[]
    readonly wsClose?: readonly number[]
    readonly withinMs?: number
    readonly rssGrowthMaxMB?: number
    readonly bodyMustNotContain?: readonly string[]
  }
}

const cases = readCases<readonly Case[]>('bad-inputs.json')
const of = (surface: string) => cases.filter((one) => one.surface === surface)

/** The cases speak an envelope of their own, `{ id, kind, msg }`: this is ours. */
function inOurs(text: string): string {
  return text
    .replaceAll('"msg":', '"message":')
    .replaceAll('"kind":"res"', '"kind":"reply"')
    .replaceAll('"res":', '"reply":')
}

/** Fills in the marks of a template. */
function expand(text: string, url: string): string {
  const { host, pathname } = new URL(url)
  const many = (count: string, make: (index: number) => string, between = '') =>
    Array.from({ length: Number(count) }, (_, index) => make(index)).join(between)
  return text
    .replaceAll('«host»', host)
    .replaceAll('«wspath»', pathname)
    .replace(/«rep:(\d+):([^«»]*)»/g, (_, count: string, part: string) => part.repeat(Number(count)))
    .replace(/«seq:(\d+):([^«»]*)»/g, (_, n: string, part: string) => many(n, (i) => part.replace('#', `${i}`)))
    .replace(/«seqc:(\d+):([^«»]*)»/g, (_, n: string, part: string) =>
      many(n, (i) => part.replaceAll('#', `${i}`), ','),
    )
    .replace(/«seqmsg:(\d+):([^«»]*)»/g, (_, n: string, part: string) =>
      many(n, (i) => part.replace('#', `${i}`), '\u0001'),
    )
}

async function fixture(t: Test): Promise<string> {
  const app = badInputsApp()
  t.teardown(() => app.close())
  const options = { port: 0, origins: ['http://localhost'], handshakeTimeoutMs: limits.headersTimeoutMs }
  return (await app.listen(websocket(options), { expose: exposed })).url
}

/** Everything that comes over a raw socket until it closes or `enough` of it is there. */
async function received(socket: Socket, enough: (text: string) => boolean): Promise<{ text: string; closed: boolean }> {
  let text = ''
  socket.setEncoding('latin1')
  return new Promise((resolve) => {
    socket.on('data', (part) => {
      text += part
      if (enough(text)) resolve({ text, closed: false })
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve({ text, closed: true }))
  })
}

/** The process still answers, within a second. */
async function alive(t: Test, control: Page, id: string): Promise<void> {
  control.send({ kind: 'act', id: `alive-${id}`, message: { role: 'convert', cmd: 'rate', amount: 1 } })
  const answer = await Promise.race([control.answer(`alive-${id}`), sleep(1000, undefined, { ref: false })])
  t.match(answer, { reply: { rate: 0.91 } }, 'a good call is answered')
}

t.test('a bad handshake is refused', async (t) => {
  const url = await fixture(t)
  const control = await page(t, url)
  for (const { id, name, input, expected } of of('ws-handshake')) {
    await t.test(`${id} ${name}`, async (t) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      socket.write(expand(input, url))
      const { text, closed } = await received(socket, (text) => text.includes('\r\n\r\n'))
      socket.destroy()
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1])
      t.ok(expected.status?.includes(status) || (expected.outcome === 'status-or-close' && closed), `${status}`)
      await alive(t, control, id)
    })
  }
})

/** What a page gets back for a text or for raw bytes: its frames, and the code if it was sent away. */
async function outcome(
  t: Test,
  url: string,
  send: (client: Page) => void,
  enough: (seen: Seen) => boolean,
  ms: number,
) {
  const client = await page(t, url)
  const seen: Seen = { frames: client.frames, close: undefined }
  void client.closed.then((code) => {
    seen.close = code
  })
  send(client)
  const end = performance.now() + ms
  while (performance.now() < end && seen.close === undefined && !enough(seen)) await sleep(2)
  client.socket.terminate()
  return seen
}

interface Seen {
  readonly frames: readonly Frame[]
  close: number | undefined
}

const codesOf = ({ frames }: Seen) => frames.map(({ error }) => error?.code ?? 'ok')

for (const surface of ['ws-frame', 'ws-text']) {
  t.test(`a bad frame harms nobody: ${surface}`, async (t) => {
    const url = await fixture(t)
    const control = await page(t, url)
    for (const { id, name, encoding, input, expected } of of(surface)) {
      await t.test(`${id} ${name}`, async (t) => {
        const before = process.memoryUsage().rss
        const send = (client: Page) => {
          // The socket below: these bytes are no frames that ws would send.
          const raw = (client.socket as unknown as { _socket: Socket })._socket
          if (surface === 'ws-frame') raw.write(Buffer.from(input, encoding === 'base64' ? 'base64' : 'utf8'))
          else for (const text of expand(inOurs(input), url).split('\u0001')) client.socket.send(text)
        }
        const { code = [], wsClose = [] } = expected
        const replied = (seen: Seen) => codesOf(seen).some((one) => code.includes(one))
        const closed = (seen: Seen) => seen.close !== undefined && wsClose.includes(seen.close)
        const quiet = expected.outcome.startsWith('ignored') || expected.outcome === 'alive'
        const seen = await outcome(t, url, send, replied, quiet ? 100 : (expected.withinMs ?? 2500))
        const what = `${seen.close} ${[...new Set(codesOf(seen))]}`
        if (expected.outcome === 'ws-close') t.ok(closed(seen), what)
        else if (expected.outcome === 'ws-reply') t.ok(replied(seen), what)
        else if (expected.outcome === 'ws-reply-or-close') t.ok(replied(seen) || closed(seen), what)
        else if (expected.outcome === 'ignored-or-close') t.ok(closed(seen) || seen.frames.length === 0, what)
        for (const word of ['CANARY', ...(expected.bodyMustNotContain ?? [])]) {
          t.notOk(JSON.stringify(seen.frames).includes(word), word)
        }
        if (expected.rssGrowthMaxMB !== undefined) {
          t.ok((process.memoryUsage().rss - before) / 2 ** 20 < expected.rssGrowthMaxMB)
        }
        await alive(t, control, id)
      })
    }
  })
}

t.test('an ill-behaved server harms no app that connects to it', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'lucilius.v1' })
  t.teardown(() => server.close())
  await once(server, 'listening')
  const told = { kind: 'announcement', wire: 1, name: 'bad', instance: 'bad', subscriptions: [] }
  const actions = [{ pattern: 'role:convert,cmd:rate', service: 'bad' }]
  const answered: Frame[] = []
  let bad = ''
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      const content = JSON.parse(String(data))
      for (const frame of Array.isArray(content) ? content : [content]) {
        if (frame.kind === 'announcement') socket.send(JSON.stringify({ ...told, actions }))
        if (frame.kind === 'reply') answered.push(frame)
        if (frame.kind !== 'act') continue
        socket.send(bad)
        socket.send(JSON.stringify({ kind: 'reply', id: frame.id, reply: { rate: 0.91 } }))
      }
    })
  })
  const { port } = server.address() as { port: number }
  const app = lucilius({ drainMs: 100 })
  t.teardown(() => app.close())
  app.add('role:internal,cmd:secret', () => SECRET)
  await app.connect(websocket({ url: `ws://127.0.0.1:${port}` }))
  for (const { id, name, input, expected } of of('ws-reply')) {
    bad = inOurs(input)
    t.match(await app.act('role:convert,cmd:rate'), { rate: 0.91 }, `${id} ${name}: ${expected.outcome}`)
  }
  // Between peers an act from the other end is no error: it is answered as not found, since nothing is exposed to it.
  for (const { error } of answered) t.match(error, { code: 'LUC_ACTION_NOT_FOUND' })
  t.notOk(JSON.stringify(answered).includes(SECRET))
  for (const strange of [
    '[{}]',
    '[[]]',
    'null',
    '{"kind":"reply","id":"x"}',
    '{"kind":"reply"}',
    '{"kind":"cancel"}',
  ]) {
    bad = strange
    t.match(await app.act('role:convert,cmd:rate'), { rate: 0.91 }, strange)
  }
  bad = 'no JSON'
  const lost = app.act('role:convert,cmd:rate').then(
    () => 'answered',
    ({ handled }) => handled,
  )
  t.equal(await lost, 'unknown')
})

t.test('a reply that cannot be read is unknown at once, not at the deadline', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'lucilius.v1' })
  t.teardown(() => server.close())
  await once(server, 'listening')
  let reply: (id: unknown) => string = () => ''
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      const { kind, id } = JSON.parse(String(data))
      if (kind === 'announcement') {
        const actions = [{ pattern: 'a:1', service: 'bad' }]
        socket.send(JSON.stringify({ kind, wire: 1, name: 'bad', instance: 'bad', subscriptions: [], actions }))
      } else if (kind === 'act') socket.send(reply(id))
    })
  })
  const { port } = server.address() as { port: number }
  const app = lucilius({ drainMs: 100 })
  t.teardown(() => app.close())
  await app.connect(websocket({ url: `ws://127.0.0.1:${port}` }))
  const deep = `${'['.repeat(100)}${']'.repeat(100)}`
  const wrong: readonly ((id: unknown) => string)[] = [
    (id) => `{"kind":"reply","id":${id},"reply":{"__proto__":1}}`,
    (id) => `{"kind":"reply","id":${id},"reply":${deep}}`,
    (id) => `{"kind":"reply","id":${id},"error":1}`,
    (id) => `[{"kind":"reply","id":${id},"error":{"code":""}}]`,
  ]
  for (const make of wrong) {
    reply = make
    const failure = app.act('a:1').then(
      () => undefined,
      (error) => ({ code: error.code, handled: error.handled }),
    )
    t.strictSame(await failure, { code: 'LUC_WIRE_INVALID', handled: 'unknown' }, make(1).slice(0, 60))
  }
})
