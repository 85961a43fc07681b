import { pathToFileURL } from 'node:url'
import t from 'tap'
import { LuciliusError, sharedSecret } from '../../lib/index.js'
import { defineSystem, isSystem } from '../../lib/system/define-system.js'
import type {
  AmqpDescription,
  BrokersDescription,
  DeploymentDescription,
  DiscoveryDescription,
  DnsDescription,
  EtcdDescription,
  ForeignDescription,
  ForeignExchange,
  ForeignQueue,
  GroupDescription,
  Limits,
  MulticastDescription,
  NatsDescription,
  OutsideDescription,
  PeerListen,
  PluginDescription,
  RouteDescription,
  ServiceDescription,
  SystemDescription,
} from '../../lib/system/description.js'
import type { Deployment, Service, System } from '../../lib/system/system.js'
import { docPages, type Page, tableRows } from '../docs/pages.js'
import { type BadInput, badInputs } from '../support/bad-inputs.js'

const services = { rates: './rates.js', convert: './convert.js' }

t.test('a description of services is all that a system needs', (t) => {
  const load = async () => ({})
  const system = defineSystem({ services: { rates: './rates.js', convert: load } })
  const plain = { options: undefined, singleton: false, uses: undefined, emits: [], internal: [], writes: [] }
  t.strictSame([...system.services.values()], [
    { ...plain, name: 'rates', module: './rates.js' },
    { ...plain, name: 'convert', module: load },
  ] satisfies Service[])
  t.strictSame([system.name, system.root, system.limits], [undefined, undefined, {}])
  t.strictSame([system.plugins.size, system.deployments.size], [0, 0])
  t.end()
})

t.test('what a description leaves out is filled in', (t) => {
  const outside = { transport: 'http', expose: ['cmd:rate, role:convert'] } as const
  const { deployments } = defineSystem({
    services,
    deployments: { split: { groups: { all: '*', some: ['rates'], one: { services: ['convert'], outside } } } },
  })
  const listen = { host: '127.0.0.1', port: 0, urls: undefined }
  const plain = { replicas: 1, listen, outside: [], peers: undefined, amqp: undefined }
  const split = deployments.get('split')
  t.equal(split?.transport, 'websocket')
  t.strictSame([split?.routes, split?.store], [[], undefined])
  t.strictSame(split?.brokers, {
    space: undefined,
    nats: { servers: undefined, creds: undefined, tls: undefined },
    amqp: { url: undefined, tls: undefined },
  })
  t.strictSame(
    [...(split?.groups.values() ?? [])],
    [
      { ...plain, name: 'all', services: ['rates', 'convert'] },
      { ...plain, name: 'some', services: ['rates'] },
      {
        ...plain,
        name: 'one',
        services: ['convert'],
        outside: [
          {
            transport: 'http',
            port: 0,
            host: '127.0.0.1',
            expose: ['cmd:rate,role:convert'],
            events: undefined,
            auth: undefined,
            origins: [],
          },
        ],
      },
    ],
  )
  t.end()
})

t.test('what a description says is kept as it was said', (t) => {
  const auth = sharedSecret('0123456789abcdef')
  const options = { seed: 1, at: new Date(0) }
  const system = defineSystem({
    name: 'currency',
    root: import.meta.url,
    services: { ...services, market: { module: './market.js', options, singleton: true, internal: ['role:market'] } },
    plugins: { log: { module: './log.js', options } },
    deployments: {
      split: {
        transport: 'http',
        groups: {
          market: {
            services: ['market', 'rates'],
            listen: { host: '::1', port: 7400, urls: ['https://market.example/peers'] },
            outside: [
              { transport: 'http', port: 8080, expose: '*', auth, events: { in: ['role:market'], out: '*' } },
              { transport: 'websocket', port: 8080, host: '127.0.0.2', expose: [], origins: ['https://shop.example/'] },
            ],
            peers: ['convert'],
          },
          convert: { services: ['convert'], replicas: 3 },
        },
      },
    },
    limits: { timeoutMs: 5000, park: { unknown: true } },
  })
  const market = system.deployments.get('split')?.groups.get('market')
  t.equal(system.root, new URL('.', import.meta.url).pathname)
  t.equal(system.services.get('market')?.options, options, 'options are the very same object')
  t.equal(system.plugins.get('log')?.options, options)
  t.strictSame(
    system.services.get('market')?.internal.map(({ text }) => text),
    ['role:market'],
  )
  t.strictSame(market?.listen, { host: '::1', port: 7400, urls: ['https://market.example/peers'] })
  t.equal(market?.outside[0]?.auth, auth)
  t.strictSame(market?.outside[0]?.events, { in: ['role:market'], out: '*' })
  t.strictSame(market?.outside[1]?.origins, ['https://shop.example'])
  t.strictSame(market?.peers, ['convert', 'market'], 'replicas of a group always talk to each other')
  t.strictSame(system.limits, { timeoutMs: 5000, park: { unknown: true } })
  t.end()
})

