import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { etcdProvider } from '../../lib/system/discovery/etcd.js'
import { eventually } from '../core/eventually.js'
import { type Broker, skipWithout, startEtcd } from '../support/brokers.js'
import { heard } from './looking.js'

const skip = skipWithout('etcd')

// Most of what they do is wait for etcd.
t.jobs = 5

let shared: Promise<Broker> | undefined
t.teardown(async () => (await shared)?.end())
const etcd = () => {
  shared ??= startEtcd()
  return shared
}

let spaces = 0
const newSpace = () => `space-${++spaces}`

interface Asked {
  readonly servers: readonly string[]
  readonly space?: string
  readonly leaseMs?: number
  readonly user?: string
  readonly password?: string
  readonly groups?: readonly string[]
  readonly group?: string
}

/** A provider of a process with an address that tells it from others. */
function provider(t: Test, at: number, { groups, group = 'rates', space = 'shop', leaseMs = 2000, ...access }: Asked) {
  const one = etcdProvider({ leaseMs, space, ...access })
  t.teardown(() => one.close())
  const all = heard({ group, instance: `instance-${at}`, url: urlOf(at) }, groups)
  return { all, open: () => one.open(all.looking), close: () => one.close() }
}

const urlOf = (at: number) => `ws://127.0.0.1:${7000 + at}/ws`

