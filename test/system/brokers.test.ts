import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { App } from '../../lib/index.js'
import { amqpOptions, natsOptions } from '../../lib/system/broker-options.js'
import { defineSystem } from '../../lib/system/define-system.js'
import type { BrokersDescription } from '../../lib/system/description.js'
import { readEnvironment } from '../../lib/system/environment.js'
import type { RunOptions } from '../../lib/system/run.js'
import type { Deployment } from '../../lib/system/system.js'
import { type Broker, skipWithout, startNats } from '../support/brokers.js'
import { Processes, service, until } from './processes.js'

const skip = skipWithout('nats-server')

const rates = service((app) => {
  app.add('role:rates,cmd:get', ({ pair }) => ({ pair, rate: 0.9 }))
})
const convert = service((app) => {
  app.add('role:convert,cmd:amount', async ({ amount }, context) => {
    const { rate } = (await context.act('role:rates,cmd:get', { pair: 'usd_eur' })) as { rate: number }
    return { amount: Number(amount) * rate }
  })
})

t.test('over NATS', { skip, jobs: 1 }, async (t) => {
  const broker = await startNats(t)

  t.test('processes meet without addresses and secret, and messages flow both ways', async (t) => {
    const seen: unknown[] = []
    const processes = atNats(t, broker, {
      services: {
        rates: service((app) => {
          app.add('role:rates,cmd:set', async ({ rate }, context) => {
            await context.emit('role:rates,event:changed', { rate })
            return context.act('role:convert,cmd:last')
          })
        }),
        convert: service((app) => {
          app.on('role:rates,event:changed', ({ rate }) => seen.push(rate))
          app.add('role:convert,cmd:last', () => 'from convert')
        }),
      },
      deployments: { split: { transport: 'nats', groups: { rates: ['rates'], convert: ['convert'] } } },
    })
    const start = (id: string) => processes.start(id, { secret: undefined })
    const [one, two] = await Promise.all([start('rates'), start('convert')])
    await Promise.all([one.known(), two.known()])
    t.match(one.url, /^nats:\/\/127\.0\.0\.1:\d+/)
    t.equal(await two.host.app.act('role:rates,cmd:set,rate:2'), 'from convert')
    await until(() => seen.length > 0)
    t.strictSame(seen, [2])
    await t.rejects(two.host.app.act('role:rates,cmd:unknown'), { code: 'LUC_ACTION_NOT_FOUND' })
  })

  t.test('processes whose hooks act on each other start without waiting for each other', async (t) => {
    const asks = (own: string, other: string) =>
      service((app) => {
        app.add(`role:${own}`, () => own)
        app.onReady(async () => heard.push(`${own} of ${await app.act(`role:${other}`)}`))
      })
    const heard: string[] = []
    const processes = atNats(t, broker, {
      services: { one: asks('one', 'two'), two: asks('two', 'one') },
      deployments: { split: { transport: 'nats', groups: { one: ['one'], two: ['two'] } } },
    })
    await Promise.all([processes.start('one'), processes.start('two')])
    t.strictSame(heard.sort(), ['one of two', 'two of one'])
  })

  t.test('an act for a process that is not there yet waits for it, and replicas share the work', async (t) => {
    const who = service((app) => {
      app.add('role:who', () => app.name)
    })
    const processes = atNats(t, broker, {
      services: { who, convert, rates },
      deployments: {
        split: {
          transport: 'nats',
          groups: { who: { services: ['who'], replicas: 2 }, rates: ['rates'], convert: ['convert'] },
        },
      },
    })
    const asking = await processes.start('convert')
    const parked = asking.host.app.act('role:convert,cmd:amount,amount:10')
    await Promise.all(['rates', 'who.1', 'who.2'].map((id) => processes.start(id)))
    t.strictSame(await parked, { amount: 9 })
    await asking.known()
    const { remote } = asking.host.app.find('role:who') ?? {}
    t.equal(remote, 'who')
  })

  t.test('groups that do not list each other do not hear each other, though both are at the broker', async (t) => {
    const processes = atNats(t, broker, {
      services: { rates, convert },
      deployments: {
        split: {
          transport: 'nats',
          groups: {
            rates: { services: ['rates'], peers: ['convert'] },
            convert: ['convert'],
            other: { services: ['convert'], peers: [] },
          },
        },
      },
    })
    const [, near, far] = await Promise.all(['rates', 'convert', 'other'].map((id) => processes.start(id)))
    await near?.known()
    t.equal(near?.host.app.list('role:rates').length, 1)
    t.strictSame(far?.host.app.list('role:rates'), [])
  })

  t.test('two systems at one broker do not meet, unless they share a space', async (t) => {
    const deployments = { split: { transport: 'nats', groups: { rates: ['rates'], convert: ['convert'] } } } as const
    const one = atNats(t, broker, { services: { rates, convert }, deployments }, 'one')
    const two = atNats(t, broker, { services: { rates, convert }, deployments }, 'two')
    await one.start('rates')
    const lonely = await two.start('convert')
    await t.rejects(lonely.host.app.act('role:rates,cmd:get', {}, { timeoutMs: 300 }), { code: 'LUC_UNREACHABLE' })
    const three = atNats(t, broker, { services: { rates, convert }, deployments }, 'one')
    const joined = await three.start('convert')
    t.match(await joined.host.app.act('role:rates,cmd:get'), { rate: 0.9 })
  })

  t.test('a route takes what it covers over another transport, each pattern over one', async (t) => {
    const processes = atNats(t, broker, {
      services: {
        rates: service((app) => {
          app.add('role:rates,cmd:get', () => 'get')
          app.add('role:rates,cmd:set', () => 'set')
          app.on('role:convert,event:asked', ({ n }) => heard.push(`asked ${n}`))
        }),
        convert: service((app) => {
          app.add('role:convert', () => 'convert')
          app.on('role:rates,event:*', { each: 'instance' }, ({ event }) => heard.push(`${event}`))
        }),
      },
      deployments: {
        split: {
          transport: 'websocket',
          routes: [
            { match: 'role:rates', via: 'nats' },
            { match: 'role:rates,cmd:get', via: 'websocket' },
          ],
          groups: { rates: ['rates'], convert: ['convert'] },
        },
      },
    })
    const heard: string[] = []
    const [one, two] = await Promise.all([processes.start('rates'), processes.start('convert')])
    await Promise.all([one.known(), two.known()])
    t.match(one.url, /^ws:/)
    for (const cmd of ['get', 'set']) t.equal(await two.host.app.act(`role:rates,cmd:${cmd}`), cmd)
    t.equal(await one.host.app.act('role:convert'), 'convert')
    for (const n of [1, 2, 3, 4]) await two.host.app.emit('role:convert,event:asked', { n })
    await one.host.app.emit('role:rates,event:changed')
    await until(() => heard.length >= 5)
    const all = ['asked 1', 'asked 2', 'asked 3', 'asked 4', 'changed']
    t.strictSame(heard.sort(), all, 'each once, whatever carries it, by whichever connection')
    await broker.kill()
    t.equal(
      await two.host.app.act('role:rates,cmd:get'),
      'get',
      'without the broker there still is what goes without it',
    )
    await t.rejects(two.host.app.act('role:rates,cmd:set', {}, { timeoutMs: 200 }), /./)
    await broker.restart()
    t.equal(await two.host.app.act('role:rates,cmd:set', {}, { timeoutMs: 5000 }), 'set', 'and with it again all')
  })

  t.test(
    'the broker keeps durable events for a process that does not run, and the last of those that are retained',
    async (t) => {
      const heard: unknown[] = []
      const processes = atNats(t, broker, {
        services: {
          rates: service((app) => {
            app.event('role:rates,event:changed', { durable: true, retain: true, key: 'pair' })
            app.add('role:rates,cmd:set', async ({ pair, rate }, context) => {
              await context.emit('role:rates,event:changed', { pair, rate })
            })
          }),
          audit: service((app) => {
            app.on('role:rates,event:changed', { durable: 'log' }, ({ rate }, { delivery }) => {
              heard.push([rate, delivery?.attempt])
            })
          }),
          convert: service((app) => {
            app.on('role:rates,event:changed', ({ pair, rate }, { delivery }) => {
              heard.push([pair, rate, delivery?.retained])
            })
          }),
        },
        deployments: {
          split: { transport: 'nats', groups: { rates: ['rates'], audit: ['audit'], convert: ['convert'] } },
        },
      })
      const first = await processes.start('audit')
      const rates = await processes.start('rates')
      await first.close()
      for (const rate of [1, 2]) await rates.host.app.act('role:rates,cmd:set', { pair: 'usd_eur', rate })
      await processes.start('audit')
      await until(() => heard.length === 2)
      t.strictSame(
        heard.splice(0),
        [
          [1, 1],
          [2, 1],
        ],
        'what came while it was away',
      )
      await processes.start('convert')
      await until(() => heard.length === 1)
      t.strictSame(heard, [['usd_eur', 2, true]], 'who starts late knows the last value')
      t.match(await (await rates.host.store())?.admin.report(), { retained: 1, subscriptions: [{ name: 'audit.log' }] })
    },
  )

  t.test('a process that is replaced is missed by nobody', async (t) => {
    const processes = atNats(t, broker, {
      services: {
        rates: service((app) => {
          app.add('role:rates,cmd:get', { idempotent: true }, async () => {
            await new Promise((resolve) => setTimeout(resolve, 2))
            return { rate: 0.9 }
          })
        }),
        convert,
      },
      deployments: { split: { transport: 'nats', groups: { rates: ['rates'], convert: ['convert'] } } },
    })
    let old = await processes.start('rates')
    const asking = await processes.start('convert')
    await asking.known()
    const load = loadOn(asking.host.app)
    for (let round = 0; round < 10; round++) {
      const next = await processes.start('rates')
      await old.close()
      old = next
    }
    const { asked, failures } = await load.end()
    t.strictSame(failures, [])
    t.ok(asked > 50, `${asked} acts`)
  })

  t.test('a broker that is not there yet is waited for, and told of once, without credentials', async (t) => {
    await broker.kill()
    const processes = new Processes({
      services: { rates, convert },
      deployments: { split: { transport: 'nats', groups: { rates: ['rates'], convert: ['convert'] } } },
    })
    t.teardown(() => processes.close())
    const { port } = broker
    const variables = {
      LUCILIUS_NATS_URL: `nats://127.0.0.1:${port}`,
      LUCILIUS_NATS_USER: 'u',
      LUCILIUS_NATS_PASSWORD: 'canary',
    }
    const environment = { drainMs: 1000, brokers: readEnvironment(variables).brokers }
    const starting = Promise.all(['rates', 'convert'].map((id) => processes.start(id, { environment })))
    const told = () => processes.logged(40).filter((msg) => msg.startsWith('NATS cannot be reached'))
    await until(() => told().length === 2)
    t.match(told()[0], new RegExp(`^NATS cannot be reached, trying again: .*127\\.0\\.0\\.1:${port}`))
    t.notOk(processes.lines.some((line) => JSON.stringify(line).includes('canary')))
    await broker.restart()
    const [, asking] = await starting
    t.strictSame(await asking?.host.app.act('role:convert,cmd:amount,amount:10'), { amount: 9 })
    t.equal(told().length, 2, 'once for each process')
    t.equal(processes.logged(30).filter((msg) => msg === 'NATS answers').length, 2)
  })
})