t.test('a system is frozen, and told from its description, by other copies of the package too', (t) => {
  const system = defineSystem({ services, deployments: { one: { groups: { all: '*' } } } })
  const group = system.deployments.get('one')?.groups.get('all')
  for (const part of [system, system.services.get('rates'), group, group?.services, group?.listen, system.limits]) {
    t.ok(Object.isFrozen(part))
  }
  t.ok(isSystem(system))
  t.ok(isSystem(Object.defineProperty({}, Symbol.for('lucilius.system'), { value: true })), 'that of another copy')
  for (const other of [{ services }, { ...system }, undefined, null, 'system']) t.notOk(isSystem(other))
  t.end()
})

/** A description that is wrong in one way, and the line that says so. */
const wrong: readonly (readonly [description: unknown, line: string | RegExp])[] = [
  [[], 'description: an object with name, root, services, plugins, deployments, limits, not a list'],
  [undefined, /^description: missing: an object/],
  [new Map(), /^description: an object .*, not an object$/],
  [{}, 'services: missing: an object with services by name'],
  [{ services: [] }, 'services: an object with services by name, not a list'],
  [{ services: {} }, 'services: at least one service'],
  [{ services, deploymnets: {} }, "deploymnets: there is no such key: did you mean 'deployments'?"],
  [{ services, zzzzzzzzzzzzzz: {} }, /^zzzzzzzzzzzzzz: there is no such key: there are name, root, /],
  [{ services, name: 'a b' }, /^name: a name has 1 to 100 letters/],
  [{ services, root: './here' }, 'root: import.meta.url, or a folder as an absolute path'],
  [{ services, root: 'https://u:p@host.example/' }, 'root: import.meta.url, or a folder as an absolute path'],
  [{ services: { '': './a.js' } }, /^services\[""\]: a name has/],
  [{ services: { 'a b': './a.js' } }, /^services\["a b"\]: a name has/],
  [{ services: { '.a': './a.js' } }, /^services\["\.a"\]: a name has/],
  [{ services: { '-a': './a.js' } }, /^services\["-a"\]: a name has/],
  [{ services: { ['a'.repeat(101)]: './a.js' } }, /^services\["a+…"\]: a name has/],
  [{ services: { constructor: './a.js' } }, /^services.constructor: a name has/],
  [{ services: JSON.parse('{"__proto__":"./a.js"}') }, /^services.__proto__: a name has/],
  [{ services: { a: 1 } }, /^services.a: a path, a function that imports it, or an object with module, .*, not 1$/],
  [{ services: { a: '' } }, /^services.a: a path such as '.\/rates.js', .*, not ''$/],
  [{ services: { a: 'https://u:p@host.example/a.js' } }, /^services.a: a path .*; no other address$/],
  [
    { services: { a: (_app: unknown) => {} } },
    /^services.a: .*; this one takes an argument, as the set-up itself does$/,
  ],
  [{ services: { a: {} } }, /^services.a.module: missing: a path such as/],
  [
    { services: { a: { module: './a.js', singelton: true } } },
    /^services.a.singelton: .*: did you mean 'singleton'\?$/,
  ],
  [{ services: { a: { module: './a.js', singleton: 1 } } }, 'services.a.singleton: true or false, not 1'],
  [{ services: { a: { module: './a.js', uses: 'role:b' } } }, /^services.a.uses: a list of patterns .*, not 'role:b'$/],
  [
    { services: { a: { module: './a.js', uses: ['b:1', 'a:'] } } },
    /^services.a.uses\[1\]: Pattern "a:": the key "a" has no/,
  ],
  [{ services: { a: { module: './a.js', uses: [() => 1] } } }, /^services.a.uses\[0\]: a pattern .*, not a function$/],
  [
    { services: { a: { module: './a.js', internal: [{ a: [] }] } } },
    /^services.a.internal\[0\]: Pattern object: the value/,
  ],
  [writing('data'), "services.a.writes: a list of folders such as ['data'], not 'data'"],
  ...['', '.', '..', '../data', 'data/../..', '/var/data', 'C:\\data', 'a//b', 'a b', 'a:b', '-p', 7].map(
    (folder): [unknown, RegExp] => [
      writing(['data', folder]),
      /^services.a.writes\[1\]: a folder within that of the description, such as .*, not ('.*'|7)$/,
    ],
  ),
  [{ services, plugins: ['./log.js'] }, 'plugins: an object with plugins by name, not a list'],
  [{ services, plugins: { log: { module: './log.js', uses: [] } } }, /^plugins.log.uses: there is no such key/],
  [{ services, plugins: { rates: './log.js' } }, 'plugins.rates: there is a service of this name'],
  [{ services, limits: { timeout: 5 } }, "limits.timeout: there is no such key: did you mean 'timeoutMs'?"],
  [{ services, limits: { timeoutMs: 0 } }, 'limits.timeoutMs: a number of milliseconds above 0, not 0'],
  [{ services, limits: { drainMs: Number.NaN } }, 'limits.drainMs: a number of milliseconds above 0, not NaN'],
  [{ services, limits: { maxHops: 1.5 } }, 'limits.maxHops: a whole number of at least 1, not 1.5'],
  [{ services, limits: { park: { max: -1 } } }, 'limits.park.max: a whole number of at least 0, not -1'],
  [{ services, limits: { park: { unknown: 'yes' } } }, "limits.park.unknown: true or false, not 'yes'"],
  [{ services, limits: { retry: { ratio: -1 } } }, 'limits.retry.ratio: a number of at least 0, not -1'],
  [{ services, limits: [] }, /^limits: an object with timeoutMs, .*, not a list$/],
  [{ services, limits: { parity: 'off' } }, /^limits.parity: there is no such key: there are/],
  [{ services, deployments: { split: {} } }, 'deployments.split.groups: missing: an object with groups by name'],
  [{ services, deployments: { split: { groups: {} } } }, 'deployments.split.groups: at least one group'],
  [
    deployed({ a: '*' }, { transport: 'ws' }),
    "deployments.split.transport: 'websocket', 'http', 'nats' or 'amqp', not 'ws'",
  ],
  [
    deployed({ a: '*' }, { routes: { match: 'a:1', via: 'nats' } }),
    /^deployments.split.routes: a list such as .*, not an object$/,
  ],
  [routed({ match: 'a:1', via: 'smoke' }), /routes\[0\].via: 'websocket', .* or 'amqp', not 'smoke'$/],
  [routed({ match: 'a:', via: 'nats' }), /routes\[0\].match: Pattern "a:": the key "a" has no value/],
  [routed({ match: '', via: 'nats' }), /routes\[0\].match: the catch-all '' is what 'transport' is for$/],
  [routed({ match: 'a:1', via: 'nats', to: 'nats' }), /routes\[0\].to: there is no such key: there are match, via/],
  [
    routed({ match: 'a:1,b:2', via: 'nats' }, { match: 'b:2,a:1', via: 'amqp' }),
    /routes\[1\].match: there is a route for 'a:1,b:2' already$/,
  ],
  [
    routed({ match: 'a:1', via: 'http' }),
    /routes\[0\].via: the processes .* meet over 'websocket': routes lead to it or/,
  ],
  [deployed({ a: '*' }, { store: 'disk' }), /split.store: 'embedded', .* or false, not 'disk'$/],
  [
    deployed({ a: '*' }, { store: { embedded: '' } }),
    /split.store.embedded: a folder, relative to the description, not ''$/,
  ],
  [deployed({ a: '*' }, { store: { embedded: 'x', path: 'x' } }), /split.store.path: there is no such key/],
  [brokered({ nats: { server: 'nats://x' } }), /brokers.nats.server: there is no such key: did you mean 'servers'\?$/],
  [brokered({ nats: { servers: [] } }), /brokers.nats.servers: an address such as nats:\/\/127.0.0.1:4222, or a list/],
  [
    brokered({ nats: { servers: ['nats://x', 'http://x'] } }),
    /servers\[1\]: an address of a broker begins with nats:\/\/ or tls:\/\/ and a host$/,
  ],
  [
    brokered({ nats: { servers: 'nats://u:canary@x' } }),
    /brokers.nats.servers: a description holds no user and password: set LUCILIUS_NATS_CREDS/,
  ],
  [
    brokered({ amqp: { url: 'amqp://u:canary@x' } }),
    /brokers.amqp.url: .* no user and password: set LUCILIUS_AMQP_URL$/,
  ],
  [brokered({ amqp: { url: 'amqp://x?y=canary' } }), /brokers.amqp.url: an address has no '\?' and no '#'$/],
  [brokered({ nats: { creds: 7 } }), /brokers.nats.creds: the path of a file with credentials$/],
  [brokered({ nats: { tls: true } }), /brokers.nats.tls: an object with options of the client/],
  [brokered({ space: 'a.b' }), /brokers.space: at most 50 letters, digits, '-' and '_', not 'a.b'$/],
  [grouped({ amqp: { consumes: [] } }), /a.amqp.consumes: there is no such key: did you mean 'consume'\?$/],
  [grouped({ amqp: { consume: {} } }), /a.amqp.consume: a list of objects, not an object$/],
  [grouped({ amqp: { consume: [{ queue: 'q', as: 'a:' }] } }), /consume\[0\].as: Pattern "a:"/],
  [grouped({ amqp: { consume: [{ queue: 'q', as: 'a:*' }] } }), /consume\[0\].as: one event, without globs$/],
  [grouped({ amqp: { publish: [{ match: 'a:1', exchange: 'x', key: '' }] } }), /publish\[0\].key: a text, not ''$/],
  [deployed({ a: 1 }), /^deployments.split.groups.a: '\*', a list of services, or an object with services, .*, not 1$/],
  [deployed({ a: [] }), "deployments.split.groups.a: at least one service, or '*' for all"],
  [deployed({ a: {} }), "deployments.split.groups.a.services: missing: a list of services, or '*' for all"],
  [deployed({ a: ['rtes'] }), "deployments.split.groups.a[0]: there is no service 'rtes': did you mean 'rates'?"],
  [deployed({ a: ['rates', 'rates'] }), "deployments.split.groups.a[1]: 'rates' stands in this list twice"],
  [grouped({ services: [rates] }), 'deployments.split.groups.a.services[0]: the name of a service, not a function'],
  [grouped({ replicas: 0 }), 'deployments.split.groups.a.replicas: a whole number of at least 1, not 0'],
  [grouped({ replicas: '2' }), "deployments.split.groups.a.replicas: a whole number of at least 1, not '2'"],
  [grouped({ replicas: 1e6 }), 'deployments.split.groups.a.replicas: at most 1000, not 1000000'],
  [grouped({ peers: ['x'] }), "deployments.split.groups.a.peers[0]: there is no group 'x': did you mean 'a'?"],
  [grouped({ listen: { port: 65_536 } }), /listen.port: a whole number from 0 to 65535, not 65536$/],
  [
    grouped({ replicas: 3, listen: { port: 65_534 } }),
    /listen.port: replicas take 65534 and those that follow, .*65536/,
  ],
  [grouped({ listen: { host: 'http://localhost' } }), /listen.host: a name or an address to listen on/],
  [grouped({ listen: { host: '127.0.0.1:80' } }), /listen.host: a name or an address to listen on/],
  [grouped({ listen: { host: () => 'x' } }), /listen.host: a name or an address to listen on/],
  [grouped({ listen: { urls: 'ws://x' } }), /listen.urls: a list with one address for each replica$/],
  [
    grouped({ listen: { urls: ['http://x'] } }),
    /listen.urls\[0\]: an address begins with ws:\/\/ or wss:\/\/ and a host$/,
  ],
  [grouped({ listen: { urls: ['ws://u:canary@x'] } }), /listen.urls\[0\]: an address holds no user and password/],
  [grouped({ listen: { urls: ['ws://x/?token=canary'] } }), /listen.urls\[0\]: an address has no '\?' and no '#'$/],
  [grouped({ replicas: 2, listen: { urls: ['ws://x'] } }), /listen.urls: one address for each of 2 replicas, not 1$/],
  [grouped({ replicas: 2, listen: { urls: ['ws://x', 'ws://x'] } }), /listen.urls\[1\]: the same address as another/],
  [grouped({ outside: { transport: 'http' } }), /outside.expose: missing: a list of patterns .*, or '\*' for all$/],
  [opened({ transport: 'grpc' }), "deployments.split.groups.a.outside.transport: 'http' or 'websocket', not 'grpc'"],
  [opened({ transport: undefined }), /outside.transport: missing: 'http' or 'websocket'$/],
  [opened({ port: -1 }), /outside.port: a whole number from 0 to 65535, not -1$/],
  [
    opened({ expose: [''] }),
    /outside.expose\[0\]: the catch-all '' cannot be listed: name the patterns, or write '\*'/,
  ],
  [opened({ expose: 'role:rates' }), /outside.expose: a list of patterns .*, not 'role:rates'$/],
  [opened({ events: { on: '*' } }), /outside.events.on: there is no such key: did you mean 'in'\?$/],
  [opened({ events: { in: [''] } }), /outside.events.in\[0\]: the catch-all ''/],
  [opened({ auth: 'canary-secret-0123' }), /outside.auth: sharedSecret\('…'\), or a function \(request\) => identity$/],
  [opened({ origins: ['https://shop.example'] }), /outside.origins: only a 'websocket' door has origins$/],
  [opened({ example: 'a' }), /outside.example: .*"a"/],
  [opened({ example: 7 }), /outside.example: a message such as .*, not 7$/],
  [opened({ transport: 'websocket', origins: ['*'] }), /outside.origins\[0\]: scheme, host and port of pages/],
  [
    opened({ transport: 'websocket', origins: ['https://shop.example/page'] }),
    /outside.origins\[0\]: scheme, host and/,
  ],
  [opened({ tls: {} }), /outside.tls: there is no such key/],
  [grouped({ outside: [door(8080), door(8080)] }), /outside\[1\].port: another listener of this group has port 8080$/],
  [grouped({ listen: { port: 80, host: '0.0.0.0' }, outside: door(80) }), /outside.port: another listener .* port 80$/],
  [
    deployed({ a: { services: '*', replicas: 2 }, 'a.1': '*' }),
    /groups\["a.1"\]: replica 1 of 'a' is called so: rename it$/,
  ],
  [deployed({ 'a-b': '*', 'a.b': '*' }), /\["a.b"\]: LUCILIUS_PEERS_A_B would mean 'a-b' as well: rename it$/],
  [
    lonely({ a: { services: ['market'], replicas: 2 } }),
    "deployments.split.groups.a.replicas: 1, as 'market' is a singleton, not 2",
  ],
  ...(
    [
      [{ mdns: true }, "discovery.mdns: there is no such key: did you mean 'dns'?"],
      [{ dns: 'canary:1' }, "discovery.dns: a name with {group} in it, such as '{group}.shop.svc.cluster.local:7400'"],
      [{ dns: {} }, 'discovery.dns.name: missing: a name with {group} in it'],
      [
        { dns: { name: '{group}:1', servers: ['ns'] } },
        /servers\[0\]: the address of a DNS server, such as .*, not 'ns'$/,
      ],
      [{ dns: { name: '{group}:1', servers: ['127.0.0.1:99999'] } }, /servers\[0\]: the address of a DNS server/],
      [{ dns: { name: '{group}:1', servers: ['10.0.0.2:0'] } }, /servers\[0\]: the address of a DNS server/],
      [{ etcd: 'ftp://canary' }, 'discovery.etcd: an address of etcd begins with http:// or https:// and a host'],
      [
        { etcd: ['http://u:p@e'] },
        /discovery\.etcd\[0\]: an address holds no user and password: set LUCILIUS_ETCD_USER/,
      ],
      [{ etcd: { leaseMs: 5 } }, 'discovery.etcd.leaseMs: a whole number from 2000 to 3600000, not 5'],
      [{ multicast: 'yes' }, "discovery.multicast: true, or an object with group, port, not 'yes'"],
      [
        { multicast: { group: '10.0.0.1' } },
        /multicast\.group: an IPv4 address from 224\.0\.0\.0 to .*, not '10\.0\.0\.1'$/,
      ],
    ] as const
  ).map(([discovery, line]): [unknown, string | RegExp] => [
    deployed({ a: '*' }, { discovery }),
    typeof line === 'string' ? `deployments.split.${line}` : line,
  ]),
  ...['a'.repeat(64), 'a..b', 'a.'].map((name): [unknown, RegExp] => [
    deployed({ [name]: '*' }, { discovery: { dns: '{group}.shop.test:7400' } }),
    /^deployments\.split\.groups.*: DNS has no name 'a.*\.shop\.test': .* 1 to 63 characters/,
  ]),
  [
    deployed({ a: { services: '*', listen: { urls: [`ws://h/${'a'.repeat(1000)}`] } } }),
    /listen\.urls\[0\]: an address has at most 1000 characters$/,
  ],
  [
    deployed({ a: '*' }, { transport: 'nats', discovery: { multicast: true } }),
    "deployments.split.discovery: over 'nats' processes find each other at the broker: leave it out",
  ],
  [lonely({ a: ['market'], b: '*' }), "deployments.split.groups.b: 'market' is a singleton, and in 'a' already"],
]

