import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { LuciliusError } from '../../lib/index.js'
import { etcdProvider } from '../../lib/system/discovery/etcd.js'
import { stubborn } from '../../lib/system/discovery/stubborn.js'
import { Trouble } from '../../lib/system/discovery/trouble.js'
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
function provider(t: Test, at: number, { groups, group = 'rates', space = 'shop', leaseMs = 3000, ...access }: Asked) {
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

/** Answers every request in the place of etcd. */
async function serve(t: Test, answer: (response: ServerResponse) => unknown): Promise<string> {
  const web = createServer((_, response) => void answer(response))
  web.listen(0, '127.0.0.1')
  await once(web, 'listening')
  t.teardown(() => web.close().closeAllConnections())
  return `http://127.0.0.1:${(web.address() as AddressInfo).port}`
}

const refused = new LuciliusError('LUC_UNAUTHENTICATED', 'No.')
const unreachable = new LuciliusError('LUC_UNREACHABLE', 'Away.')

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
    await second.all.knows([urlOf(1)])
    await first.all.knows([urlOf(2)], 'convert')
    await stranger.all.knows([urlOf(3)])
    t.same(first.all.signs('convert').at(-1), [urlOf(2)])
    t.same(stranger.all.told('convert').at(-1), [], 'of another system')

    const began = performance.now()
    await second.close()
    await first.all.knows([], 'convert')
    t.ok(performance.now() - began < 2900, 'before anything is read again')
    t.same(first.all.told('rates').at(-1), [urlOf(1)])
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
  await Promise.all([once(child, 'exit'), child.kill('SIGKILL')])
  await all.knows([urlOf(1)])
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
    t.same(watcher.all.signs().at(-1), [], 'which is no sign that it is there')
    await put(url, `lucilius/${space}/rates/instance-2`, JSON.stringify({ url: urlOf(2) }))
    while (watcher.all.signs().at(-1)?.length === 0) await watcher.all.news()
    t.same(watcher.all.signs().at(-1), [urlOf(2)], 'but that it is written again is one')
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
    await first.all.logs((lines) => lines.length > 0)
    const before = first.all.told().length
    const late = provider(t, 3, asked)
    await late.open()
    t.same(late.all.told(), [])
    const warning = `warn: etcd cannot be reached at ${own.url} (ECONNREFUSED). Trying again; what is known stands.`
    await late.all.logs((lines) => lines.filter((line) => line.startsWith('debug')).length > 3)
    t.same(
      late.all.lines.filter((line) => !line.startsWith('debug')),
      [warning],
      'said once',
    )
    t.equal(first.all.told().length, before)

    await own.restart()
    await first.all.knows([urlOf(1), urlOf(2), urlOf(3)])
    await late.all.knows([urlOf(1), urlOf(2), urlOf(3)])
    await late.all.logs((lines) => lines.includes('info: etcd answers'))

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
  const early = provider(t, 1, asked) // who says more than is asked is let in
  await early.open()
  await early.all.knows([urlOf(1)])

  await user('root', 'root')
  await user('shop', 'open sesame', 'lucilius/shop/')
  await user('guest', 'guest', 'lucilius/guest/')
  await operate(url, 'auth/enable', {})
  const known = provider(t, 2, asked)
  await known.open()
  await known.all.knows([urlOf(1), urlOf(2)])
  await early.all.knows([urlOf(1), urlOf(2)])

  const refusal = async (access: Partial<Asked>): Promise<string> => {
    const { all, open, close } = provider(t, 4, { servers: [url], ...access })
    await open()
    const isTold = (line: string) => !line.startsWith('debug')
    await all.logs((lines) => lines.length > 1) // the entry and the view are refused
    await close()
    t.equal(all.lines.filter(isTold).length, 1, 'told once')
    return all.lines.find(isTold) ?? ''
  }
  const cure = /Set LUCILIUS_ETCD_USER and LUCILIUS_ETCD_PASSWORD .*every 30 s; what is known stands/
  const nobody = await refusal({})
  t.ok(nobody.startsWith(`error: etcd at ${url} does not let us in (`), nobody)
  t.match(nobody, cure)
  const wrong = await refusal({ user: 'shop', password: 'wrong-word' })
  t.ok(wrong.startsWith(`error: etcd at ${url} does not let the user 'shop' in (`), wrong)
  t.match(wrong, cure)
  t.notMatch(wrong, /wrong-word/)
  t.match(
    await refusal({ user: 'guest', password: 'guest' }),
    /^error: etcd at .* does not allow the user 'guest' this .* the user 'guest' a role .* read and write keys .*'lucilius\/'/,
  )

  await own.restart() // Tokens are in the memory of etcd.
  const late = provider(t, 3, asked)
  await late.open()
  await late.all.knows([urlOf(1), urlOf(2), urlOf(3)])
  await known.all.knows([urlOf(1), urlOf(2), urlOf(3)])
  t.notMatch(known.all.lines.join(), /UNAUTHENTICATED|let us in/)
})

