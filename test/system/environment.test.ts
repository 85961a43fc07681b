import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import t from 'tap'
import { addressesOf, readEnvironment } from '../../lib/system/environment.js'
import { environmentTable } from '../../lib/system/environment-table.js'
import { readSecret } from '../../lib/system/secret.js'
import { docPages, type Page, tableRows } from '../docs/pages.js'

const secret = 'canary-0123456789'

t.test('without a variable nothing is overridden', (t) => {
  const nothing = { host: undefined, port: undefined }
  const expected = {
    config: undefined,
    listen: nothing,
    replica: undefined,
    peers: new Map(),
    advertise: undefined,
    doors: { http: nothing, websocket: nothing },
    health: nothing,
    logLevel: undefined,
    drainMs: undefined,
    runDir: undefined,
    warnings: [],
  }
  t.strictSame({ ...readEnvironment({ HOME: '/', PORT: '1' }) }, expected)
  const empty = Object.fromEntries(
    environmentTable.filter(({ name }) => !name.includes('SECRET')).map(({ name }) => [name, '']),
  )
  t.strictSame({ ...readEnvironment(empty), warnings: [] }, expected, 'and an empty one is none')
  t.end()
})

t.test('each variable says what the table says', (t) => {
  const environment = readEnvironment({
    LUCILIUS_CONFIG: 'shop.config.js',
    LUCILIUS_SECRET: secret,
    LUCILIUS_HOST: '0.0.0.0',
    LUCILIUS_PORT: '7400',
    LUCILIUS_REPLICA: '2',
    LUCILIUS_PEERS_RATES: 'ws://a:7400/ws, ws://b:7400/ws',
    LUCILIUS_PEERS_MY_GROUP: 'https://c',
    LUCILIUS_ADVERTISE: '10.0.0.7',
    LUCILIUS_DNS: '{group}.shop.svc:7400',
    LUCILIUS_ETCD_URL: 'http://a:2379, https://b:2379',
    LUCILIUS_ETCD_USER: 'shop',
    LUCILIUS_ETCD_PASSWORD: 'canary',
    LUCILIUS_MULTICAST: '239.1.2.3:7685',
    LUCILIUS_HTTP_HOST: '::',
    LUCILIUS_HTTP_PORT: '8080',
    LUCILIUS_WEBSOCKET_HOST: 'localhost',
    LUCILIUS_WEBSOCKET_PORT: '0',
    LUCILIUS_HEALTH_HOST: '0.0.0.0',
    LUCILIUS_HEALTH_PORT: '7480',
    LUCILIUS_SPACE: 'shop-staging',
    LUCILIUS_NATS_URL: 'nats://a:4222, tls://b',
    LUCILIUS_NATS_USER: 'shop',
    LUCILIUS_NATS_PASSWORD: 'canary',
    LUCILIUS_AMQP_URL: 'amqp://shop:canary@rabbit:5672',
    LUCILIUS_LOG_LEVEL: 'silent',
    LUCILIUS_DRAIN_MS: '30000',
    LUCILIUS_RUN_DIR: '/run/shop',
  })
  const { listen, doors, health, warnings, peers, ...plain } = environment
  t.strictSame(plain, {
    config: 'shop.config.js',
    replica: 2,
    advertise: '10.0.0.7',
    logLevel: 'silent',
    drainMs: 30_000,
    runDir: '/run/shop',
  })
  t.strictSame(listen, { host: '0.0.0.0', port: 7400 })
  t.strictSame(health, { host: '0.0.0.0', port: 7480 })
  t.strictSame(doors, { http: { host: '::', port: 8080 }, websocket: { host: 'localhost', port: 0 } })
  t.strictSame(addressesOf(environment, 'rates'), ['ws://a:7400/ws', 'ws://b:7400/ws'])
  t.strictSame(addressesOf(environment, 'my-group'), ['https://c'])
  t.equal(addressesOf(environment, 'other'), undefined)
  t.strictSame(warnings, [])
  t.equal(peers.size, 2)
  const { space, nats, amqp } = environment.brokers
  t.equal(space, 'shop-staging')
  t.strictSame(nats.servers, ['nats://a:4222', 'tls://b'])
  t.strictSame(
    [nats.user, nats.password, nats.token, nats.nkey, nats.creds],
    ['shop', 'canary', undefined, undefined, undefined],
  )
  t.equal(amqp.url, 'amqp://shop:canary@rabbit:5672')
  const { dns, etcd, multicast } = environment.discovery
  t.strictSame(dns, { name: '{group}.shop.svc', port: 7400 })
  t.strictSame(etcd, { servers: ['http://a:2379', 'https://b:2379'], user: 'shop', password: 'canary' })
  t.strictSame(multicast, { group: '239.1.2.3', port: 7685 })
  t.notMatch(`${inspect(environment)}${JSON.stringify(environment)}`, /canary/, 'what proves who we are is not printed')
  t.end()
})

