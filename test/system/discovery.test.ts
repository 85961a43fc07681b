import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { type App, sharedSecret } from '../../lib/index.js'
import { silentLogger } from '../../lib/logger.js'
import { AddressBook } from '../../lib/system/address-book.js'
import { defineSystem } from '../../lib/system/define-system.js'
import { advertised } from '../../lib/system/discovery/advertised.js'
import { Chain } from '../../lib/system/discovery/chain.js'
import { multicastProvider } from '../../lib/system/discovery/multicast.js'
import type { Looking, Provider } from '../../lib/system/discovery/provider.js'
import { DiscoveryWay } from '../../lib/system/discovery-way.js'
import { readEnvironment } from '../../lib/system/environment.js'
import { inLane, type Lane } from '../../lib/system/lane.js'
import type { Running } from '../../lib/system/run.js'
import { SecondOnes } from '../../lib/system/second-ones.js'
import { startPlan } from '../../lib/system/start-addresses.js'
import type { Deployment, Group } from '../../lib/system/system.js'
import type { Connection, Observer, PeerInfo, Transport } from '../../lib/transport-kit.js'
import { skipWithout, startEtcd } from '../support/brokers.js'
import { freeMulticast } from '../support/multicast.js'
import { host, startDns } from './dns-server.js'
import { heard } from './looking.js'
import { Processes, SECRET, service, until } from './processes.js'

const rates = service((app) => {
  const by = randomUUID()
  app.add('role:rates,cmd:get', () => ({ rate: 0.9, by }))
})
const convert = service((app) => {
  app.add('role:convert', (_message, { act }) => act('role:rates,cmd:get'))
})

/** A provider that says what a test lets it say. */
function scripted(name: Provider['name']) {
  let looking: Looking | undefined
  let closings = 0
  const provider: Provider = {
    name,
    open: async (asked) => {
      looking = asked
    },
    close: async () => {
      closings++
    },
  }
  return {
    provider,
    /** Tells of addresses, of all of which there is a new sign. */
    says: (...urls: string[]) => looking?.found('rates', urls, urls),
    /** Tells of addresses, of which there is none. */
    repeats: (...urls: string[]) => looking?.found('rates', urls, []),
    saysOf: (group: string, ...urls: string[]) => looking?.found(group, urls, urls),
    closings: () => closings,
  }
}

const refuse = async () => {
  throw new Error('not in this test')
}

/** An app that hears everything and says nothing. */
const nobody: Observer = {
  tell: refuse as never,
  onTell: () => () => {},
  hear: () => {},
  receive: refuse,
  lost: () => {},
  onGiveUp: undefined,
  authorization: undefined,
}

const self = { group: 'convert', instance: 'one', url: 'ws://127.0.0.1:1/ws' }

t.test(
  'of several providers the first that has an answer is heard, and when it has none any more the next',
  async (t) => {
    const [dns, multicast] = [scripted('dns'), scripted('multicast')]
    const chain = new Chain([dns.provider, multicast.provider])
    const found: string[] = []
    const take = () => found.splice(0)
    await chain.open({ groups: ['rates'], self, log: silentLogger, found: (url) => void found.push(url) })

    multicast.says('ws://b')
    t.strictSame(take(), ['ws://b'], 'while the first knows nobody the second is heard')
    dns.says()
    t.strictSame(take(), [])
    dns.says('ws://a', 'ws://c')
    t.strictSame(take(), ['ws://a', 'ws://c'])
    multicast.says('ws://b', 'ws://d')
    t.strictSame(take(), [], 'then not any more')
    dns.says('ws://a')
    t.strictSame(take(), ['ws://a'], 'each sign of life is passed on')
    dns.repeats('ws://a', 'ws://c')
    t.strictSame(take(), [], 'but not what is only said again')
    dns.says()
    t.strictSame(take(), ['ws://b', 'ws://d'])
    multicast.saysOf('others', 'ws://e')
    t.strictSame(take(), [], 'groups that nobody asked for are left out')

    await Promise.all([chain.close(), chain.close()])
    t.strictSame([dns.closings(), multicast.closings()], [1, 1])
  },
)

t.test('what stands for long is passed on now and then, as whoever was not there may be by now', async (t) => {
  const dns = scripted('dns')
  const chain = new Chain([dns.provider])
  let found: string[] = []
  await chain.open({ groups: ['rates'], self, log: silentLogger, found: (url) => void found.push(url) })
  let now = 0
  const clock = mock.method(performance, 'now', () => now)
  t.teardown(() => clock.mock.restore())
  dns.says('ws://a')
  found = []
  for (let seconds = 1; seconds <= 90; seconds++) {
    now += 1000
    dns.repeats('ws://a')
  }
  t.equal(found.length, 3)
})