/** What an operator does with etcd. */
async function operate(server: string, path: string, body: object, token?: string): Promise<Record<string, unknown>> {
  const headers = token === undefined ? {} : { authorization: token }
  const response = await fetch(`${server}/v3/${path}`, { method: 'POST', body: JSON.stringify(body), headers })
  const answer = (await response.json()) as Record<string, unknown>
  if (!response.ok) throw new Error(`${path}: ${answer.message}`)
  return answer
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
const put = (server: string, key: string, value: string) =>
  operate(server, 'kv/put', { key: base64(key), value: base64(value) })

t.test(
  'processes of a system find each other, and hear at once who comes and who goes',
  { skip, buffered: true },
  async (t) => {
    const { url } = await etcd()
    const space = newSpace()
    const asked = { servers: [url], space, groups: ['rates', 'convert'] }
    const first = provider(t, 1, asked)
    await first.open()
    await first.all.knows([urlOf(1)])
    t.same(first.all.told('convert').at(-1), [], 'that there are none is an answer')

    const second = provider(t, 2, { ...asked, group: 'convert' })
    const stranger = provider(t, 3, { ...asked, space: `${space}-2` })
    await Promise.all([second.open(), stranger.open()])
    t.same(second.all.told('rates').at(-1), [urlOf(1)], 'known when it has opened')
    await first.all.knows([urlOf(2)], 'convert')
    await stranger.all.knows([urlOf(3)])
    t.same(stranger.all.told('convert').at(-1), [], 'of another system')

    await second.close()
    await first.all.knows([], 'convert')
    t.same(first.all.told('rates').at(-1), [urlOf(1)])
    t.same([...first.all.lines, ...second.all.lines, ...stranger.all.lines], [])
  },
)

t.test('a process that was killed is forgotten when its lease is over', { skip, buffered: true }, async (t) => {
  const { url } = await etcd()
  const space = newSpace()
  const { all, open } = provider(t, 1, { servers: [url], space })
  await open()
  const program = fileURLToPath(new URL('./registered-child.js', import.meta.url))
  const stdio = ['pipe', 'pipe', 'inherit'] as const
  const child = spawn(process.execPath, [program, url, space, 'other', urlOf(2)], { stdio: [...stdio] })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  await all.knows([urlOf(1), urlOf(2)])
  const before = all.told().length
  await Promise.all([once(child, 'exit'), child.kill('SIGKILL')])
  await all.knows([urlOf(1)])
  t.ok(
    all
      .told()
      .slice(before, -1)
      .every((urls) => urls.length === 2),
  )
})

t.test(
  'an entry that is gone is written anew, as after a long sleep of the process',
  { skip, buffered: true },
  async (t) => {
    const { url } = await etcd()
    const space = newSpace()
    const watcher = provider(t, 1, { servers: [url], space, group: 'convert', leaseMs: 1000 })
    const sleeper = provider(t, 2, { servers: [url], space })
    await Promise.all([watcher.open(), sleeper.open()])
    await watcher.all.knows([urlOf(2)])
    const key = base64(`lucilius/${space}/rates/instance-2`)

    const { kvs } = (await operate(url, 'kv/range', { key })) as { kvs: { lease: string; value: string }[] }
    t.same(Buffer.from(kvs[0]?.value ?? '', 'base64').toString(), JSON.stringify({ url: urlOf(2) }))
    await operate(url, 'lease/revoke', { ID: kvs[0]?.lease })
    await watcher.all.knows([])
    await watcher.all.knows([urlOf(2)])

    await operate(url, 'kv/deleterange', { key })
    await watcher.all.knows([])
    await watcher.all.knows([urlOf(2)])
    await watcher.all.news()
    t.same(watcher.all.told().at(-1), [urlOf(2)], 'told again after a while without news')
  },
)

t.test(
  'while etcd is away what is known stands, and who starts then is found when it is back',
  { skip, buffered: true },
  async (t) => {
    const own = await startEtcd(t)
    const asked = { servers: [own.url] }
    const first = provider(t, 1, asked)
    const second = provider(t, 2, asked)
    await Promise.all([first.open(), second.open()])
    await first.all.knows([urlOf(1), urlOf(2)])

    await own.kill()
    await eventually(() => first.all.lines.length > 0)
    const before = first.all.told().length
    const late = provider(t, 3, asked)
    const began = performance.now()
    await late.open()
    t.ok(performance.now() - began < 1500, 'waits for nobody')
    t.same(late.all.told(), [])
    const warning = `warn: etcd cannot be reached at ${own.url} (ECONNREFUSED). Trying again; what is known stands.`
    await eventually(() => late.all.lines.filter((line) => line.startsWith('debug')).length > 3)
    t.same(
      late.all.lines.filter((line) => !line.startsWith('debug')),
      [warning],
      'said once',
    )
    t.equal(first.all.told().length, before)

    await own.restart()
    await first.all.knows([urlOf(1), urlOf(2), urlOf(3)])
    await late.all.knows([urlOf(1), urlOf(2), urlOf(3)])
    await eventually(() => late.all.lines.at(-1) === 'info: etcd answers')

    await own.kill()
    rmSync(join(own.folder, 'data'), { recursive: true })
    await own.restart()
    await first.all.knows([urlOf(1), urlOf(2), urlOf(3)])
    await first.all.news()
    await first.all.knows([urlOf(1), urlOf(2), urlOf(3)])
    const { count } = await operate(own.url, 'kv/range', { key: base64('lucilius/'), range_end: base64('lucilius0') })
    t.equal(count, '3', 'each has written itself down again')
  },
)

t.test('etcd asks who we are; what it forgot it is told again', { skip, buffered: true }, async (t) => {
  const own = await startEtcd(t)
  const { url } = own
  const user = async (name: string, password: string, prefix?: string) => {
    await operate(url, 'auth/user/add', { name, password })
    await operate(url, 'auth/role/add', { name })
    await operate(url, 'auth/user/grant', { user: name, role: name })
    if (prefix === undefined) return
    const perm = { permType: 'READWRITE', key: base64(prefix), range_end: base64(`${prefix.slice(0, -1)}0`) }
    await operate(url, 'auth/role/grant', { name, perm })
  }
  const asked = { servers: [url], user: 'shop', password: 'open sesame' }
  const early = provider(t, 1, asked)
  await early.open()
  await early.all.knows([urlOf(1)])
  t.same(early.all.lines, [], 'who says more than is asked is let in')

  await user('root', 'root')
  await user('shop', 'open sesame', 'lucilius/shop/')
  await user('guest', 'guest', 'lucilius/guest/')
  await operate(url, 'auth/enable', {})
  const known = provider(t, 2, asked)
  await known.open()
  await known.all.knows([urlOf(1), urlOf(2)])
  await early.all.knows([urlOf(1), urlOf(2)])

  const refused = async (access: Partial<Asked>, expected: { readonly code: string; readonly message: RegExp }) => {
    const one = provider(t, 4, { servers: [url], ...access })
    await t.rejects(one.open(), expected)
  }
  const cure = /Set LUCILIUS_ETCD_USER and LUCILIUS_ETCD_PASSWORD/
  await refused({}, { code: 'LUC_UNAUTHENTICATED', message: cure })
  const wrong = provider(t, 4, { servers: [url], user: 'shop', password: 'wrong-word' })
  const error = await wrong.open().then(
    () => undefined,
    (reason: Error) => reason,
  )
  t.match(error, { code: 'LUC_UNAUTHENTICATED', message: cure })
  t.notMatch(String(error), /wrong-word/)
  await refused(
    { user: 'guest', password: 'guest' },
    { code: 'LUC_FORBIDDEN', message: /read and write keys.*'lucilius\/'/ },
  )

  await own.restart() // Tokens are in the memory of etcd.
  const late = provider(t, 3, asked)
  await late.open()
  await late.all.knows([urlOf(1), urlOf(2), urlOf(3)])
  await known.all.knows([urlOf(1), urlOf(2), urlOf(3)])
  t.notMatch(known.all.lines.join(), /UNAUTHENTICATED|let us in/)
})

t.test('of several servers one that answers is enough', { skip, buffered: true }, async (t) => {
  const { url } = await etcd()
  const space = newSpace()
  const silent = createServer(() => {})
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  t.teardown(() => silent.close().closeAllConnections())
  const { port } = silent.address() as AddressInfo
  const first = provider(t, 1, { servers: ['http://127.0.0.1:9', url], space })
  const began = performance.now()
  await first.open()
  t.ok(performance.now() - began < 1500)
  const second = provider(t, 2, { servers: [`http://127.0.0.1:${port}`, url], space })
  await second.open()
  t.ok(performance.now() - began < 4000, 'one that says nothing costs two seconds')
  await Promise.all([first, second].map(({ all }) => all.knows([urlOf(1), urlOf(2)])))
  t.same([...first.all.lines, ...second.all.lines], [])
})

t.test('what is no address of a process is passed over', { skip, buffered: true }, async (t) => {
  const { url } = await etcd()
  const space = newSpace()
  const odd = ['', 'no JSON', 'null', '[]', '{"url":7}', '{"url":"file:///etc/passwd"}', '{"url":"ws://u:p@h/"}']
  await Promise.all(odd.map((value, at) => put(url, `lucilius/${space}/rates/odd-${at}`, value)))
  await put(url, `lucilius/${space}/rates`, '{"url":"ws://h:1/ws"}')
  await put(url, `lucilius/${space}/rates/deep`, `{"url":${'['.repeat(5000)}${']'.repeat(5000)}}`)
  const { all, open } = provider(t, 1, { servers: [url], space })
  await open()
  await all.knows([urlOf(1), 'ws://h:1/ws'])
  await put(url, `lucilius/${space}/rates/odd-7`, '{"url":')
  await put(url, `lucilius/${space}/rates/new`, '{"url":"wss://127.0.0.1:1/ws","more":1}')
  await all.knows([urlOf(1), 'ws://h:1/ws', 'wss://127.0.0.1:1/ws'])
  await put(url, `lucilius/${space}/rates/new`, 'gone')
  await all.knows([urlOf(1), 'ws://h:1/ws'])
  t.same(all.lines, [])
})

t.test(
  'what answers in the place of etcd is not believed, and not read without end',
  { skip, buffered: true },
  async (t) => {
    const serve = async (answer: (response: ServerResponse) => unknown) => {
      const web = createServer((_, response) => void answer(response))
      web.listen(0, '127.0.0.1')
      await once(web, 'listening')
      t.teardown(() => web.close().closeAllConnections())
      const { all, open } = provider(t, 1, { servers: [`http://127.0.0.1:${(web.address() as AddressInfo).port}`] })
      await open()
      t.same(all.told(), [])
      return all.lines.filter((line) => line.startsWith('warn'))
    }
    t.match(await serve((response) => response.end('<p>Hello</p>')), [/The text is not JSON/])
    t.match(await serve((response) => response.end('{}')), [/etcd 3\.4 or later/])
    t.match(await serve((response) => response.writeHead(404).end('Not found')), [
      /status 404: is it etcd 3\.4 or later/,
    ])
    t.match(await serve((response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end()), [/redirect/])
    const block = Buffer.alloc(1024 * 1024)
    const pour = (response: ServerResponse) => {
      while (response.write(block)) {}
    }
    t.match(await serve((response) => pour(response.on('drain', () => pour(response)))), [/more than 8388608 bytes/])
  },
)

t.test('what no second try changes is refused', async (t) => {
  const open = (servers: readonly string[]) => provider(t, 1, { servers }).open()
  await t.rejects(open([]), { code: 'LUC_OPTIONS_INVALID' })
  for (const server of ['127.0.0.1:2379', 'ws://h:1', 'http://u:password@h:1', 'http://h:1/path']) {
    await t.rejects(open([server]), {
      code: 'LUC_OPTIONS_INVALID',
      message: /^'discovery\.etcd\.servers' .*address(?!.*password@)/,
    })
  }
})
