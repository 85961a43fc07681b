import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { nkeys } from '@nats-io/transport-node'
import t, { type Test } from 'tap'
import { type NatsOptions, nats } from '../../../transports/nats/index.js'
import { failureOf } from '../../core/failure.js'
import { skipWithout, startNats } from '../../support/brokers.js'
import { repoRoot } from '../../support/repo-root.js'
import { foreigner, made, newSpace } from './means.js'

const skip = skipWithout('nats-server')

function test(title: string, run: (t: Test) => Promise<void>): void {
  t.test(title, { skip }, run)
}

/** Two apps meet over a broker, with one transport each. */
async function meet(t: Test, options: NatsOptions): Promise<void> {
  const space = newSpace()
  const service = made(t, 'service')
  service.add('a:1', () => 'one')
  const listener = await service.listen(nats({ ...options, space }), { expose: '*' })
  t.notMatch(listener.url, /secret|sesame|SU[A-Z0-9]{20}/)
  const caller = made(t, 'caller')
  await caller.connect(nats({ ...options, space }))
  t.equal(await caller.act('a:1'), 'one')
}

/** What each end says to options that the broker refuses; what it says never shows what should be kept. */
async function refused(t: Test, options: NatsOptions, code = 'LUC_UNAUTHENTICATED'): Promise<void> {
  const connecting = await failureOf(made(t, 'caller').connect(nats(options)))
  t.match(connecting, { code })
  const listening = await failureOf(made(t, 'service').listen(nats(options), { expose: [] }))
  const expected = code === 'LUC_OPTIONS_INVALID' ? { code } : { code: 'LUC_LISTEN_FAILED', cause: { code } }
  t.match(listening, expected)
  for (const { message } of [connecting, listening]) t.notMatch(message, /secret|wrong|SU[A-Z0-9]{20}/)
}

test('user and password, in the address or beside it', async (t) => {
  const { url, port } = await startNats(t, { config: 'authorization { user: app, password: "open/sesame" }' })
  await meet(t, { servers: url, user: 'app', pass: 'open/sesame' })
  await meet(t, { servers: `nats://app:open%2Fsesame@127.0.0.1:${port}` })
  await refused(t, { servers: url })
  await refused(t, { servers: url, user: 'app', pass: 'wrong' })
  await refused(t, { servers: `nats://app:wrong-secret@127.0.0.1:${port}` })
})

test('a token', async (t) => {
  const { url, port } = await startNats(t, { config: 'authorization { token: "a-secret-token" }' })
  await meet(t, { servers: url, token: 'a-secret-token' })
  await meet(t, { servers: `a-secret-token@127.0.0.1:${port}` })
  await refused(t, { servers: url, token: 'wrong' })
})

test('an NKey', async (t) => {
  const user = nkeys.createUser()
  const { url } = await startNats(t, { config: `authorization { users: [ { nkey: ${user.getPublicKey()} } ] }` })
  await meet(t, { servers: url, nkey: seedOf(user) })
  await refused(t, { servers: url, nkey: seedOf(nkeys.createUser()) })
  await refused(t, { servers: url, nkey: 'SUWRONGWRONGWRONGWRONGWRONG' }, 'LUC_OPTIONS_INVALID')
})

test('a credentials file, read anew when the connection is', async (t) => {
  const operator = nkeys.createOperator()
  const account = nkeys.createAccount()
  const claims = { type: 'account', version: 2, limits: unlimited }
  const operatorJwt = jwtOf(operator.getPublicKey(), operator, { type: 'operator', version: 2 })
  const system = nkeys.createAccount()
  const lines = [
    `operator: ${operatorJwt}`,
    `system_account: ${system.getPublicKey()}`,
    'resolver: MEMORY',
    `resolver_preload: {`,
    ...[account, system].map((one) => `${one.getPublicKey()}: ${jwtOf(one.getPublicKey(), operator, claims)}`),
    '}',
  ]
  const broker = await startNats(t, { config: lines.join('\n') })
  const creds = join(broker.folder, 'app.creds')
  const write = () => {
    const user = nkeys.createUser()
    writeFileSync(creds, credsOf(jwtOf(user.getPublicKey(), account, { type: 'user', version: 2, ...unlimited }), user))
  }
  write()
  await meet(t, { servers: broker.url, creds })
  const other = nkeys.createAccount()
  const stranger = nkeys.createUser()
  writeFileSync(
    creds,
    credsOf(jwtOf(stranger.getPublicKey(), other, { type: 'user', version: 2, ...unlimited }), stranger),
  )
  await refused(t, { servers: broker.url, creds })
  writeFileSync(creds, 'no secret')
  await refused(t, { servers: broker.url, creds }, 'LUC_OPTIONS_INVALID')
  await refused(t, { servers: broker.url, creds: join(broker.folder, 'none') }, 'LUC_OPTIONS_INVALID')
  write()
  await meet(t, { servers: broker.url, creds })
})