t.test('a wrong description is refused with the path of the wrong key and what is allowed there', (t) => {
  for (const [description, line] of wrong) {
    const { message } = refusalOf(description)
    t.match(message, typeof line === 'string' ? new RegExp(`^${escaped(line)}$`) : line, message)
    t.notMatch(message, /\n|canary|u:p/, 'one line for one mistake, and no secret in it')
  }
  t.end()
})

t.test('everything that is wrong with a description is told at once, a line each', (t) => {
  const error = refusalOf({
    servces: {},
    services: { a: './a.js', b: { module: './b.js', uses: ['a:'] } },
    deployments: {
      split: { groups: { a: { services: ['aa'], replicas: 0, outside: { transport: 'http', expose: [''] } } } },
    },
  })
  t.strictSame(
    error.message.split('\n').map((line) => line.slice(0, line.indexOf(': '))),
    [
      'servces',
      'services.b.uses[0]',
      'deployments.split.groups.a.replicas',
      'deployments.split.groups.a.outside.expose[0]',
      'deployments.split.groups.a.services[0]',
    ].sort((a, b) => error.message.indexOf(a) - error.message.indexOf(b)),
  )
  const { problems } = error.details as { problems: { path: string; message: string; kind: string }[] }
  t.equal(problems.map(({ path, message }) => `${path}: ${message}`).join('\n'), error.message, 'for programs too')
  t.ok(problems.some(({ kind }) => kind === 'UNKNOWN_SERVICE'))
  t.end()
})

