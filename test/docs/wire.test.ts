import { createHmac } from 'node:crypto'
import { on, once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { WebSocket } from 'ws'
import { ActionError, type App, lucilius } from '../../lib/index.js'
import { readAnnouncement } from '../../lib/peers/announcement.js'
import { proofOf, readProofFields } from '../../lib/proof-text.js'
import { type Observer, toEnvelope, toMeta, toOutcome } from '../../lib/transport-kit.js'
import { http } from '../../transports/http/index.js'
import { websocket } from '../../transports/websocket/index.js'
import { docPages } from './pages.js'

/** A sample of the page: its mark, and what stands in it. */
interface Sample {
  readonly mark: string
  readonly body: string
}

/** A message of a frame, as far as it is looked at. */
interface Told {
  readonly kind: string
  readonly id?: string | number
  readonly instance?: string
}

/** What tells a message of a frame from the others: kind and id, or what a row starts with. */
function headOf(message: Told | readonly unknown[]): string {
  return Array.isArray(message) ? `row ${message[0]}` : `${(message as Told).kind} ${(message as Told).id}`
}

const page = docPages().find(({ path }) => path === 'docs/wire.md')?.text ?? ''
const samples: readonly Sample[] = [...page.matchAll(/^```(json [\w-]+|http(?: peers)?)\n(.*?)\n```$/gms)].map(
  ({ 1: mark = '', 2: body = '' }) => ({ mark, body }),
)
const call = { onCancel: undefined }

t.test('each envelope of the page is read as it stands there', async (t) => {
  const envelopes = marked(t, 'json act', 'json event')
  for (const { body } of envelopes) t.strictSame(toEnvelope(parse(body)), { meta: {}, ...parse(body) })
})

t.test('each act of the page has the outcome that follows it', async (t) => {
  const observer = await overNoWire(rates(t))
  const acts = marked(t, 'json act', 'json outcome')
  t.strictSame(
    acts.map(({ mark }) => mark),
    acts.map((_, index) => (index % 2 === 0 ? 'json act' : 'json outcome')),
    'they come in pairs',
  )
  for (const [act, outcome] of pairs(acts)) {
    const expected = toOutcome(parse(outcome))
    t.strictSame(expected, parse(outcome))
    t.strictSame(JSON.parse(JSON.stringify(await observer.receive(toEnvelope(parse(act)), call))), expected)
  }
})

t.test('the announcement of the page is that of its app, and is read', async (t) => {
  const observer = await overNoWire(rates(t))
  for (const { body } of marked(t, 'json announcement')) {
    const { instance } = readAnnouncement(parse(body))
    t.strictSame(JSON.parse(JSON.stringify({ ...observer.tell(), instance })), parse(body))
    for (const wire of [2, '1', undefined]) {
      t.throws(() => readAnnouncement({ ...parse(body), wire }), { code: 'LUC_WIRE_INVALID' })
    }
  }
})

t.test('what the page calls unknown passes by or is refused, as it says', async (t) => {
  const [act] = marked(t, 'json act')
  const envelope = parse(act?.body ?? '')
  t.strictSame(toEnvelope({ ...envelope, colour: 1 }), envelope)
  t.throws(() => toEnvelope({ ...envelope, kind: 'order' }), { code: 'LUC_WIRE_INVALID' })
  t.throws(() => toEnvelope({ ...envelope, message: [] }), { code: 'LUC_MESSAGE_INVALID' })
  for (const meta of [{ timeoutMs: -1 }, { hops: 0.5 }, { id: 1 }, { traceparent: 1 }, 'text']) {
    t.throws(() => toEnvelope({ ...envelope, meta }), { code: 'LUC_WIRE_INVALID' }, JSON.stringify(meta))
  }
})

t.test('each request of a client has the answer that follows it', async (t) => {
  const { url } = await rates(t).listen(http({ port: 0 }), { expose: '*', events: { in: '*' } })
  for (const [question, answer] of pairs(marked(t, 'http'))) await exchange(t, url, question, answer)
})

t.test('each request of a peer has the answer that follows it, and its stream begins as the page says', async (t) => {
  const app = rates(t)
  const settings = { expose: '*', events: { in: '*', out: '*' }, audience: 'peers' } as const
  const { url } = await app.listen(http({ port: 0 }), settings)
  const asked = request(new URL('/stream', url), { agent: false }).end()
  t.teardown(() => asked.destroy())
  const [response] = await once(asked, 'response')
  const arriving = on(response.setEncoding('utf8'), 'data')
  const nextData = async () => String((await arriving.next()).value[0]).replace(/^event: \w+\ndata: /, '')
  const stream = /^event: hello\ndata: (.*)\n\nevent: event\ndata: (.*)$/m.exec(page) ?? []
  const [hello, event] = stream.slice(1).map(parse)
  const { connection, ...rest } = parse(await nextData())
  const announcement = { ...(rest.announcement as object), instance: '8f2e6c1d4b7a4f0e' }
  t.strictSame({ ...rest, connection: 'ID', announcement }, hello)
  for (const [question, answer] of pairs(marked(t, 'http peers'))) {
    await exchange(t, url, question.replace(/\bID\b/, String(connection)), answer)
  }
  t.strictSame(toEnvelope(event), event)
  await app.emit('role:rates,event:changed,pair:usd_eur')
  const { meta, ...sent } = parse(await nextData())
  t.strictSame({ ...sent, meta: event?.meta }, event)
  toMeta(meta)
})

t.test('each frame of the page has the answer that follows it, to clients and to peers', async (t) => {
  for (const [audience, prefix] of [
    ['clients', ''],
    ['peers', 'peer-'],
  ] as const) {
    const { url } = await rates(t).listen(websocket({ port: 0 }), { expose: '*', events: { in: '*' }, audience })
    const { send, received } = await connected(t, url)
    for (const [question, answer] of pairs(marked(t, `json ${prefix}sent`, `json ${prefix}received`))) {
      send(question)
      const expected: Told[] = [JSON.parse(answer)].flat()
      const messages: Told[] = []
      while (messages.length < expected.length) messages.push(await received())
      for (const one of expected) {
        const message = messages.find((given) => headOf(given) === headOf(one))
        if (Array.isArray(one)) t.strictSame(message, one)
        else t.strictSame({ ...message, ...(one.instance && { instance: one.instance }) }, one)
        if (one.kind === 'announcement') readAnnouncement(one)
      }
    }
  }
})

t.test('an event of the page reaches the subscriptions of its app, whoever sends it', async (t) => {
  const app = rates(t)
  const { url } = await app.listen(websocket({ port: 0 }), { expose: '*', events: { in: '*' } })
  const { send } = await connected(t, url)
  for (const { body } of marked(t, 'json observed')) {
    const observed = new Promise((resolve) => app.on('role:rates', { each: 'instance' }, resolve))
    send(body)
    t.strictSame(await observed, parse(body).message)
  }
})

t.test('a table of the page stands for the messages that follow it', async (t) => {
  const [announcement] = marked(t, 'json peer-sent')
  for (const [table, expected] of pairs(marked(t, 'json table', 'json messages'))) {
    const app = rates(t)
    const messages: unknown[] = JSON.parse(expected)
    const seen: unknown[] = []
    const all = new Promise<void>((resolve) => {
      app.on('role:rates', { each: 'instance' }, (message) => {
        if (seen.push(message) === messages.length) resolve()
      })
    })
    const { url } = await app.listen(websocket({ port: 0 }), { expose: '*', events: { in: '*' }, audience: 'peers' })
    const { send } = await connected(t, url)
    send(announcement?.body ?? '')
    send(table)
    await all
    t.strictSame(seen, messages)
  }
})

t.test('the proofs of the page are those of its secret', async (t) => {
  const [, text = ''] = /^## Proofs\n.*?^```text\n(.*?)\n```$/ms.exec(page) ?? []
  const said = text
    .split('\n\n')
    .map((head) => readProofFields(head.replace(/^(Host: .*\n)?[\w-]+: /, '')) ?? new Map())
  const [hello, challenge, answer] = said
  t.strictSame([...(hello?.keys() ?? [])], ['hello'])
  const [ours = '', nonce = ''] = [hello?.get('hello'), challenge?.get('nonce')]
  const secret = /In the sample the secret is `([^`]+)`/.exec(page)?.[1] ?? ''
  const [, host = ''] = /^Host: (.*)$/m.exec(text) ?? []
  t.equal(challenge?.get('proof'), proofOf(secret, 'listener', ours, nonce, host))
  const proof = proofOf(secret, 'connector', ours, nonce, host)
  t.strictSame(Object.fromEntries(answer ?? []), { hello: ours, nonce, proof })
  const signed = createHmac('sha256', secret).update(['lucilius.v1 connector', ours, nonce, host].join('\n'))
  t.equal(signed.digest('base64url'), proof, 'and they sign what the page says')
})

t.test('each sample of the page is tried', async (t) => {
  const overNoWire = ['act', 'event', 'outcome', 'announcement']
  const framed = ['sent', 'received', 'peer-sent', 'peer-received', 'observed', 'table', 'messages']
  const tried = ['http', 'http peers', ...[...overNoWire, ...framed].map((mark) => `json ${mark}`)]
  for (const { mark } of samples) t.ok(tried.includes(mark), mark)
  t.notMatch(page, /^```json\n/m, 'and all say what they are')
})

