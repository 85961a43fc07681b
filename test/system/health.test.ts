import t from 'tap'
import { type Health, openHealth } from '../../lib/system/health/health.js'
import { failureOf } from '../core/failure.js'

t.test('a process tells that it lives, and whether it takes work', async (t) => {
  let health: Health = 'starting'
  const door = await openHealth({ host: '127.0.0.1', port: 0 }, () => health)
  t.teardown(() => door.close())
  const seen: unknown[] = []
  for (const now of ['starting', 'ready', 'draining'] as const) {
    health = now
    for (const path of ['/health', '/ready']) {
      const response = await fetch(`${door.url}${path}`)
      seen.push([path, response.status, await response.json()])
    }
  }
  t.same(seen, [
    ['/health', 200, { status: 'starting' }],
    ['/ready', 503, { status: 'starting' }],
    ['/health', 200, { status: 'ready' }],
    ['/ready', 200, { status: 'ready' }],
    ['/health', 200, { status: 'draining' }],
    ['/ready', 503, { status: 'draining' }],
  ])
})

t.test('it tells nothing else, and takes nothing', async (t) => {
  const door = await openHealth({ host: '127.0.0.1', port: 0 }, () => 'ready')
  t.teardown(() => door.close())
  const asked = await Promise.all([
    fetch(`${door.url}/`),
    fetch(`${door.url}/patterns`),
    fetch(`${door.url}/ready`, { method: 'POST', body: '{}' }),
    fetch(`${door.url}/ready?x=1`),
    fetch(`${door.url}/ready`, { method: 'HEAD' }),
  ])
  t.same(
    asked.map(({ status }) => status),
    [404, 404, 405, 200, 200],
  )
})

t.test('a port that is taken is named', async (t) => {
  const door = await openHealth({ host: '127.0.0.1', port: 0 }, () => 'ready')
  t.teardown(() => door.close())
  const port = Number(new URL(door.url).port)
  const error = await failureOf(openHealth({ host: '127.0.0.1', port }, () => 'ready'))
  t.match(error, { code: 'LUC_LISTEN_FAILED', message: new RegExp(`health checks.*port ${port}.*taken`) })
})