t.test('one address is one, however it is written; what is none that leads to a peer is passed over', async (t) => {
  const dns = scripted('dns')
  const own = 'ws://127.0.0.1:7400/ws'
  let transport: Transport | undefined
  const way = new DiscoveryWay({
    name: 'websocket',
    providers: async () => [dns.provider],
    group: 'convert',
    groups: ['rates'],
    self: () => own,
    isKnown: (url) => url === 'ws://127.0.0.1:7401/ws',
    lane: { carries: () => true, hears: () => true },
    expected: new Map(),
    auth: sharedSecret(SECRET),
    log: silentLogger,
  })
  // It asks for nothing else.
  const connect = async (to: Transport) => {
    transport = to
  }
  await way.open({ connect } as unknown as App)
  const found: string[] = []
  await transport?.discover?.({ found: (address) => void found.push(address), gone: () => {} })
  dns.says('ws://LOCALHOST:07402/ws', 'ws://localhost:7402/ws/../ws', 'WS://127.1:07400/ws', 'ws://0x7f000001:7401/ws')
  t.strictSame(found, ['ws://localhost:7402/ws', 'ws://localhost:7402/ws'])
  dns.says('http://127.0.0.1:7403/', 'nowhere', 'ws://u:p@h/', `ws://h/${'a'.repeat(1000)}`)
  t.equal(found.length, 2)
  await way.end()
})

t.test('where one provider cannot be used at all, none of them stays open', async (t) => {
  const dns = scripted('dns')
  const broken: Provider = {
    name: 'etcd',
    open: async () => {
      throw new Error('no')
    },
    close: async () => {},
  }
  const chain = new Chain([dns.provider, broken])
  await t.rejects(chain.open({ groups: ['rates'], self, log: silentLogger, found: () => {} }), { message: 'no' })
  t.equal(dns.closings(), 1)
})

t.test('a process that listens everywhere tells others an address that they can reach', (t) => {
  const one = (address: string, more: object): NetworkInterfaceInfo =>
    ({ address, family: 'IPv4', internal: false, ...more }) as NetworkInterfaceInfo
  const interfaces = () => ({
    lo: [one('127.0.0.1', { internal: true })],
    wg0: [one('fe80::1', { family: 'IPv6', scopeid: 3 }), one('fd00::7', { family: 'IPv6', scopeid: 0 })],
    eth0: [one('192.0.2.7', {})],
  })
  const url = 'ws://localhost:7400/ws'
  t.equal(advertised('ws://127.0.0.1:7400/ws', '127.0.0.1', undefined, interfaces), 'ws://127.0.0.1:7400/ws')
  t.equal(advertised(url, '0.0.0.0', undefined, interfaces), 'ws://192.0.2.7:7400/ws')
  t.equal(
    advertised(url, '::', undefined, () => ({ wg0: interfaces().wg0 })),
    'ws://[fd00::7]:7400/ws',
  )
  t.equal(
    advertised(url, '0.0.0.0', undefined, () => ({ lo: interfaces().lo })),
    'ws://127.0.0.1:7400/ws',
  )
  t.equal(advertised(url, '0.0.0.0', 'rates.shop.example', interfaces), 'ws://rates.shop.example:7400/ws')
  t.equal(advertised('http://127.0.0.1:7400', '127.0.0.1', 'fd00::8', interfaces), 'http://[fd00::8]:7400/')
  t.end()
})

