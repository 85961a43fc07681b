import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'amqplib'
import type { Test } from 'tap'
import type { Broker } from '../../support/brokers.js'
import { repoRoot } from '../../support/repo-root.js'
import { json, stage } from './stage.js'

const everything = { configure: '.*', write: '.*', read: '.*' }

/** The permissions of the docs, as they stand there: `rabbitmqctl set_permissions <user> <configure> <write> <read>`. */
function documented(): {
  readonly user: string
  readonly configure: string
  readonly write: string
  readonly read: string
}[] {
  const page = readFileSync(join(repoRoot(), 'docs/amqp.md'), 'utf8')
  const lines = page.matchAll(/^rabbitmqctl set_permissions (\w+) '(.*)' '(.*)' '(.*)'$/gm)
  return [...lines].map(([, user = '', configure = '', write = '', read = '']) => ({ user, configure, write, read }))
}

/** Gives a broker the users of the docs, each with its name as the password, and `guest`. */
export function permitted({ folder }: { readonly folder: string }): string {
  const all = [...documented(), { user: 'guest', ...everything }]
  const definitions = {
    vhosts: [{ name: '/' }],
    users: all.map(({ user }) => ({ name: user, password_hash: hash(user), tags: '' })),
    permissions: all.map((one) => ({ vhost: '/', ...one })),
  }
  const file = join(folder, 'definitions.json')
  writeFileSync(file, JSON.stringify(definitions))
  return `load_definitions = ${file}`
}

/** How RabbitMQ keeps a password: four random bytes, and their hash with it. */
function hash(password: string): string {
  const salt = Buffer.from([1, 2, 3, 4])
  return Buffer.concat([salt, createHash('sha256').update(salt).update(password).digest()]).toString('base64')
}

/** What the docs tell operators to permit is enough, and what they do not is refused. */
export function permissions(t: Test, broker: Broker): void {
  t.test('a process with the permissions of the docs is a peer, answers clients and asks them', async (t) => {
    const { app, amqp } = stage(t, broker)
    const login = { user: 'service', pass: 'service', space: 'shop' }
    const rates = app({ name: 'rates' })
    rates.add('a:1', () => 1)
    await rates.listen(amqp(login), { expose: '*' })
    await rates.listen(amqp(login), { expose: '*', audience: 'clients' })
    const peer = app()
    await peer.connect(amqp(login))
    t.equal(await peer.act('a:1'), 1)
    const client = app()
    await client.connect(amqp({ ...login, app: 'rates' }), { patterns: ['a:1'] })
    t.equal(await client.act('a:1'), 1)

    await t.rejects(peer.connect(amqp({ ...login, space: 'other' })), { code: 'LUC_FORBIDDEN' })
    await t.rejects(rates.listen(amqp({ ...login, space: 'other' }), { expose: '*' }), { code: 'LUC_LISTEN_FAILED' })
  })

  t.test('a client with the permissions of the docs asks at its door and nowhere else', async (t) => {
    const { app, amqp } = stage(t, broker)
    const rates = app({ name: 'rates' })
    rates.add('a:1', () => 1)
    await rates.listen(amqp({ space: 'shop' }), { expose: '*', audience: 'clients' })
    const model = await connect({ hostname: '127.0.0.1', port: broker.port, username: 'client', password: 'client' })
    t.teardown(() => model.close())
    model.on('error', () => {})
    const channel = await model.createChannel()
    const answer = new Promise((resolve) => {
      void channel.consume('amq.rabbitmq.reply-to', (message) => message !== null && resolve(json(message)), {
        noAck: true,
      })
    })
    channel.publish('lucilius.shop.act.rates', '', Buffer.from('{"a":1}'), { replyTo: 'amq.rabbitmq.reply-to' })
    t.equal(await answer, 1)
    for (const exchange of ['', 'lucilius.shop.mail', 'lucilius.shop.act.other']) {
      const other = await model.createChannel()
      const refused = new Promise((resolve) => other.once('error', ({ code }) => resolve(code)))
      other.publish(exchange, 'lucilius.shop.act.rates', Buffer.from('{"a":1}'))
      t.match(await refused, /403|404/, exchange)
    }
  })
}