t.test('what the environment says of brokers goes before the description', async (t) => {
  const options = (brokers: BrokersDescription, variables: NodeJS.ProcessEnv = {}, name?: string) => {
    const services = { rates: './rates.js' }
    const groups = { all: '*' } as const
    const system = defineSystem({
      services,
      ...(name === undefined ? {} : { name }),
      deployments: { d: { brokers, groups } },
    })
    const deployment = system.deployments.get('d') as Deployment
    const loaded = { system, file: undefined, folder: '/srv/my shop' }
    const place = { loaded, deployment, environment: readEnvironment(variables) }
    return { nats: natsOptions(place), amqp: amqpOptions(place) }
  }
  t.strictSame(options({}), { nats: { space: 'my-shop' }, amqp: { space: 'my-shop' } }, 'the folder, made safe')
  t.equal(options({}, {}, 'shop.v2').nats.space, 'shop-v2')
  t.equal(options({ space: 'staging' }, {}, 'shop').nats.space, 'staging')
  const described = {
    space: 'staging',
    nats: { servers: 'nats://n:4222', creds: 'nats.creds', tls: {} },
    amqp: { url: 'amqp://r' },
  }
  t.strictSame(options(described), {
    nats: { space: 'staging', servers: ['nats://n:4222'], tls: {}, creds: '/srv/my shop/nats.creds' },
    amqp: { space: 'staging', url: 'amqp://r' },
  })
  const variables = {
    LUCILIUS_SPACE: 'prod',
    LUCILIUS_NATS_URL: 'nats://a,nats://b',
    LUCILIUS_NATS_TOKEN: 't',
    LUCILIUS_AMQP_URL: 'amqp://u:p@s',
  }
  t.strictSame(options(described, variables), {
    nats: { space: 'prod', servers: ['nats://a', 'nats://b'], tls: {}, token: 't' },
    amqp: { space: 'prod', url: 'amqp://u:p@s' },
  })
  const own = options(described, { LUCILIUS_NATS_URL: 'nats://u:p@a' }).nats
  t.strictSame(own, { space: 'staging', servers: ['nats://u:p@a'], tls: {} }, 'an address that says who connects')
})

