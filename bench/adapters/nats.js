// NATS request/reply and publish/subscribe, JSON payloads. Needs a nats-server on the machine.
// jetstream: published into a stream on disk, consumed by a pull consumer with explicit acknowledgement.
import { AckPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { handler } from '../lib/work.js'

// fast: without the stack trace that each request captures by default
function open({ natsPort, variant }) {
  return connect({ servers: `127.0.0.1:${natsPort}`, maxReconnectAttempts: -1, noAsyncTraces: variant === 'fast' })
}

async function streamOf(nats, { port }) {
  const name = `changed_${port}`
  const manager = await jetstreamManager(nats)
  await manager.streams.add({ name, subjects: [`changed.${port}`] })
  return name
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
    if (options.variant === 'jetstream') {
      await streamOf(nats, options)
      const stream = jetstream(nats)
      return { publish: (message) => stream.publish(`changed.${options.port}`, JSON.stringify(message)) }
    }
    const publish = (message) => nats.publish(`changed.${options.port}`, JSON.stringify(message))
    return { publish, drain: () => nats.flush() }
  },
  async subscriber(options, onMessage) {
    const nats = await open(options)
    if (options.variant === 'jetstream') {
      const name = await streamOf(nats, options)
      const manager = await jetstreamManager(nats)
      await manager.consumers.add(name, { durable_name: name, ack_policy: AckPolicy.Explicit })
      const consumer = await jetstream(nats).consumers.get(name, name)
      await consumer.consume({
        callback: (message) => {
          onMessage(message.json())
          message.ack()
        },
      })
      return
    }
    nats.subscribe(`changed.${options.port}`, { callback: (_, message) => onMessage(message.json()) })
    await nats.flush()
  },
}
