import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fastify from 'fastify'
import t, { type Test } from 'tap'
import { type App, lucilius, sharedSecret } from '../../../lib/index.js'
import { http } from '../../../transports/http/index.js'
import { failureOf } from '../../core/failure.js'
import { ask, post } from './ask.js'

const auth = sharedSecret('a-secret-of-the-system')

function made(t: Test): App {
  const app = lucilius({ parity: 'off', drainMs: 100 })
  t.teardown(() => app.close())
  app.add('a:1', ({ n }) => ({ n }))
  return app
}

t.test('it mounts into a fastify app, beside its routes and within its hooks, and leaves the rest to it', async (t) => {
  const host = fastify()
  t.teardown(() => host.close())
  host.addHook('onSend', async (_request, reply) => void reply.header('x-host', 'yes'))
  host.get('/own', () => 'own')
  host.post('/echo', (request) => request.body)
  const app = made(t)
  const listener = await app.listen(http({ fastify: host, prefix: '/api' }), { expose: '*' })
  t.equal(listener.url, '/api')
  const url = await host.listen({ port: 0, host: '127.0.0.1' })
  t.match(await post(`${url}/api`, { a: 1, n: 2 }), { status: 200, body: { n: 2 }, headers: { 'x-host': 'yes' } })
  t.match(await ask(`${url}/api/ready`), { status: 200 })
  t.match(await ask(`${url}/api/nope`), { status: 404, body: { error: { handled: 'no' } } })
  t.match(await ask(`${url}/api/act`), { status: 405, headers: { allow: 'POST' } })
  t.match(await ask(`${url}/own`), { text: 'own' })
  t.match(await ask(`${url}/nope`), { status: 404, body: { statusCode: 404 } }, "the owner's own answer")
  t.match(
    await ask(`${url}/echo`, { method: 'POST', body: { x: 1 } }),
    { body: { x: 1 } },
    'its parsers are as they were',
  )
  await app.close()
  t.match(await post(`${url}/api`, { a: 1 }), { status: 503, body: { error: { code: 'LUC_SERVICE_CLOSED' } } })
  t.match(await ask(`${url}/own`), { text: 'own' }, 'and it goes on without us')
})

t.test('it mounts without a prefix, and twice with two', async (t) => {
  const host = fastify()
  t.teardown(() => host.close())
  await made(t).listen(http({ fastify: host }), { expose: '*' })
  await made(t).listen(http({ fastify: host, prefix: '/peers' }), { expose: '*', audience: 'peers', auth })
  const url = await host.listen({ port: 0, host: '127.0.0.1' })
  t.match(await post(url, { a: 1, n: 1 }), { status: 200 })
  const caller = lucilius({ parity: 'off' })
  t.teardown(() => caller.close())
  await caller.connect(http({ url: `${url}/peers` }), { auth })
  t.strictSame(await caller.act('a:1', { n: 5 }), { n: 5 })
  t.match(await failureOf(made(t).listen(http({ fastify: host, prefix: '/late' }), { expose: '*' })), {
    code: 'LUC_LISTEN_FAILED',
    message: /before the app is ready/,
  })
})

t.test('its handler serves node:http, and Express, which cuts off the path', async (t) => {
  const app = made(t)
  const transport = http({ server: false })
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/luc/') === true) {
      request.url = request.url.slice(4)
      transport.handler(request, response)
    } else response.end('own')
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  t.match(await post(`${url}/luc`, { a: 1 }), { status: 503, body: { error: { handled: /^no$/ } } }, 'not open yet')
  const listener = await app.listen(transport, { expose: '*', audience: 'peers', auth })
  t.equal(listener.url, '/')
  const caller = lucilius({ parity: 'off' })
  t.teardown(() => caller.close())
  await caller.connect(http({ url: `${url}/luc` }), { auth })
  t.strictSame(await caller.act('a:1', { n: 1 }), { n: 1 })
  t.match(await ask(`${url}/other`), { text: 'own' })
  await app.close()
  t.match(await ask(`${url}/other`), { text: 'own' }, 'the server is not ours to close')
})

t.test('the url has the prefix, and leads there', async (t) => {
  const { url } = await made(t).listen(http({ port: 0, prefix: '/api/v1' }), { expose: '*', audience: 'peers' })
  t.match(url, /^http:\/\/127\.0\.0\.1:\d+\/api\/v1$/)
  t.match(await post(url, { a: 1, n: 1 }), { status: 200 })
  t.match(await post(url.slice(0, -3), { a: 1 }), { status: 404 })
  const caller = lucilius({ parity: 'off' })
  t.teardown(() => caller.close())
  await caller.connect(http({ url }))
  t.strictSame(await caller.act('a:1', { n: 1 }), { n: 1 })
})

t.test('options of TLS pass through, at both ends', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lucilius-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  try {
    execFileSync('openssl', ['req', '-x509', ...curve, '-nodes', '-keyout', key, '-out', cert, ...subject], {
      stdio: 'ignore',
    })
  } catch {
    t.pass('there is no openssl here to make a certificate with')
    return
  }
  const tls = { key: readFileSync(key), cert: readFileSync(cert) }
  const { url } = await made(t).listen(http({ port: 0, tls }), { expose: '*', audience: 'peers' })
  t.match(url, /^https:/)
  const caller = lucilius({ parity: 'off' })
  t.teardown(() => caller.close())
  await caller.connect(http({ url, tls: { ca: tls.cert } }))
  t.strictSame(await caller.act('a:1', { n: 1 }), { n: 1 })
  const distrustful = http({ url })
  const observer = {
    tell: () => ({}),
    onTell: () => () => {},
    hear: () => {},
    receive: async () => ({}),
    lost: () => {},
  }
  t.match(
    await failureOf(distrustful.connect(observer as never)),
    { code: 'LUC_UNREACHABLE' },
    'nobody else is trusted',
  )
})