t.test('one process keeps durable events in files beside the description, and opens none without need', async (t) => {
  const heard: unknown[] = []
  const folder = t.testdir()
  const description = {
    services: {
      order: service((app) => {
        app.event('role:order,event:created', { durable: true })
        app.add('role:order', async ({ id }, context) => context.emit('role:order,event:created', { id }))
      }),
      notify: service((app) => {
        app.on('role:order,event:created', { durable: 'outbox' }, ({ id }) => {
          if (isDown) throw new Error('down')
          heard.push(id)
        })
      }),
    },
    deployments: { dev: { groups: { all: '*' } } },
  } as const
  let isDown = true
  const run = () => {
    const processes = new Processes(description, 'dev')
    t.teardown(() => processes.close())
    const loaded = { system: defineSystem(description), file: undefined, folder }
    return processes.start('all', { loaded, secret: undefined })
  }
  const before = await run()
  await before.host.app.act('role:order,id:1')
  await before.close()
  t.ok(existsSync(join(folder, '.lucilius', 'store', 'dev')))
  isDown = false
  await run()
  await until(() => heard.length === 1)
  t.strictSame(heard, [1], 'it survives the process')
})

t.test('a process without anything durable makes no folder', async (t) => {
  const folder = t.testdir()
  const description = {
    services: { rates, convert, hears: service((app) => app.on('role:rates,event:*', () => {})) },
    deployments: { dev: { groups: { all: '*' } } },
  } as const
  const processes = new Processes(description, 'dev')
  t.teardown(() => processes.close())
  const loaded = { system: defineSystem(description), file: undefined, folder }
  const running = await processes.start('all', { loaded, secret: undefined })
  t.strictSame(await running.host.app.act('role:convert,cmd:amount,amount:10'), { amount: 9 })
  t.notOk(existsSync(join(folder, '.lucilius')))
})

