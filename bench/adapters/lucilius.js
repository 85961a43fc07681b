// lucilius as built (`npm run build`). Variants of a local act: string (pattern string and message) and whole (one
// message) with parity off, strict-string and strict the same with parity strict.
// Everything else is as it comes: deadline, ids, hop count, must-ignore matching, settle once.
// Between processes the variant is the transport: two peers with parity off, connected by it. jetstream and quorum are
// durable events, kept by NATS and by RabbitMQ.
import { handler, otherPatterns, PATTERN, restOfMessage } from '../lib/work.js'

export const adapter = {
  async local({ variant = 'string', patterns = 10 }) {
    const { lucilius } = await import('../../build/lib/index.js')
    const app = lucilius({ parity: variant.startsWith('strict') ? 'strict' : 'off' })
    for (const pattern of otherPatterns(patterns)) app.add(pattern, handler)
    app.add(PATTERN, handler)
    await app.ready()
    if (!variant.endsWith('string')) return { call: (message) => app.act(message) }
    return { call: (message) => app.act('role:rate,cmd:convert', message), make: restOfMessage }
  },

  async index() {
    const { Router } = await import('../../build/lib/router/router.js')
    const { toPattern } = await import('../../build/lib/pattern.js')
    const router = new Router()
    return { add: (pattern, data) => router.set(toPattern(pattern), data), find: (message) => router.find(message) }
  },

  async server({ port, variant, patterns = 10, ...brokers }) {
    const { app, transport } = await peer('server', variant, brokers)
    for (const pattern of otherPatterns(patterns)) app.add(pattern, handler)
    app.add(PATTERN, handler)
    await app.listen(transport({ port }), { expose: '*', audience: 'peers' })
  },

  async client({ port, variant, ...brokers }) {
    const { app, transport, to } = await peer('client', variant, brokers)
    await app.connect(transport(to(port)))
    return { call: (message) => app.act(message) }
  },

  // Every 1,024 events the subscribers are asked to answer, as any program does that emits more than they can take.
  async publisher({ port, variant, ...brokers }) {
    if (variant in stores) {
      const app = await durable('publisher', variant, { port, ...brokers })
      app.event('role:rate,event:changed', { durable: true })
      return { publish: (message) => app.emit('role:rate,event:changed', message) }
    }
    const { app, transport } = await peer('publisher', variant)
    await app.listen(transport({ port }), { expose: [], events: { out: '*' }, audience: 'peers' })
    let emitted = 0
    return {
      publish(message) {
        emitted++
        return app.emit('role:rate,event:changed', message)
      },
      async drain() {
        if (emitted % 1024 !== 0) return
        await Promise.all(app.list('role:subscriber').map(({ pattern }) => app.act(pattern)))
      },
    }
  },

  async subscriber({ port, variant, nr, ...brokers }, onMessage) {
    if (variant in stores) {
      const app = await durable('subscriber', variant, { port, ...brokers })
      app.on('role:rate,event:changed', { durable: 'bench', concurrency: 64 }, onMessage)
      await app.ready()
      return
    }
    const { app, transport, to } = await peer('subscriber', variant)
    app.on('role:rate,event:changed', { each: 'instance' }, onMessage)
    app.add({ role: 'subscriber', nr }, () => true)
    await app.connect(transport(to(port)), { expose: '*' })
  },
}

async function peer(name, variant, brokers = {}) {
  const { lucilius } = await import('../../build/lib/index.js')
  return { app: lucilius({ name, parity: 'off' }), ...(await carriers[variant](brokers)) }
}

/** What makes a transport, and what it is given to connect to a listener on a port. */
const carriers = {
  async websocket() {
    const { websocket } = await import('../../build/transports/websocket/index.js')
    return { transport: websocket, to: (port) => ({ url: `ws://127.0.0.1:${port}/ws` }) }
  },
  async http() {
    const { http } = await import('../../build/transports/http/index.js')
    return { transport: http, to: (port) => ({ url: `http://127.0.0.1:${port}` }) }
  },
  async nats({ natsPort }) {
    const { nats } = await import('../../build/transports/nats/index.js')
    return throughBroker((space) => nats({ servers: `nats://127.0.0.1:${natsPort}`, space }))
  },
  async amqp({ amqpPort }) {
    const { amqp } = await import('../../build/transports/amqp/index.js')
    return throughBroker((space) => amqp({ url: `amqp://127.0.0.1:${amqpPort}`, space }))
  },
}

// Contenders share a broker: the port that is theirs alone names their space in it.
function throughBroker(make) {
  return { transport: ({ port }) => make(`bench-${port}`), to: (port) => ({ port }) }
}

const stores = { jetstream: 'nats', quorum: 'amqp' }

async function durable(name, variant, { port, ...brokers }) {
  const { lucilius } = await import('../../build/lib/index.js')
  const { transport } = await carriers[stores[variant]](brokers)
  return lucilius({ name, parity: 'off', store: transport({ port }) })
}