t.test('looked for are the groups of which neither the environment nor the description says where they are', (t) => {
  const { deployments } = defineSystem({
    services: { rates, convert },
    deployments: {
      lan: {
        discovery: { multicast: true },
        groups: {
          convert: { services: ['convert'], replicas: 2 },
          rates: ['rates'],
          fixed: { services: ['rates'], listen: { port: 7400 } },
          everywhere: { services: ['rates'], listen: { host: '0.0.0.0', port: 7500 } },
        },
      },
    },
  })
  const lan = deployments.get('lan') as Deployment
  const planned = (name: string, variables: Record<string, string> = {}) =>
    startPlan(lan, lan.groups.get(name) as Group, 1, readEnvironment(variables))
  t.strictSame([...planned('convert').lookedFor].sort(), ['convert', 'everywhere', 'rates'])
  t.strictSame([...planned('convert').unaddressed], ['convert.2', 'rates', 'everywhere'])
  t.strictSame([...planned('convert', { LUCILIUS_PEERS_RATES: 'ws://a/ws' }).lookedFor].sort(), [
    'convert',
    'everywhere',
  ])
  const all = { RATES: 'ws://a/ws', CONVERT: 'ws://b/ws', EVERYWHERE: 'ws://c/ws' }
  const peers = Object.fromEntries(Object.entries(all).map(([group, url]) => [`LUCILIUS_PEERS_${group}`, url]))
  t.strictSame(
    [...planned('convert', peers).lookedFor],
    [],
    'then nothing is looked for, and nobody announces anything',
  )
  const dns = { LUCILIUS_DNS: `{group}-${'a'.repeat(55)}.shop.test:7400` }
  t.throws(() => planned('convert', dns), {
    code: 'LUC_OPTIONS_INVALID',
    message: /^LUCILIUS_DNS: .*'everywhere'.*63 characters/,
  })
  t.ok(planned('convert', { ...dns, ...peers }), 'whom nobody looks for needs no name')
  t.end()
})

for (const transport of ['websocket', 'http'] as const) {
  t.test(
    `processes that announce themselves meet over ${transport}, and one that comes later joins them`,
    async (t) => {
      const start = await network(t, { transport })
      const asking = await start('convert')
      const first = await start('rates')
      const ask = () => asking.host.app.act('role:convert', {}, { timeoutMs: 5000 })
      t.match(await ask(), { rate: 0.9 })
      await until(() => first.host.app.list('role:convert').length === 1) // each knows the other

      await start('rates')
      await sharedByTwo(asking)
      await first.close()
      const answers = await Promise.all(Array.from({ length: 20 }, ask))
      t.match(
        answers,
        Array.from({ length: 20 }, () => ({ rate: 0.9 })),
      )
    },
  )
}

t.test('a name leads to all processes of a group, and to one that is started later', async (t) => {
  const dns = await startDns()
  t.teardown(() => dns.close())
  const addresses = new Map([
    ['rates', ['127.0.0.2']],
    ['convert', ['127.0.0.4']],
  ])
  dns.answer((type, name) => {
    const known = addresses.get(name.split('.')[0] ?? '') ?? []
    return type === 'A' ? known.map((address) => host(name, address, 1)) : []
  })
  const port = await freePort()
  const start = await network(t, { discovery: { dns: { name: `{group}.shop.test:${port}`, servers: [dns.address] } } })
  const asking = await start('convert', { host: '127.0.0.4', port })
  await start('rates', { host: '127.0.0.2', port })
  t.match(await asking.host.app.act('role:convert'), { rate: 0.9 })
  await start('rates', { host: '127.0.0.3', port })
  addresses.set('rates', ['127.0.0.2', '127.0.0.3'])
  await sharedByTwo(asking)
})

t.test('processes that write themselves into a registry meet', { skip: skipWithout('etcd') }, async (t) => {
  const etcd = await startEtcd(t)
  const start = await network(t, { discovery: { etcd: etcd.url } })
  const asking = await start('convert')
  await start('rates')
  t.match(await asking.host.app.act('role:convert'), { rate: 0.9 })
  await start('rates')
  await sharedByTwo(asking)
  await etcd.kill()
  t.match(await asking.host.app.act('role:convert'), { rate: 0.9 }, 'nobody needs it to go on')
})

t.test('two processes of what there is to be one of say so, once each, and nobody else does', async (t) => {
  const discovery = { multicast: await freeMulticast() }
  const start = async (group: 'rates' | 'convert') => {
    const processes = new Processes({
      name: 'test',
      services: { rates: { module: rates, singleton: true }, convert },
      deployments: { split: { discovery, groups: { rates: ['rates'], convert: ['convert'] } } },
    })
    t.teardown(() => processes.close())
    const { host, url } = await processes.start(group, { unaddressed: new Set(['rates', 'convert']) })
    return { host, url, warnings: () => processes.lines.filter(({ level }) => level === 40) }
  }
  const [one, two, asking] = await Promise.all([start('rates'), start('rates'), start('convert'), start('convert')])
  for (const [own, other] of [
    [one, two],
    [two, one],
  ] as const) {
    await until(() => own.warnings().length > 0)
    t.match(own.warnings(), [
      {
        group: 'rates',
        instance: own.host.instance,
        other: { instance: other.host.instance, url: other.url },
        msg: /one 'rates' in the whole system: .* instance .* instance .* at ws:.*Stop one of them$/,
      },
    ])
  }
  t.strictSame(asking.warnings(), [])
})