t.test('routes are sorted by the rule of matching, and brokers are kept as they are described', (t) => {
  const { deployments } = defineSystem({
    services,
    deployments: {
      split: {
        transport: 'nats',
        routes: [
          { match: 'role:rates', via: 'http' },
          { match: { role: 'rates', cmd: '*' }, via: 'nats' },
          { match: 'cmd:get,role:rates', via: 'amqp' },
        ],
        brokers: { nats: { servers: 'nats://n:4222' }, amqp: { url: 'amqps://r/shop' } },
        store: 'embedded',
        groups: { a: { services: '*', listen: { urls: ['http://a'] } } },
      },
    },
  })
  const { routes, brokers, store, transport } = deployments.get('split') as Deployment
  t.equal(transport, 'nats')
  t.strictSame(
    routes.map(({ match, via }) => [match.text, via]),
    [
      ['cmd:get,role:rates', 'amqp'],
      ['cmd:*,role:rates', 'nats'],
      ['role:rates', 'http'],
    ],
  )
  t.strictSame([brokers.nats.servers, brokers.amqp.url], [['nats://n:4222'], 'amqps://r/shop'])
  t.strictSame(store, { kind: 'embedded', path: undefined })
  t.end()
})

t.test('how processes find each other may be said in a word or in full', (t) => {
  const found = (discovery: DiscoveryDescription) => {
    const { deployments } = defineSystem({ services, deployments: { lan: { discovery, groups: { a: '*' } } } })
    return deployments.get('lan')?.discovery
  }
  t.strictSame(found({ dns: '{group}.shop.svc:7400', etcd: 'http://e:2379', multicast: true }), {
    dns: { name: '{group}.shop.svc', port: 7400, servers: undefined },
    etcd: { servers: ['http://e:2379'], leaseMs: 10_000 },
    multicast: { group: '239.255.76.85', port: 7685 },
  })
  const full = {
    dns: { name: '_peers._tcp.{group}.shop', servers: ['[::1]:5353', '10.0.0.2'] },
    etcd: { servers: ['http://a:1', 'https://b'], leaseMs: 3000 },
    multicast: { port: 7000 },
  }
  t.strictSame(found(full), {
    dns: { name: '_peers._tcp.{group}.shop', port: undefined, servers: ['[::1]:5353', '10.0.0.2'] },
    etcd: { servers: ['http://a:1', 'https://b'], leaseMs: 3000 },
    multicast: { group: '239.255.76.85', port: 7000 },
  })
  t.strictSame(found({ etcd: {}, multicast: false }), {
    dns: undefined,
    etcd: { servers: ['http://127.0.0.1:2379'], leaseMs: 10_000 },
    multicast: undefined,
  })
  t.end()
})

