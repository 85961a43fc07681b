import t from 'tap'
import { Broker as Connection } from '../../transports/amqp/broker.js'
import { toSettings } from '../../transports/amqp/settings.js'
import { openAmqpStore } from '../../transports/amqp/store/index.js'
import { type Broker, skipWithout, startRabbit } from '../support/brokers.js'
import { faultProxy } from '../support/fault-proxy.js'
import type { StoreStage } from './stage.js'
import { storeSuite } from './store-suite.js'

const skip = skipWithout('rabbitmq')
let spaces = 0

t.setTimeout(400_000)

function stage(broker: Broker, settleMs: number): StoreStage {
  return {
    name: 'amqp',
    recoversMs: 500,
    runs: 3,
    lacks: { duplicates: 'RabbitMQ keeps every event that it is given: the core filters ids' },
    place: async (t) => {
      const space = `s${++spaces}`
      return {
        open: async (host) => {
          const proxy = await faultProxy(broker.port)
          const settings = toSettings({ url: `amqp://127.0.0.1:${proxy.port}`, space })
          t.teardown(() => proxy.close())
          try {
            const store = await openAmqpStore(new Connection(settings), settings, host, { settleMs })
            const crash = async () => {
              proxy.cut()
              t.teardown(() => store.close())
            }
            return { store, crash }
          } catch (error) {
            await proxy.close()
            throw error
          }
        },
        outage: { stop: () => broker.kill(), start: () => broker.restart() },
      }
    },
  }
}

t.test('RabbitMQ', { skip }, async (t) => {
  const broker = await startRabbit(t)
  storeSuite(t, stage(broker, Number(process.env.SETTLE ?? 0)))
})