t.test('a wrong variable is refused by its name, all of them at once', (t) => {
  const wrong: readonly (readonly [name: string, value: string, message: RegExp])[] = [
    ['LUCILIUS_PORT', '65536', /^LUCILIUS_PORT: a whole number from 0 to 65535, not '65536'$/],
    ['LUCILIUS_PORT', '0x10', /not '0x10'$/],
    ['LUCILIUS_PORT', '-1', /not '-1'$/],
    ['LUCILIUS_PORT', ' 80', /not ' 80'$/],
    ['LUCILIUS_HTTP_PORT', '1e3', /^LUCILIUS_HTTP_PORT: /],
    ['LUCILIUS_REPLICA', '0', /^LUCILIUS_REPLICA: a whole number from 1 to 1000, not '0'$/],
    ['LUCILIUS_DRAIN_MS', '10s', /^LUCILIUS_DRAIN_MS: a whole number from 1 to 2147483647, not '10s'$/],
    ['LUCILIUS_HOST', 'http://localhost', /^LUCILIUS_HOST: a name or an address to listen on/],
    ['LUCILIUS_WEBSOCKET_HOST', 'localhost:80', /^LUCILIUS_WEBSOCKET_HOST: a name or an address/],
    ['LUCILIUS_LOG_LEVEL', 'loud', /^LUCILIUS_LOG_LEVEL: 'trace', .* or 'silent', not 'loud'$/],
    [
      'LUCILIUS_PEERS_A',
      'ftp://canary',
      /^LUCILIUS_PEERS_A: an address begins with ws:\/\/ or .*; commas separate several$/,
    ],
    ['LUCILIUS_PEERS_A', 'ws://a,', /^LUCILIUS_PEERS_A: an address begins with/],
    ['LUCILIUS_PEERS_A', 'ws://u:canary@a', /^LUCILIUS_PEERS_A: an address holds no user and password/],
    ['LUCILIUS_SPACE', 'a b', /^LUCILIUS_SPACE: at most 50 letters, digits, '-' and '_'$/],
    ['LUCILIUS_NATS_URL', 'http://canary', /^LUCILIUS_NATS_URL: an address of a broker begins with nats:.*; commas/],
    ['LUCILIUS_NATS_USER', 'canary', /^LUCILIUS_NATS_USER: a user has a password: set LUCILIUS_NATS_USER and/],
    ['LUCILIUS_AMQP_URL', 'rabbit:canary', /^LUCILIUS_AMQP_URL: an address of a broker begins with amqp:\/\/ or/],
    ['LUCILIUS_ADVERTISE', 'ws://canary', /^LUCILIUS_ADVERTISE: a name or an address/],
    ['LUCILIUS_ADVERTISE', '0.0.0.0', /^LUCILIUS_ADVERTISE: a name or an address at which others reach this process/],
    ['LUCILIUS_ADVERTISE', '::', /^LUCILIUS_ADVERTISE: a name or an address at which others reach this process/],
    ['LUCILIUS_DNS', 'canary:7400', /^LUCILIUS_DNS: a name with \{group\} in it, such as '\{group\}\.shop/],
    ['LUCILIUS_DNS', '{group}.shop.svc', /^LUCILIUS_DNS: a port from 1 to 65535 behind the name, such as \{group\}/],
    ['LUCILIUS_DNS', '_peers._tcp.{group}.shop:1', /^LUCILIUS_DNS: SRV records say the port themselves/],
    ['LUCILIUS_DNS', '{group} canary:1', /^LUCILIUS_DNS: a name has letters, digits, dots, - and _$/],
    ['LUCILIUS_ETCD_URL', 'http://a,ftp://canary', /^LUCILIUS_ETCD_URL: an address of etcd begins with http.*; commas/],
    ['LUCILIUS_ETCD_URL', 'http://u:canary@a', /^LUCILIUS_ETCD_URL: .*no user and password: set LUCILIUS_ETCD_USER/],
    ['LUCILIUS_ETCD_URL', 'http://a/canary', /^LUCILIUS_ETCD_URL: an address of etcd has no path; commas/],
    ['LUCILIUS_ETCD_USER', 'canary', /^LUCILIUS_ETCD_USER: a user has a password: set LUCILIUS_ETCD_USER and/],
    ['LUCILIUS_MULTICAST', '10.0.0.1:7685', /^LUCILIUS_MULTICAST: an IPv4 address from 224\.0\.0\.0 to/],
    ['LUCILIUS_MULTICAST', '239.0.0.1:0', /^LUCILIUS_MULTICAST: an IPv4 address/],
    ['LUCILIUS_SECRET', 'canary', /^LUCILIUS_SECRET: a secret has at least 16 printable characters and no space/],
    ['LUCILIUS_SECRET', '', /^LUCILIUS_SECRET: a secret has at least 16/],
    [
      'LUCILIUS_SECRET_FILE',
      '/nowhere/at/all',
      /^LUCILIUS_SECRET_FILE: the file '\/nowhere\/at\/all' cannot be read \(ENOENT\)/,
    ],
  ]
  for (const [name, value, message] of wrong) {
    const said = refusalOf({ [name]: value })
    t.match(said, message)
    t.notMatch(said, /canary|\n/)
  }
  const lines = refusalOf({ LUCILIUS_PORT: 'x', LUCILIUS_SECRET: 'x', LUCILIUS_REPLICA: 'x' }).split('\n')
  t.strictSame(lines.map((line) => line.split(':')[0]).sort(), ['LUCILIUS_PORT', 'LUCILIUS_REPLICA', 'LUCILIUS_SECRET'])
  t.end()
})

t.test('a name that nobody reads is warned of, with the nearest that somebody does', (t) => {
  const { warnings } = readEnvironment({ LUCILIUS_PROT: '80', LUCILIUS_PEERS_rates: 'canary', LUCILIUS_FOO: '1' })
  t.strictSame(warnings, [
    'LUCILIUS_PROT: lucilius reads no such variable: did you mean LUCILIUS_PORT?',
    'LUCILIUS_PEERS_rates: lucilius reads no such variable',
    'LUCILIUS_FOO: lucilius reads no such variable',
  ])
  const peers = { LUCILIUS_PEERS_RATS: 'ws://a', LUCILIUS_PEERS_CONVERT: 'ws://b' }
  t.strictSame(readEnvironment(peers).warnings, [], 'before it is known which groups there are, any may be meant')
  t.strictSame(readEnvironment(peers, ['rates', 'convert']).warnings, [
    'LUCILIUS_PEERS_RATS: no group of this deployment is called so: did you mean LUCILIUS_PEERS_RATES?',
  ])
  t.end()
})

t.test('a secret is read from a variable or a file, and never printed', (t) => {
  const file = join(t.testdir(), 'secret')
  writeFileSync(file, `${secret}\n`)
  t.equal(readSecret({}), undefined)
  t.equal(readSecret({ LUCILIUS_SECRET: secret }), secret)
  t.equal(readSecret({ LUCILIUS_SECRET_FILE: file }), secret)
  t.equal(readSecret({ LUCILIUS_SECRET: secret, LUCILIUS_SECRET_FILE: file }), secret, 'the same twice is no mistake')
  t.throws(() => readSecret({ LUCILIUS_SECRET: `${secret}!`, LUCILIUS_SECRET_FILE: file }), {
    code: 'LUC_OPTIONS_INVALID',
    message: /^LUCILIUS_SECRET and LUCILIUS_SECRET_FILE give two secrets: set one of them\.$/,
  })
  const environment = readEnvironment({ LUCILIUS_SECRET_FILE: file })
  t.equal(environment.secret, secret)
  t.notMatch(`${inspect(environment)}${JSON.stringify(environment)}`, /canary/)
  t.end()
})

t.test('the docs have the table of variables, and an example of each that is read', (t) => {
  const page = docPages().find(({ path }) => path === 'docs/system.md') as Page
  const rows = tableRows(page, ['variable', 'says', 'example'])
  t.strictSame(
    rows,
    environmentTable.map(({ name, meaning, example }) => [name, meaning, example]),
  )
  const examples = environmentTable.map(({ name, example }) => [name.replace('<GROUP>', 'RATES'), example])
  const { LUCILIUS_SECRET, LUCILIUS_SECRET_FILE, ...plain } = Object.fromEntries(examples)
  t.strictSame(readEnvironment(plain).warnings, [])
  t.end()
})

function refusalOf(variables: Readonly<Record<string, string>>): string {
  try {
    readEnvironment(variables)
  } catch (error) {
    const { code, message } = error as { code: string; message: string }
    if (code === 'LUC_OPTIONS_INVALID') return message
    throw error
  }
  throw new Error(`It was accepted: ${JSON.stringify(variables)}`)
}