test('TLS', async (t) => {
  const config = ({ folder }: { folder: string }) => {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
    try {
      const args = ['req', '-x509', ...curve, '-nodes', '-keyout', key, '-out', cert, ...subject]
      execFileSync('openssl', args, { stdio: 'ignore' })
    } catch {
      return ''
    }
    return `tls { cert_file: "${cert}", key_file: "${key}" }`
  }
  const { url, port, folder } = await startNats(t, { config })
  let ca: Buffer
  try {
    ca = readFileSync(join(folder, 'cert.pem'))
  } catch {
    t.pass('there is no openssl here to make a certificate with')
    return
  }
  await meet(t, { servers: url, tls: { ca } })
  await meet(t, { servers: `tls://localhost:${port}`, tls: { ca } })
  t.match(await failureOf(nats({ servers: url }).listen({} as never)), {
    code: 'LUC_LISTEN_FAILED',
    message: /certificate/,
  })
  const plain = await startNats(t)
  t.match(await failureOf(nats({ servers: plain.url, tls: {} }).listen({} as never)), { message: /tls/ })
})

test('the permissions of docs/nats.md are all that is needed, and they hold', async (t) => {
  const page = readFileSync(join(repoRoot(), 'docs/nats.md'), 'utf8')
  const block = /^```conf\n(.*?)^```$/ms.exec(page)?.[1] ?? ''
  t.match(block, /permissions/)
  const config = block.replace('$SERVICE_PASSWORD', 's').replace('$CLIENT_PASSWORD', 'c')
  const { url: servers } = await startNats(t, { config })
  const service = { servers, space: 'shop', user: 'service', pass: 's' }
  const client = { servers, space: 'shop', user: 'client', pass: 'c' }
  const rates = made(t, 'rates')
  rates.add('role:rates,cmd:get', () => 0.5)
  const listener = await rates.listen(nats(service), { expose: '*', events: { out: '*' } })
  await rates.listen(nats(service), { expose: '*', audience: 'clients' })
  const other = made(t, 'other')
  const seen = new Promise((resolve) => other.on('role:rates,event:changed', resolve))
  await other.connect(nats(service))
  t.equal(await other.act('role:rates,cmd:get'), 0.5)
  await rates.emit('role:rates,event:changed', { rate: 1 })
  t.match(await seen, { rate: 1 })
  const order = 'role:order,event:created'
  const keeper = made(t, 'keeper', { store: nats(service) })
  keeper.event(order, { durable: true, retain: true })
  const handled = new Promise((resolve) => keeper.on(order, { durable: 'mail' }, resolve))
  await keeper.emit(order, { sku: 'a1' })
  t.match(await handled, { sku: 'a1' })
  const asking = made(t, 'asking')
  await asking.connect(nats({ ...client, app: 'rates' }), { patterns: ['role:rates'] })
  t.equal(await asking.act('role:rates', { cmd: 'get' }), 0.5)
  const closed = nats({ ...client, app: 'convert' })
  t.match(await failureOf(asking.connect(closed, { patterns: ['a:1'] })), {
    code: 'LUC_FORBIDDEN',
    message: /act\.convert/,
  })
  const foreign = await foreigner(t, servers, { user: 'client', pass: 'c', inboxPrefix: 'lucilius.shop.to.me.reply' })
  const answer = await foreign.request('lucilius.shop.act.rates', '{"role":"rates","cmd":"get"}')
  t.equal(answer.string(), '0.5')
  t.match(await failureOf(asking.connect(nats(client))), { code: 'LUC_FORBIDDEN', message: /permi/ })
  t.match(await failureOf(asking.listen(nats(client), { expose: [] })), { code: 'LUC_LISTEN_FAILED', message: /permi/ })
  const path = new URL(listener.url).pathname
  const direct = nats({ url: `${servers}${path}`, user: 'client', pass: 'c' })
  t.match(await failureOf(asking.connect(direct)), { code: 'LUC_FORBIDDEN' })
  const limited = await startNats(t, {
    config: config.replace('publish: ["lucilius.shop.>"', 'publish: ["lucilius.shop.ping"'),
  })
  const half = nats({ url: `${limited.url}${path}`, user: 'service', pass: 's' })
  t.match(await failureOf(asking.connect(half)), { code: 'LUC_FORBIDDEN', message: /lucilius\.shop\.to\..*line/ })
})

const unlimited = { subs: -1, data: -1, payload: -1, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 }

type Keys = ReturnType<typeof nkeys.createUser>

function seedOf(keys: Keys): string {
  return Buffer.from(keys.getSeed()).toString()
}

/** A claim about a key, signed by another one: what the tools of NATS make. */
function jwtOf(subject: string, issuer: Keys, claims: object): string {
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const iat = Math.floor(Date.now() / 1000)
  const body = { jti: subject, iat, iss: issuer.getPublicKey(), name: 'test', sub: subject, nats: claims }
  const text = `${encoded({ typ: 'JWT', alg: 'ed25519-nkey' })}.${encoded(body)}`
  return `${text}.${Buffer.from(issuer.sign(Buffer.from(text))).toString('base64url')}`
}

function credsOf(jwt: string, user: Keys): string {
  const block = (name: string, text: string) => `-----BEGIN ${name}-----\n${text}\n------END ${name}------\n\n`
  return block('NATS USER JWT', jwt) + block('USER NKEY SEED', seedOf(user))
}
