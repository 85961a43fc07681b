import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ActionError, type Context, type ListenOptions, lucilius } from '../../../lib/index.js'
import { type HttpOptions, http } from '../../../transports/http/index.js'
import { statusByCode, statusOf } from '../../../transports/http/status.js'
import { eventually, gate } from '../../core/eventually.js'
import { repoRoot } from '../../support/repo-root.js'
import { ask, post } from './ask.js'

/** An app with a few actions that listens for clients. */
async function serve(t: Test, options: Partial<ListenOptions> = {}, more: HttpOptions = {}) {
  const app = lucilius({ name: 'served', parity: 'off', drainMs: 200 })
  t.teardown(() => app.close())
  app.add('a:1', ({ reply }) => reply)
  app.add('a:meta', (_message, { meta }) => meta)
  app.add('a:hidden', () => 'hidden')
  app.add('a:refuses', () => {
    throw new ActionError('RATE_UNKNOWN', 'No rate from XYZ to EUR', { from: 'XYZ' })
  })
  const expose = ['a:1', 'a:meta', 'a:refuses', 'a:slow']
  const listener = await app.listen(http({ port: 0, ...more }), { expose, ...options })
  return { app, listener, url: listener.url }
}

t.test('each code has the HTTP status that the page on errors says', (t) => {
  const page = readFileSync(join(repoRoot(), 'docs/errors.md'), 'utf8')
  const rows = [...page.matchAll(/^\| \[`(LUC_\w+)`\].*\| *(\d+|–) *\|$/gm)].map(([, code, status]) => [code, status])
  const known = rows.filter(([, status]) => status !== '–').map(([code, status]) => [code, Number(status)])
  t.ok(known.length > 15)
  t.strictSame(Object.fromEntries(known), statusByCode)
  t.equal(statusOf('RATE_UNKNOWN'), 422, "an action's own code")
  t.equal(statusOf('LUC_NOT_PORTABLE'), 500, 'a code that has none')
  t.equal(statusOf('toString'), 422)
  t.end()
})

t.test('the bare message is the body, and the bare reply is the answer', async (t) => {
  const { url } = await serve(t)
  for (const reply of [{ x: [1, null] }, [1], 'text', 1.5, 0, true, false, null, 'ü€😀']) {
    const { status, headers, text } = await post(url, { a: 1, reply })
    t.equal(status, 200)
    t.equal(text, JSON.stringify(reply))
    t.equal(headers['content-type'], 'application/json; charset=utf-8')
    t.equal(headers['content-length'], String(Buffer.byteLength(text)))
  }
  t.match(await post(url, { a: 1 }), { status: 204, text: '' }, 'undefined is no content')
})

t.test('an answer says nothing of the software that gives it', async (t) => {
  const { url } = await serve(t)
  for (const { headers } of [await post(url, { a: 1 }), await ask(url), await ask(`${url}/health`)]) {
    t.notOk(headers.server ?? headers['x-powered-by'])
  }
})

t.test('an error is a body with code, message and handled, and the status of its code', async (t) => {
  const { url } = await serve(t)
  const refused = await post(url, { a: 'refuses' })
  t.equal(refused.status, 422)
  t.strictSame(refused.body, {
    error: { code: 'RATE_UNKNOWN', message: 'No rate from XYZ to EUR', handled: 'yes', details: { from: 'XYZ' } },
  })
  t.match(await post(url, '{"a":'), { status: 400, body: { error: { code: 'LUC_WIRE_INVALID', handled: /^no$/ } } })
  t.match(await post(url, '[1]'), { status: 400, body: { error: { code: 'LUC_MESSAGE_INVALID', handled: /^no$/ } } })
})

t.test('what is not exposed and what is not there are answered alike, byte for byte', async (t) => {
  const { url } = await serve(t)
  const [hidden, unknown] = [await post(url, { a: 'hidden' }), await post(url, { a: 'unknown' })]
  t.equal(hidden.status, 404)
  t.equal(hidden.text, unknown.text)
})