t.test('several processes with an embedded store do not start, and without a store nothing durable does', async (t) => {
  const order = service((app) => void app.event('role:order,event:created', { durable: true }))
  const groups = { one: ['order'], two: ['order'] } as const
  const embedded = new Processes({ services: { order }, deployments: { split: { store: 'embedded', groups } } })
  await t.rejects(embedded.start('one'), {
    code: 'LUC_OPTIONS_INVALID',
    message:
      /^The deployment 'split' has 2 processes, and an embedded store is the files of one: set 'store' to 'nats'/,
  })
  const none = new Processes({ services: { order }, deployments: { split: { groups } } })
  t.teardown(() => none.close())
  await t.rejects(none.start('one'), { code: 'LUC_STORE_REQUIRED' })
})

t.test('a broker that does not know who we are ends the start, and names what to set', { skip }, async (t) => {
  const broker = await startNats(t, { config: 'authorization { user: "shop", password: "right" }' })
  const deployments = { split: { transport: 'nats', groups: { rates: ['rates'], convert: ['convert'] } } } as const
  const processes = new Processes({ services: { rates, convert }, deployments })
  t.teardown(() => processes.close())
  const as = (password: string): Partial<RunOptions> => {
    const variables = { LUCILIUS_NATS_URL: broker.url, LUCILIUS_NATS_USER: 'shop', LUCILIUS_NATS_PASSWORD: password }
    return { environment: { drainMs: 1000, brokers: readEnvironment(variables).brokers } }
  }
  await t.rejects(processes.start('rates', as('canary')), {
    code: 'LUC_UNAUTHENTICATED',
    message: /127\.0\.0\.1:\d+.* Set LUCILIUS_NATS_CREDS, LUCILIUS_NATS_USER and _PASSWORD, _TOKEN or _NKEY\.$/,
  })
  t.notMatch(JSON.stringify(processes.lines), /canary/)
  const one = await processes.start('rates', as('right'))
  t.ok(one.url)
})

/** The processes of a system at a broker, in a space of their own unless given. */
function atNats(
  t: Test,
  { url }: Broker,
  description: ConstructorParameters<typeof Processes>[0],
  space = newSpace(),
): Pick<Processes, 'start' | 'logged'> {
  const processes = new Processes(description)
  t.teardown(() => processes.close())
  const { brokers } = readEnvironment({ LUCILIUS_NATS_URL: url, LUCILIUS_SPACE: space })
  const environment = { drainMs: 1000, brokers }
  return {
    start: (id, options, hooks) => processes.start(id, { environment, ...options }, hooks),
    logged: (level) => processes.logged(level),
  }
}

let spaces = 0
function newSpace(): string {
  spaces++
  return `space-${spaces}`
}

/** Acts without a pause, until it is told to end. */
function loadOn(app: App): { end(): Promise<{ readonly asked: number; readonly failures: readonly string[] }> } {
  const failures: string[] = []
  let asked = 0
  let isOver = false
  const ask = async () => {
    while (!isOver) {
      asked++
      await app.act('role:convert,cmd:amount,amount:1').catch(({ code }) => failures.push(code))
    }
  }
  const asking = Promise.all([ask(), ask(), ask(), ask()])
  return {
    end: async () => {
      isOver = true
      await asking
      return { asked, failures }
    },
  }
}
