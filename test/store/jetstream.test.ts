import t from 'tap'
import { Broker as Connection } from '../../transports/nats/broker.js'
import { toSettings } from '../../transports/nats/settings.js'
import { openJetStream, type StoreOptions } from '../../transports/nats/store/index.js'
import { type Broker, skipWithout, startNats } from '../support/brokers.js'
import { faultProxy } from '../support/fault-proxy.js'
import type { StoreStage } from './stage.js'
import { storeSuite } from './store-suite.js'

const skip = skipWithout('nats-server')
let spaces = 0

t.setTimeout(120_000)

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
          const connection = new Connection(toSettings({ servers: `127.0.0.1:${proxy.port}`, space }))
          const options: StoreOptions = { ackWaitMs: 500 }
          const store = await openJetStream(connection, { space, ...options }, host)
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