t.test('folders that a service writes to may be said as paths of modules are', (t) => {
  const writes = ['./data', 'var/spool/', '.cache']
  const { services } = defineSystem({ services: { a: { module: './a.js', writes } } })
  t.strictSame(services.get('a')?.writes, ['data', 'var/spool', '.cache'])
  t.end()
})

t.test('a service may be in two groups, and both are replicas of it', (t) => {
  const system = defineSystem({ services, deployments: { split: { groups: { a: '*', b: ['rates'] } } } })
  t.strictSame(
    [...(system.deployments.get('split')?.groups.values() ?? [])].map((group) => group.services),
    [['rates', 'convert'], ['rates']],
  )
  t.end()
})

t.test('groups may share a port, as they may run on two machines, and so may hosts of one', (t) => {
  const a = { services: '*', listen: { port: 7400 }, outside: { ...door(7400), host: '127.0.0.2' } }
  t.doesNotThrow(() => define(deployed({ a, b: { services: '*', listen: { port: 7400 } } })))
  t.end()
})

t.test('a root may be the folder itself', (t) => {
  const here = new URL('.', import.meta.url)
  for (const root of [here.href, here.pathname, pathToFileURL(here.pathname).href]) {
    t.equal(defineSystem({ services, root }).root?.replace(/\/?$/, '/'), here.pathname)
  }
  t.end()
})

