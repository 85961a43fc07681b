import t, { type Test } from 'tap'
import { dnsProvider } from '../../lib/system/discovery/dns.js'
import { host, type Reply, service, startDns } from './dns-server.js'
import { heard } from './looking.js'

const name = '{group}.shop.test'

interface Asked {
  readonly name?: string
  readonly port?: number | undefined
  readonly scheme?: 'websocket' | 'http'
  readonly groups?: readonly string[]
  readonly reply?: (type: string, name: string) => Reply
}

// Those that wait for a TTL or a time limit do so at the same time.
t.jobs = 2

/** A server, and a provider that asks it. */
async function asking(t: Test, { scheme = 'websocket', groups, reply, ...asked }: Asked) {
  const server = await startDns()
  t.teardown(() => server.close().catch(() => {})) // a test may have closed it
  if (reply !== undefined) server.answer(reply)
  const settings = { name, port: 7400, servers: [server.address], ...asked }
  const provider = dnsProvider({ ...settings, port: 'port' in asked ? asked.port : settings.port }, scheme)
  t.teardown(() => provider.close())
  const all = heard({}, groups)
  await provider.open(all.looking)
  return { server, provider, all }
}

/** Answers questions of one type. */
const only = (type: string, ...answers: ReturnType<typeof host>[]) => {
  return (asked: string): Reply => (asked === type ? answers : [])
}

t.test('the name of each group leads to the addresses of its processes, IPv6 in brackets', async (t) => {
  const reply = (type: string, name: string): Reply => {
    if (name !== 'rates.shop.test') return 'NXDOMAIN'
    return type === 'A' ? [host(name, '10.0.0.1'), host(name, '10.0.0.2')] : [host(name, 'fd00::1')]
  }
  const { all, server } = await asking(t, { groups: ['rates', 'convert'], reply })
  t.same(all.told(), [['ws://10.0.0.1:7400/ws', 'ws://10.0.0.2:7400/ws', 'ws://[fd00::1]:7400/ws']])
  t.same(all.told('convert'), [[]], 'that there are none is an answer')
  t.same([...server.asked].sort(), [
    ...['A convert.shop.test', 'A rates.shop.test', 'AAAA convert.shop.test', 'AAAA rates.shop.test'],
  ])
  t.same(all.lines, [])
})

t.test('processes that speak HTTP have addresses of HTTP', async (t) => {
  const { all } = await asking(t, { scheme: 'http', reply: only('A', host('rates.shop.test', '10.0.0.1')) })
  t.same(all.told(), [['http://10.0.0.1:7400']])
})

t.test('SRV records say host and port; a target that DNS does not know stands for itself', async (t) => {
  const reply = (type: string, name: string): Reply => {
    if (type === 'A' && name === 'one.shop.test') return [host(name, '10.0.0.1'), host(name, '10.0.0.2')]
    if (type !== 'SRV') return 'NXDOMAIN'
    const targets = ['one.shop.test', 'one.shop.test', 'two', '.', 'a b/c', 'u@h'] as const
    return targets.map((target, at) => service(name, target, 7400 + at)).concat(service(name, 'no-port', 0))
  }
  const { all, server } = await asking(t, { name: '_peers._tcp.{group}.shop.test', port: undefined, reply })
  t.same(all.told(), [
    [
      ...['ws://10.0.0.1:7400/ws', 'ws://10.0.0.1:7401/ws', 'ws://10.0.0.2:7400/ws', 'ws://10.0.0.2:7401/ws'],
      'ws://two:7402/ws',
    ],
  ])
  t.same(
    server.asked.filter((one) => one.startsWith('SRV')),
    ['SRV _peers._tcp.rates.shop.test'],
  )
})

t.test('addresses come and go with what DNS says, and stand while it says nothing', { buffered: true }, async (t) => {
  const records = (...hosts: string[]) => only('A', ...hosts.map((one) => host('rates.shop.test', one, 1)))
  const { all, server } = await asking(t, { reply: records('10.0.0.1') })
  const one = 'ws://10.0.0.1:7400/ws'
  const two = 'ws://10.0.0.2:7400/ws'
  await all.knows([one])
  const began = performance.now()
  server.answer(records('10.0.0.1', '10.0.0.2'))
  await all.knows([one, two])
  t.same(all.signs().at(-1), [two], 'that the other one is still there is no news')
  t.ok(performance.now() - began < 4000, 'asked again when the TTL of a second is over')

  server.answer((type) => (type === 'A' ? 'SERVFAIL' : Buffer.from('garbage behind the right number')))
  await all.news()
  t.same(all.told().at(-1), [one, two], 'told again, for whoever has lost them')
  t.same(all.signs().at(-1), [])
  t.match(all.lines, [/^warn: DNS gives no answer, what is known stands: query\S+ ESERVFAIL rates\.shop\.test$/])
  await server.close()
  await all.news()
  t.same(all.told().at(-1), [one, two])

  const back = await startDns(Number(server.address.split(':')[1]))
  t.teardown(() => back.close())
  back.answer(records('10.0.0.2'))
  await all.knows([two])
  t.equal(all.lines.at(-1), 'info: DNS answers')
})

t.test('a question that fails keeps the answer of the others', async (t) => {
  const reply = (type: string, name: string): Reply => (type === 'A' ? [host(name, '10.0.0.1')] : 'REFUSED')
  const { all } = await asking(t, { reply })
  t.same(all.told(), [['ws://10.0.0.1:7400/ws']])
  t.match(all.lines, [/^warn: .* EREFUSED rates\.shop\.test$/])
})

t.test('a server that says nothing holds up nobody for long, opening or closing', { buffered: true }, async (t) => {
  const { all, provider, server } = await asking(t, { groups: ['rates', 'convert'], reply: () => undefined })
  t.same(all.lines, [], 'before the questions have failed')
  t.same(all.told(), [], 'nobody knows whether there are any')
  const closing = performance.now()
  await provider.close()
  t.ok(performance.now() - closing < 900, 'a second before the questions would have failed')
  const questions = server.asked.length
  await new Promise((resolve) => setTimeout(resolve, 1100)) // that nothing comes can only be waited for
  t.equal(server.asked.length, questions, 'a closed provider asks no more')
})

t.test('a name that DNS cannot have is told of, and keeps nobody else from being found', async (t) => {
  const long = 'a'.repeat(64)
  const reply = (type: string, name: string): Reply => (type === 'A' ? [host(name, '10.0.0.1')] : [])
  const { all } = await asking(t, { groups: [long, 'rates'], reply })
  t.same(all.told(), [['ws://10.0.0.1:7400/ws']])
  t.same(all.told(long), [])
  t.match(all.lines, [/^warn: DNS .* EBADNAME a+\.shop\.test$/])
})