t.test('a process that takes the place of another one is none too many, and neither is a replica', async (t) => {
  const { looking, lines } = heard()
  const options = { group: 'rates', instance: () => 'own', log: looking.log, overlapMs: 20 }
  const seconds = new SecondOnes({ ...options, singletons: ['rates', 'audit'] })
  const others = new SecondOnes({ ...options, singletons: [] })
  const [drains, stays] = [
    { name: 'rates', instance: 'old' },
    { name: 'rates', instance: 'new' },
  ]
  const told = { actions: [], subscriptions: [] }
  const lane: Lane = {
    carries: () => true,
    hears: () => true,
    met: (peer) => seconds.met(peer),
    left: (peer) => seconds.left(peer),
  }
  const meet = async (peer: PeerInfo, ...more: ((observer: Observer) => void)[]) => {
    const connect = async (observer: Observer) => {
      observer.hear({ ...told, ...peer, draining: false })
      for (const one of more) one(observer)
      return {} as Connection
    }
    await inLane({ name: 'test', listen: refuse, connect }, lane).connect(nobody)
  }
  let later = (): void => {}
  await meet(drains, (observer) => {
    later = () => observer.hear({ ...told, ...drains, draining: true })
  })
  await new Promise(setImmediate)
  later()
  await meet(drains, (observer) => observer.hear({ ...told, ...drains, draining: true }))
  await meet(drains, (observer) => observer.lost())
  await meet({ name: 'convert', instance: 'convert' })
  others.met(stays)
  await meet(stays)
  await meet(stays)
  await until(() => lines.length > 0)
  t.match(lines, [/^warn: .*one 'rates' and one 'audit' .*: this one, instance own, and instance new\. Stop/])
  t.equal(lines.length, 1)
})

t.test('who is at an address that was found is never sent the secret, and is told nothing', async (t) => {
  const seen: IncomingHttpHeaders[] = []
  const fraud = createServer()
    .on('upgrade', (request, socket) => {
      seen.push(request.headers)
      socket.on('error', () => {}) // Whoever sees through it may reset the connection.
      // It claims to be a peer that asks for nothing.
      socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n')
    })
    .listen(0, '127.0.0.1')
  t.teardown(() => fraud.close())
  await once(fraud, 'listening')
  const place = await freeMulticast()
  const start = await network(t, { discovery: { multicast: place } })
  const asking = await start('convert')
  // Somebody who knows the secret was wrong about the address, or it has changed hands.
  const url = `ws://127.0.0.1:${(fraud.address() as AddressInfo).port}/ws`
  const told = multicastProvider({ ...place, space: 'test', secret: SECRET })
  t.teardown(() => told.close())
  const stale = { group: 'rates', instance: 'gone', url }
  await told.open({ groups: [], self: stale, found: () => {}, log: silentLogger })
  await until(() => seen.length > 0)
  const rates = await start('rates')
  t.match(await asking.host.app.act('role:convert'), { rate: 0.9 }, 'the true one is found beside it')
  t.ok(rates.url)
  for (const headers of seen) {
    t.match(headers.authorization, /^Lucilius hello="/)
    t.notMatch(JSON.stringify(headers), new RegExp(SECRET))
  }
})

/** Starts processes of one system, each of which knows nobody. */
async function network(t: Test, more: { readonly transport?: 'websocket' | 'http'; readonly discovery?: object } = {}) {
  const { transport = 'websocket', discovery = { multicast: await freeMulticast() } } = more
  return async (group: string, listen: { readonly host?: string; readonly port?: number } = {}): Promise<Running> => {
    const groups = { rates: { services: ['rates'], listen }, convert: { services: ['convert'], listen } } as const
    const processes = new Processes({
      name: 'test',
      services: { rates, convert },
      deployments: { split: { transport, discovery, groups } },
    })
    t.teardown(() => processes.close())
    const others = ['rates', 'convert'].filter((one) => one !== group)
    const addresses = new AddressBook([...others, group].map((id) => [id, undefined]))
    return processes.start(group, { addresses, unaddressed: new Set(others) })
  }
}

/** Waits until two processes share what one asks for. */
async function sharedByTwo({ host }: Running): Promise<void> {
  const seen = new Set<unknown>()
  while (seen.size < 2) seen.add(((await host.app.act('role:convert')) as { readonly by: string }).by)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.2')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