t.test('a message is JSON, and sent as such', async (t) => {
  const { url } = await serve(t)
  const body = '{"a":1,"reply":1}'
  const expected = { status: 415, body: { error: { code: 'LUC_UNSUPPORTED_MEDIA', handled: /^no$/ } } }
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'multipart/form-data',
    'x',
  ]) {
    t.match(await post(url, body, { 'content-type': type }), expected, type)
  }
  t.match(await post(url, body, { 'content-encoding': 'gzip' }), expected)
  t.match(await ask(`${url}/act`, { method: 'POST' }), expected, 'no body and no type')
  t.match(await post(url, body, { 'content-type': 'Application/JSON; charset=UTF-8' }), { status: 200 })
})

t.test(
  'another method is 405 with those that are allowed, and another path 404, in the form of every error',
  async (t) => {
    const { url } = await serve(t)
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD']) {
      const { status, headers, text } = await ask(`${url}/act`, { method })
      t.equal(status, 405, method)
      t.equal(headers.allow, 'POST')
      if (method !== 'HEAD') t.match(JSON.parse(text), { error: { code: 'LUC_METHOD_NOT_ALLOWED', handled: /^no$/ } })
    }
    t.match(await ask(`${url}/health`, { method: 'POST', body: {} }), { status: 405, headers: { allow: 'GET, HEAD' } })
    for (const path of ['/', '/nope', '/act/', '/ACT', '//act', '/health/x']) {
      const asked = path === '/' ? { method: 'POST', body: 'x', headers: { 'content-type': 'text/plain' } } : {}
      t.match(await ask(url + path, asked), { status: 404, body: { error: { handled: /^no$/ } } }, path)
    }
  },
)

t.test('health and readiness are there for everybody, with HEAD as with GET', async (t) => {
  const { app, url } = await serve(t, { auth: () => false })
  for (const path of ['/health', '/ready']) {
    const { status, headers } = await ask(url + path)
    const head = await ask(url + path, { method: 'HEAD' })
    t.equal(status, 200)
    t.match(head, { status: 200, text: '' })
    t.equal(head.headers['content-length'], headers['content-length'])
  }
  app.add('a:slow', () => new Promise((resolve) => setTimeout(resolve, 100, 'slow')))
  const closing = app.act('a:slow').then(() => {})
  const closed = app.close()
  t.match(await ask(`${url}/health`), { status: 200 }, 'it lives while it drains')
  t.match(await ask(`${url}/ready`), { status: 503, headers: { connection: 'close' } })
  await Promise.all([closing, closed])
})

t.test('a client learns nothing: the paths of peers are like any other path', async (t) => {
  const { url } = await serve(t)
  const unknown = await ask(`${url}/nowhere`)
  for (const [path, method] of [
    ['/patterns', 'GET'],
    ['/patterns', 'HEAD'],
    ['/patterns', 'POST'],
    ['/stream', 'GET'],
    ['/stream', 'DELETE'],
    ['/stream/x', 'PUT'],
    ['/stream/x', 'POST'],
  ] as const) {
    const seen = await ask(url + path, { method })
    t.equal(seen.status, unknown.status)
    t.equal(seen.text, method === 'HEAD' ? '' : unknown.text)
    t.strictSame({ ...seen.headers, date: '' }, { ...unknown.headers, date: '' }, `${method} ${path}`)
  }
})