t.test('whoever is refused is asked again after 30 s, and it is told when that works', async (t) => {
  const { looking, lines } = heard()
  const answers = [refused, refused, 5, refused, unreachable].map((one) => () => {
    if (typeof one === 'number') return Promise.resolve(one)
    return Promise.reject(one)
  })
  const trouble = new Trouble(looking.log, 'etcd')
  const step = stubborn('entry', () => answers.shift()?.() ?? Promise.resolve(0), trouble, new AbortController().signal)
  t.strictSame([await step(), await step(), await step(), await step()], [30_000, 30_000, 5, 30_000])
  t.ok((await step()) < 1000, 'an outage may be over soon')
  const error = 'error: No. Trying again every 30 s; what is known stands.'
  const warning = 'warn: Away. Trying again; what is known stands.'
  t.strictSame(lines, [error, error.replace('error', 'debug'), 'info: etcd answers', error, warning])
})

t.test('of several servers one that answers is enough', { skip, buffered: true }, async (t) => {
  const { url } = await etcd()
  const space = newSpace()
  const silent = await serve(t, () => {})
  const refusing = await serve(t, (response) => response.writeHead(403).end('{"code":7,"message":"no\\nentry"}'))
  const first = provider(t, 1, { servers: ['http://127.0.0.1:9', url], space })
  const second = provider(t, 2, { servers: [silent, url], space })
  const late = provider(t, 3, { servers: [silent, silent, refusing], space })
  const opening = [first.open(), second.open()]
  await late.open()
  t.same(late.all.lines, [], 'waits for two seconds at most')
  await Promise.all([...opening, first.all.knows([urlOf(1), urlOf(2)]), second.all.knows([urlOf(1), urlOf(2)])])
  await late.all.logs((lines) => lines.length > 0)
  t.match(late.all.lines[0], /^error: .* does not allow us this \(no\?entry\)/)
})

t.test('what is no address of a process is passed over', { skip, buffered: true }, async (t) => {
  const { url } = await etcd()
  const space = newSpace()
  const odd = ['', 'no JSON', 'null', '[]', '{"url":7}', '{"url":"file:///etc/passwd"}', '{"url":"ws://u:p@h/"}']
  odd.push(JSON.stringify({ url: `ws://h/${'a'.repeat(1000)}` }))
  await Promise.all(odd.map((value, at) => put(url, `lucilius/${space}/rates/odd-${at}`, value)))
  await put(url, `lucilius/${space}/rates/deep`, `{"url":${'['.repeat(5000)}${']'.repeat(5000)}}`)
  const { all, open } = provider(t, 1, { servers: [url], space })
  await open()
  await all.knows([urlOf(1)])
  await put(url, `lucilius/${space}/rates/odd-8`, '{"url":')
  await put(url, `lucilius/${space}/rates/new`, '{"url":"wss://127.0.0.1:1/ws","more":1}')
  await all.knows([urlOf(1), 'wss://127.0.0.1:1/ws'])
  await put(url, `lucilius/${space}/rates/new`, 'gone')
  await all.knows([urlOf(1)])
  t.same(all.lines, [])
})

t.test('what is written in the place of one group hides no other one', { skip, buffered: true }, async (t) => {
  const { url } = await etcd()
  const space = newSpace()
  const block = 'a'.repeat(1_400_000)
  for (let n = 0; n < 6; n++) await put(url, `lucilius/${space}/convert/${n}`, block)
  const { all, open } = provider(t, 1, { servers: [url], space, groups: ['convert', 'rates'] })
  await open()
  await all.knows([urlOf(1)])
  const warning = `warn: etcd at ${url}: An answer has more than 8388608 bytes. Trying again; what is known stands.`
  await all.logs((lines) => lines.includes(warning))
  t.same(all.told('convert'), [])
})

t.test(
  'what answers in the place of etcd is not believed, and not read without end',
  { skip, buffered: true },
  async (t) => {
    const says = async (expected: RegExp, answer: (response: ServerResponse) => unknown) => {
      const { all, open, close } = provider(t, 1, { servers: [await serve(t, answer)] })
      await open()
      await all.logs((lines) => lines.some((line) => expected.test(line)))
      t.same(all.told(), [])
      await close()
    }
    await says(/The text is not JSON/, (response) => response.end('<p>Hello</p>'))
    await says(/etcd 3\.4 or later/, (response) => response.end('{}'))
    await says(/status 404: is it etcd 3\.4 or later/, (response) => response.writeHead(404).end('Not found'))
    await says(/redirect/, (response) => response.writeHead(302, { location: 'http://127.0.0.1:9/' }).end())
    const block = Buffer.alloc(1024 * 1024)
    const pour = (response: ServerResponse) => {
      while (response.write(block)) {}
    }
    await says(/more than 8388608 bytes/, (response) => pour(response.on('drain', () => pour(response))))
  },
)