t.test('the docs have every key of a description, and no other', (t) => {
  const page = docPages().find(({ path }) => path === 'docs/system.md') as Page // it is there
  const listen: Required<PeerListen> = { host: '::1', port: 1, urls: ['ws://[::1]:1'] }
  const outside: Required<OutsideDescription> = {
    transport: 'websocket',
    port: 2,
    host: '::1',
    expose: '*',
    events: { in: '*', out: [] },
    auth: () => true,
    origins: ['https://shop.example'],
    example: 'd:1',
  }
  const queue: Required<ForeignQueue> = { queue: 'q', as: 'a:1', durable: true, exchange: 'x', key: ['k'], prefetch: 8 }
  const exchange: Required<ForeignExchange> = { match: 'a:1', exchange: 'x', key: 'k', durable: 'd' }
  const amqp: Required<ForeignDescription> = { consume: [queue], publish: [exchange] }
  const group: Required<GroupDescription<'a'>> = { services: ['a'], replicas: 1, listen, outside, peers: ['g'], amqp }
  const route: Required<RouteDescription> = { match: 'a:1', via: 'nats' }
  const nats: Required<NatsDescription> = { servers: ['nats://n'], creds: 'nats.creds', tls: {} }
  const rabbit: Required<AmqpDescription> = { url: 'amqps://r/shop', tls: {} }
  const brokers: Required<BrokersDescription> = { space: 'shop', nats, amqp: rabbit }
  const dns: Required<DnsDescription> = { name: '{group}.shop:1', servers: ['127.0.0.1:5353'] }
  const etcd: Required<EtcdDescription> = { servers: ['http://e:2379'], leaseMs: 5000 }
  const multicast: Required<MulticastDescription> = { group: '239.1.2.3', port: 1 }
  const discovery: Required<DiscoveryDescription> = { dns, etcd, multicast }
  const deployment: Required<DeploymentDescription<'a'>> = {
    transport: 'websocket',
    routes: [route],
    brokers,
    discovery,
    store: { embedded: 'events' },
    groups: { g: group },
  }
  const service: Required<ServiceDescription> = {
    module: './a.js',
    options: 1,
    singleton: true,
    uses: ['b:1'],
    emits: ['e:1'],
    internal: ['c:1'],
    writes: ['data'],
  }
  const plugin: Required<PluginDescription> = { module: './b.js', options: 1 }
  const limits: Required<Limits> = {
    timeoutMs: 1,
    maxTimeoutMs: 1,
    maxHops: 1,
    maxAbandoned: 1,
    maxClientEvents: 1,
    park: { max: 1, maxBytes: 1, unknown: true },
    retry: { attempts: 1, ratio: 1, perSecond: 1 },
    drainMs: 1,
    forgetMs: 1,
  }
  const description: Required<SystemDescription<'a'>> = {
    name: 'shop',
    root: '/srv',
    services: { a: service },
    plugins: { p: plugin },
    deployments: { d: deployment },
    limits,
  }
  t.doesNotThrow(() => defineSystem(description))
  const told = {
    'the description': description,
    'a service': service,
    'a plugin': plugin,
    'a deployment': deployment,
    'a group': group,
    'a route': route,
    brokers,
    'brokers.nats': nats,
    'brokers.amqp': rabbit,
    discovery,
    'discovery.dns': dns,
    'discovery.etcd': etcd,
    'discovery.multicast': multicast,
    'consume[]': queue,
    'publish[]': exchange,
    listen,
    'a door': outside,
    limits,
  }
  for (const [what, object] of Object.entries(told)) {
    const keys = tableRows(page, [`key of ${what}`, 'default', 'means']).map(([key]) => key)
    t.strictSame(keys.sort(), Object.keys(object).sort(), what)
  }
  t.end()
})

