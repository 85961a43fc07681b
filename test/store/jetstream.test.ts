import t from 'tap'
import { Broker as Connection } from '../../transports/nats/broker.js'
import { toSettings } from '../../transports/nats/settings.js'
import { openJetStream, type StoreOptions } from '../../transports/nats/store/index.js'
import { type Broker, skipWithout, startNats } from '../support/brokers.js'
import { faultProxy } from '../support/fault-proxy.js'
import { Inbox, served } from './inbox.js'
import { sample, soon, subscription } from './sample.js'
import { hostOf, type StoreStage } from './stage.js'
import { storeSuite } from './store-suite.js'

const skip = skipWithout('nats-server')
let spaces = 0

t.setTimeout(120_000)

function open(port: number, space: string, options: StoreOptions = {}, host = hostOf()) {
  const connection = new Connection(toSettings({ servers: `127.0.0.1:${port}`, space }))
  return openJetStream(connection, { space, ...options }, host)
}

function stage(broker: Broker): StoreStage {
  return {
    name: 'jetstream',
    recoversMs: 700,
    silenceMs: 500,
    runs: Number(process.env.RUNS ?? 5),
    place: async (t) => {
      const space = `s${++spaces}`
      return {
        open: async (host) => {
          const proxy = await faultProxy(broker.port)
          t.teardown(() => proxy.close())
          const store = await open(proxy.port, space, { ackWaitMs: 500 }, host)
          const crash = async () => {
            proxy.cut()
            t.teardown(() => store.close())
          }
          return { store, crash }
        },
        outage: { stop: () => broker.kill(), start: () => broker.restart() },
      }
    },
  }
}

t.test('JetStream', { skip }, async (t) => {
  const broker = await startNats(t)
  storeSuite(t, stage(broker))
})

t.test('a broker that is killed again and again loses nothing, and delivers nothing twice', { skip }, async (t) => {
  const broker = await startNats(t)
  const events = Number(process.env.EVENTS ?? 1000)
  const kills = Number(process.env.KILLS ?? 3)
  const store = await open(broker.port, 'kills')
  t.teardown(() => store.close())
  const counts = new Map<unknown, number>()
  const ledger = (name: string) =>
    new Inbox(({ event }) => {
      const of = `${name} ${event.message.n}`
      counts.set(of, (counts.get(of) ?? 0) + 1)
      return { kind: 'done' }
    })
  await served(store, subscription({ name: 'ledger.shared' }), ledger('shared'))
  await served(store, subscription({ name: 'ledger.ordered', ordered: true, concurrency: 64 }), ledger('ordered'))
  let next = 0
  const append = async () => {
    while (next < events) await store.append(sample(next++), soon(60_000))
  }
  const appending = Promise.all(Array.from({ length: 64 }, append))
  for (let kill = 1; kill <= kills; kill++) {
    while (next < (events * kill) / (kills + 1)) await new Promise((resolve) => setTimeout(resolve, 1))
    await broker.kill()
    await broker.restart()
  }
  await appending
  const end = performance.now() + 20_000
  while (counts.size < 2 * events && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5))
  await new Promise((resolve) => setTimeout(resolve, Number(process.env.SETTLE ?? 0)))
  t.equal(counts.size, 2 * events, 'lost nothing')
  t.strictSame([...counts].filter(([, count]) => count > 1).length, 0, 'delivered nothing twice')
})