t.test('the time and the trace of a client count', async (t) => {
  const { app, url } = await serve(t)
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const { body } = await post(url, { a: 'meta' }, { traceparent, 'lucilius-timeout-ms': '2000' })
  const meta = body as Context['meta']
  t.match(meta.traceparent, /^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/)
  t.ok(meta.deadline - Date.now() < 2100 && meta.deadline > Date.now())
  t.match(
    await post(url, { a: 'meta' }, { traceparent: 'nonsense' }),
    { status: 200 },
    'what cannot be read is no trace',
  )
  app.add('a:slow', () => new Promise(() => {}))
  t.match(await post(url, { a: 'slow' }, { 'lucilius-timeout-ms': '40' }), {
    status: 504,
    body: { error: { code: 'LUC_DEADLINE_EXCEEDED', handled: 'unknown' } },
  })
  t.match(await post(url, { a: 'meta' }, { 'lucilius-timeout-ms': '0' }), {
    status: 504,
    body: { error: { code: 'LUC_DEADLINE_EXCEEDED', handled: /^no$/ } },
  })
  for (const time of ['NaN', '-1', 'Infinity', '0x10', '1e3', ' ', '1, 2']) {
    t.match(
      await post(url, { a: 'meta' }, { 'lucilius-timeout-ms': time }),
      { status: 400, body: { error: { code: 'LUC_WIRE_INVALID' } } },
      `'${time}'`,
    )
  }
})

t.test('nothing that only a peer may say counts from a client', async (t) => {
  const { url } = await serve(t)
  const { status, body } = await post(
    url,
    { a: 'meta' },
    {
      'lucilius-id': 'forged',
      'lucilius-hops': '1000',
      'lucilius-to': 'a:hidden',
      'lucilius-below': 'a:1,b:2',
      'lucilius-by': 'a:hidden',
      'lucilius-identity': encodeURIComponent('{"admin":true}'),
      'lucilius-connection': 'any',
      'lucilius-retried': '1',
    },
  )
  t.equal(status, 200)
  t.match(body, { hops: 1 })
  t.not((body as Context['meta']).id, 'forged')
  t.notOk((body as Context['meta']).identity)
  t.notOk((body as Context['meta']).peer)
  const unreadable = { 'lucilius-hops': 'x', 'lucilius-to': '%', 'lucilius-identity': '{' }
  t.match(await post(url, { a: 'meta' }, unreadable), { status: 200 }, 'it is not even read')
})

t.test('a client may emit what the listener lets in, and is not told what that is', async (t) => {
  const { app, url } = await serve(t, { events: { in: ['e:in'] } })
  const seen: unknown[] = []
  app.on('e:*', ({ e }) => void seen.push(e))
  const emit = (body: unknown) => ask(`${url}/event`, { method: 'POST', body })
  t.match(await emit({ e: 'out' }), { status: 204, text: '' })
  t.match(await emit({ e: 'in' }), { status: 204, text: '' })
  t.match(await emit([]), { status: 400 })
  await eventually(() => seen.length > 0)
  t.strictSame(seen, ['in'])
})

t.test('a client that goes away cancels its call', async (t) => {
  const { app, url } = await serve(t)
  const [started, aborted] = [gate(), gate<unknown>()]
  app.add('a:slow', (_message, { signal }) => {
    signal.addEventListener('abort', () => aborted.open(signal.reason))
    started.open()
    return new Promise(() => {})
  })
  const controller = new AbortController()
  const headers = { 'content-type': 'application/json' }
  const call = fetch(`${url}/act`, { method: 'POST', headers, body: '{"a":"slow"}', signal: controller.signal })
  await started.opened
  controller.abort()
  await t.rejects(call)
  t.match(await aborted.opened, { code: 'LUC_CANCELLED' })
})

t.test('requests that come on one socket without waiting are answered in their order', async (t) => {
  const { app, url } = await serve(t)
  const first = gate()
  app.add('a:slow', () => first.opened.then(() => 'slow'))
  const { connect } = await import('node:net')
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  t.teardown(() => socket.destroy())
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part
  })
  for (const body of ['{"a":"slow"}', '{"a":1,"reply":"next"}']) {
    const head = `POST /act HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
    socket.write(head + body)
  }
  setImmediate(() => first.open())
  await eventually(() => text.includes('"next"'))
  t.ok(text.indexOf('"slow"') < text.indexOf('"next"'))
})
