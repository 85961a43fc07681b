// NATS request/reply and publish/subscribe, JSON payloads. Needs a nats-server on the machine.
import { connect } from '@nats-io/transport-node'
import { handler } from '../lib/work.js'

// fast: without the stack trace that each request captures by default
function open({ natsPort, variant }) {
  return connect({ servers: `127.0.0.1:${natsPort}`, maxReconnectAttempts: -1, noAsyncTraces: variant === 'fast' })
}

export const adapter = {
  async server(options) {
    const nats = await open(options)
    const callback = (_, request) => handler(request.json()).then((reply) => request.respond(JSON.stringify(reply)))
    nats.subscribe(`rate.convert.${options.port}`, { callback })
    await nats.flush()
  },
  async client(options) {
    const nats = await open(options)
    const subject = `rate.convert.${options.port}`
    return {
      call: async (message) => (await nats.request(subject, JSON.stringify(message), { timeout: 5000 })).json(),
    }
  },
  async publisher(options) {
    const nats = await open(options)
    const publish = (message) => nats.publish(`changed.${options.port}`, JSON.stringify(message))
    return { publish, drain: () => nats.flush() }
  },
  async subscriber(options, onMessage) {
    const nats = await open(options)
    nats.subscribe(`changed.${options.port}`, { callback: (_, message) => onMessage(message.json()) })
    await nats.flush()
  },
}
