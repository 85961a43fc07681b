// Moleculer 0.14 (0.15 asks for Node 22). Variants: min (one process, all that can be off is off), tcp, nats.
import { ServiceBroker } from 'moleculer'
import { handler, otherPatterns } from '../lib/work.js'

const ALL_OFF = {
  internalServices: false,
  internalMiddlewares: false,
  validator: false,
  registry: { discoverer: 'Local' },
}
const PUBLISHERS = ['pub', ...Array.from({ length: 8 }, (_, nr) => `sub${nr}`)]

function createBroker({ variant, port = '', natsPort }, id, ids = ['server', 'client']) {
  const transporters = {
    nats: `nats://127.0.0.1:${natsPort}`,
    tcp: {
      type: 'TCP',
      options: {
        udpDiscovery: false,
        port: port + ids.indexOf(id),
        urls: ids.map((other, i) => `127.0.0.1:${port + i}/${other}`),
      },
    },
  }
  return new ServiceBroker({
    nodeID: id,
    namespace: `bench${port}`,
    logger: false,
    transporter: transporters[variant] ?? null,
    ...(variant === 'min' ? ALL_OFF : {}),
  })
}

function serve(broker, patterns) {
  const convert = (context) => handler(context.params)
  const actions = { convert }
  for (const { role, cmd } of otherPatterns(patterns)) actions[`${role}.${cmd}`] = convert
  broker.createService({ name: 'rate', actions })
}

export const adapter = {
  async local(options) {
    const broker = createBroker(options, 'local')
    serve(broker, options.patterns ?? 10)
    await broker.start()
    await broker.waitForServices('rate')
    return { call: (message) => broker.call('rate.convert', message) }
  },
  async server(options) {
    const broker = createBroker(options, 'server')
    serve(broker, 1)
    await broker.start()
  },
  async client(options) {
    const broker = createBroker(options, 'client')
    await broker.start()
    await broker.waitForServices('rate', 20_000)
    return { call: (message) => broker.call('rate.convert', message) }
  },
  async publisher(options) {
    const broker = createBroker(options, 'pub', PUBLISHERS)
    await broker.start()
    return { publish: (message) => broker.broadcast('rate.changed', message) }
  },
  async subscriber(options, onMessage) {
    const broker = createBroker(options, `sub${options.nr}`, PUBLISHERS)
    broker.createService({ name: 'watch', events: { 'rate.changed': (context) => onMessage(context.params) } })
    await broker.start()
  },
}