// The records speak of a configuration of one process: `listen` are doors, `client` addresses of peers, `timeout` a limit.
// No expectation is weakened. Where a description has nothing of the kind (a bound on the bytes of a door, a dashboard) the
// key is unknown, whatever its value; a number of bytes stands in `limits.park` too, and is tried there as well.
t.test('a bad configuration is refused when it is read', (t) => {
  const records = badInputs('config')
  t.ok(records.length > 10)
  for (const record of records) {
    for (const description of inOurs(record)) {
      const { message } = refusalOf(description)
      t.notMatch(message, /u:p|\n\s+at /, `${record.id} ${record.name}: ${message}`)
    }
  }
  t.end()
})

t.test('a misspelt key of a configuration is named, with the nearest known', (t) => {
  const record = badInputs('config').find(({ name }) => name.startsWith('unknown key')) as BadInput // it is there
  for (const description of inOurs(record)) {
    t.match(refusalOf(description).message, /groups.a.lisen: there is no such key: did you mean 'listen'\?$/)
  }
  t.end()
})

interface Strawman {
  readonly listen?: readonly { readonly type: string; readonly bodyLimit?: number }[]
  readonly client?: readonly { readonly type: string; readonly url: string }[]
  readonly timeout?: unknown
}

/** What a record says, as descriptions of ours; each is to be refused. */
function inOurs({ input }: BadInput): unknown[] {
  const { listen, client, timeout, ...rest } = parsed(input)
  if (listen !== undefined) {
    const limits = listen.flatMap(({ bodyLimit }) =>
      bodyLimit === undefined ? [] : [{ park: { maxBytes: bodyLimit } }],
    )
    const outside = listen.map(({ type, ...door }) => ({
      transport: type === 'ws' ? 'websocket' : type,
      expose: ['role:rates'],
      ...door,
    }))
    return [grouped({ outside }), ...limits.map((limits) => ({ services, limits }))]
  }
  if (client !== undefined) {
    return client.map(({ type, url }) =>
      deployed({ a: { services: '*', listen: { urls: [url] } } }, { transport: type }),
    )
  }
  if (timeout !== undefined) return [{ services, limits: { timeoutMs: timeout } }]
  if ('lisen' in rest) return [grouped(rest)]
  return [typeof parsed(input) === 'object' && !Array.isArray(parsed(input)) ? { services, ...rest } : parsed(input)]
}

