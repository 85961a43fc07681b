// RabbitMQ by amqplib alone. Requests by direct reply-to; `quorum`: persistent messages with confirms, a quorum queue.
import { connect } from 'amqplib'
import { handler } from '../lib/work.js'

const PREFETCH = 64 // as many as the subscriber of adapters/lucilius.js has under way
const parsed = ({ content }) => JSON.parse(content.toString())

async function channelOf({ amqpPort }, confirms = false) {
  const connection = await connect(`amqp://127.0.0.1:${amqpPort}`, { noDelay: true })
  return confirms ? connection.createConfirmChannel() : connection.createChannel()
}

export const adapter = {
  async server(options) {
    const channel = await channelOf(options)
    const queue = `rate.convert.${options.port}`
    await channel.assertQueue(queue, { exclusive: true })
    const answer = async (request) => {
      const reply = Buffer.from(JSON.stringify(await handler(parsed(request))))
      const { replyTo, correlationId } = request.properties
      channel.publish('', replyTo, reply, { correlationId })
    }
    await channel.consume(queue, answer, { noAck: true })
  },

  async client(options) {
    const channel = await channelOf(options)
    const waiting = new Map()
    let last = 0
    const settle = (reply) => {
      const { correlationId } = reply.properties
      waiting.get(correlationId)?.(parsed(reply))
      waiting.delete(correlationId)
    }
    await channel.consume('amq.rabbitmq.reply-to', settle, { noAck: true })
    return {
      call: (message) =>
        new Promise((resolve) => {
          const correlationId = String(++last)
          waiting.set(correlationId, resolve)
          const properties = { correlationId, replyTo: 'amq.rabbitmq.reply-to' }
          channel.publish('', `rate.convert.${options.port}`, Buffer.from(JSON.stringify(message)), properties)
        }),
    }
  },

  async publisher(options) {
    const channel = await channelOf(options, true)
    const exchange = `changed.${options.port}`
    await channel.assertExchange(exchange, 'fanout', { durable: true })
    const publish = (message) =>
      new Promise((resolve, reject) => {
        const told = (error) => (error ? reject(error) : resolve())
        channel.publish(exchange, '', Buffer.from(JSON.stringify(message)), { persistent: true }, told)
      })
    return { publish }
  },

  async subscriber(options, onMessage) {
    const channel = await channelOf(options)
    const name = `changed.${options.port}`
    await channel.assertExchange(name, 'fanout', { durable: true })
    await channel.assertQueue(name, { durable: true, arguments: { 'x-queue-type': 'quorum' } })
    await channel.bindQueue(name, name, '')
    await channel.prefetch(PREFETCH)
    await channel.consume(name, (delivery) => {
      onMessage(parsed(delivery))
      channel.ack(delivery)
    })
  },
}