/** The app that the page describes. */
function rates(t: Test): App {
  const app = lucilius({ name: 'rates', parity: 'strict' })
  app.add('role:rates,cmd:get', { idempotent: true }, ({ pair }) => {
    if (pair === 'usd_eur') return { pair, rate: 0.5 }
    throw new ActionError('PAIR_UNKNOWN', 'There is no rate of this pair.', { pair })
  })
  app.on('role:rates,event:wanted', () => {})
  t.teardown(() => app.close())
  return app
}

/** The half of a connection that an app gives to a transport. */
async function overNoWire(app: App): Promise<Observer> {
  let observer: Observer | undefined
  await app.listen(
    {
      name: 'none',
      audience: 'peers',
      local: true,
      listen: async (receiver) => {
        observer = receiver.accept(undefined, {})
        return { url: 'none:', close: async () => {} }
      },
      connect: () => Promise.reject(new Error('It only listens.')),
    },
    { expose: '*', events: { in: '*' } },
  )
  return observer as Observer // It listens.
}

/** A socket, and the messages that come over it, one by one in whatever frames. */
async function connected(t: Test, url: string) {
  const socket = new WebSocket(url, 'lucilius.v1')
  t.teardown(() => socket.terminate())
  const frames = on(socket, 'message')
  const messages: Told[] = []
  await once(socket, 'open')
  return {
    send: (frame: string) => socket.send(frame),
    received: async () => {
      while (messages.length === 0) messages.push(...[JSON.parse(String((await frames.next()).value[0]))].flat())
      return messages.shift() as Told // There is one.
    },
  }
}