/**
 * The record as data. One is cut off and no JSON: a description is a program here, so that the place of a syntax error is
 * told where files are loaded. Its text is what `defineSystem` may get, and refuses.
 */
function parsed(input: string): Strawman {
  try {
    return JSON.parse(input)
  } catch {
    return input as Strawman // a text, which has none of the keys
  }
}

function writing(writes: unknown): unknown {
  return { services: { a: { module: './a.js', writes } } }
}

function deployed(groups: unknown, rest: object = {}): unknown {
  return { services, deployments: { split: { groups, ...rest } } }
}

function routed(...routes: readonly object[]): unknown {
  return deployed({ a: '*' }, { routes })
}

function brokered(brokers: object): unknown {
  return deployed({ a: '*' }, { brokers })
}

function grouped(group: object): unknown {
  return deployed({ a: { services: '*', ...group } })
}

function opened(outside: object): unknown {
  return grouped({ outside: { transport: 'http', expose: '*', ...outside } })
}

function lonely(groups: unknown): unknown {
  const market = { module: './market.js', singleton: true }
  return { services: { market, rates: './rates.js' }, deployments: { split: { groups } } }
}

function door(port: number): { transport: 'http'; expose: '*'; port: number } {
  return { transport: 'http', expose: '*', port }
}

function rates(): void {}

/** For descriptions that no compiler would let through. */
function define(description: unknown): System {
  return defineSystem(description as never)
}

function refusalOf(description: unknown): LuciliusError {
  try {
    define(description)
  } catch (error) {
    if (error instanceof LuciliusError && error.code === 'LUC_OPTIONS_INVALID') return error
    throw error
  }
  throw new Error(`It was accepted: ${JSON.stringify(description)}`)
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
