import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import t from 'tap'
import { lucilius } from '../../../lib/index.js'
import { http } from '../../../transports/http/index.js'
import { failureOf } from '../../core/failure.js'
import { badInputs, complaint, sendRaw, stepsOf } from '../../support/bad-inputs.js'
import { badInputsApp, exposed, limits } from '../../support/bad-inputs-fixture.js'

const MiB = 1024 * 1024

/** Asks what any client may ask, within a second. */
function goodCall(url: string): Promise<boolean> {
  const headers = { 'content-type': 'application/json' }
  return new Promise((resolve) => {
    const call = request(`${url}/act`, { method: 'POST', headers, timeout: 1000 }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode === 200))
    })
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(false))
    call.end('{"role":"convert","cmd":"rate","amount":1}')
  })
}

t.test('each hostile or broken request is answered as expected, and the next good one is answered, too', async (t) => {
  const app = badInputsApp()
  t.teardown(() => app.close())
  const { url } = await app.listen(http({ port: 0, ...limits }), { expose: exposed })
  const address = { host: new URL(url).host }
  const records = badInputs('http-raw')
  t.equal(records.length, 45)
  const before = process.memoryUsage().rss
  for (const record of records) {
    const seen = await sendRaw(stepsOf(record, address), address, record.expected.withinMs ?? 6000)
    t.equal(complaint(seen, record.expected), undefined, `${record.id} ${record.name}`)
    t.ok(await goodCall(url), `a good call after ${record.id}`)
  }
  t.ok(process.memoryUsage().rss - before < 200 * MiB, 'memory stays bounded')
})

t.test('each hostile or broken reply is refused, and followed nowhere', async (t) => {
  const records = badInputs('http-reply')
  t.equal(records.length, 5)
  for (const record of records) {
    const bytes = stepsOf(record, { host: '' }) as Buffer[]
    const server = createServer((socket) => {
      socket.on('error', () => {}) // The other side may go at any time.
      socket.on('data', () => socket.write(Buffer.concat(bytes)))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const app = lucilius({ timeoutMs: 3000 })
    await app.connect(http({ url: `http://127.0.0.1:${port}` }), { patterns: ['a:1'] })
    const before = process.memoryUsage().rss
    const error = await failureOf(app.act('a:1'))
    t.ok(record.expected.code?.includes(error.code), `${record.id} ${record.name}: ${error.code}`)
    t.not(error.retryable, true, 'it cannot make itself worth repeating')
    t.equal(({} as { polluted?: unknown }).polluted, undefined)
    const most = (record.expected.rssGrowthMaxMB ?? 64) * MiB
    t.ok(process.memoryUsage().rss - before < most, 'memory does not grow')
    await app.close()
    server.close()
  }
})

t.test('memory does not grow with bad requests', async (t) => {
  const app = badInputsApp()
  t.teardown(() => app.close())
  const { url } = await app.listen(http({ port: 0, ...limits }), { expose: exposed })
  const address = { host: new URL(url).host }
  const quick = badInputs('http-raw').filter(({ name }) => !/silence|throws|timeout|10 GiB|MiB/.test(name))
  const all = async () => {
    for (const record of quick) await sendRaw(stepsOf(record, address), address, 3000)
  }
  await all()
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  for (let round = 0; round < 3; round++) await all()
  globalThis.gc?.()
  const growth = process.memoryUsage().heapUsed - before
  t.ok(growth < 24 * MiB, `${Math.round(growth / 1024)} KiB after ${quick.length * 3} requests`)
})