function marked(t: Test, ...marks: readonly string[]): readonly Sample[] {
  const found = samples.filter(({ mark }) => marks.includes(mark))
  t.ok(found.length > 0, `there are samples: ${marks.join(', ')}`)
  return found
}

function pairs(list: readonly Sample[]): [string, string][] {
  return Array.from({ length: list.length / 2 }, (_, n) => [list[2 * n]?.body ?? '', list[2 * n + 1]?.body ?? ''])
}

/** Sends a request of the page and compares what comes back: the fields that are named there, and the whole body. */
async function exchange(t: Test, url: string, question: string, answer: string): Promise<void> {
  const [line = '', headers, body] = parts(question)
  const [method = '', path = ''] = line.split(' ')
  const sent = request(new URL(path, url), { method, headers, agent: false }).end(body)
  const [response] = await once(sent, 'response')
  const [status = '', expected, promised] = parts(answer)
  t.equal(`HTTP/1.1 ${response.statusCode} ${response.statusMessage}`, status, line)
  for (const [name, value] of Object.entries(expected)) t.equal(response.headers[name], value, name)
  const given = (await text(response)).replace(/"instance":"[^"]*"/, '"instance":"8f2e6c1d4b7a4f0e"')
  if (promised === '') t.equal(given, '')
  else t.strictSame(JSON.parse(given), JSON.parse(promised), line)
}

/** The first line, the header fields and the body of a request or an answer. */
function parts(block: string): [string, { [name: string]: string }, string] {
  const [head = '', ...body] = block.split('\n\n')
  const [line = '', ...fields] = head.trimEnd().split('\n')
  return [line, Object.fromEntries(fields.map((field) => field.split(': '))), body.join('\n\n')]
}

function parse(body: string): { [key: string]: unknown } {
  return JSON.parse(body) as { [key: string]: unknown } // The samples are objects.
}
