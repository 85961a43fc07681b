import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { type Channel, type ChannelModel, type ConsumeMessage, connect } from 'amqplib'
import type { Test } from 'tap'
import { type App, type AppOptions, lucilius } from '../../../lib/index.js'
import { type AmqpOptions, amqp } from '../../../transports/amqp/index.js'
import type { Broker } from '../../support/brokers.js'

/** A space of its own on the broker of the file, and what is needed there. */
export interface Stage {
  readonly broker: Broker
  readonly space: string
  /** A transport object of its own: a connection of its own. */
  amqp(options?: AmqpOptions): ReturnType<typeof amqp>
  /** An app that is closed at the end. */
  app(options?: AppOptions): App
  /** Somebody who knows nothing of lucilius. */
  outsider(): Promise<Outsider>
}

/** A plain client of amqplib. */
export interface Outsider {
  readonly channel: Channel
  /** Sends a message to a queue and resolves with the answer: over direct reply-to, as any client would. */
  ask(queue: string, body: string, properties?: object): Promise<ConsumeMessage>
  /** Resolves with the next message of a queue. */
  next(queue: string): Promise<ConsumeMessage>
  /** What was returned, by its correlation id. */
  readonly returned: string[]
  close(): Promise<void>
}

let spaces = 0

export function stage(t: Test, broker: Broker): Stage {
  const space = `test-${++spaces}`
  return {
    broker,
    space,
    amqp: (options = {}) => amqp({ url: broker.url, space, ...options }),
    app: (options = {}) => {
      const app = lucilius({ logger: false, drainMs: 200, ...options })
      t.teardown(() => app.close())
      return app
    },
    outsider: () => outsider(t, broker.url),
  }
}

async function outsider(t: Test, url: string): Promise<Outsider> {
  const model: ChannelModel = await connect(url)
  model.on('error', () => {})
  const channel = await model.createChannel()
  channel.on('error', () => {})
  const returned: string[] = []
  channel.on('return', ({ properties }) => returned.push(String(properties.correlationId)))
  const close = async () => {
    await model.close().catch(() => {})
  }
  t.teardown(close)
  const waiting = new Map<string, (message: ConsumeMessage) => void>()
  await channel.consume(
    'amq.rabbitmq.reply-to',
    (message) => message !== null && waiting.get(message.properties.correlationId)?.(message),
    { noAck: true },
  )
  let count = 0
  return {
    channel,
    returned,
    close,
    ask: (queue, body, properties = {}) =>
      new Promise((resolve) => {
        const correlationId = `ask-${++count}`
        waiting.set(correlationId, resolve)
        channel.publish('', queue, Buffer.from(body), {
          correlationId,
          replyTo: 'amq.rabbitmq.reply-to',
          ...properties,
        })
      }),
    next: async (queue) => {
      for (;;) {
        const message = await channel.get(queue, { noAck: true })
        if (message !== false) return message as unknown as ConsumeMessage
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
  }
}

/** The JSON of a message. */
export function json({ content }: { readonly content: Buffer }): unknown {
  return JSON.parse(content.toString())
}

/** Resolves when so many messages wait in a queue. */
export async function filled(channel: Channel, queue: string, count: number): Promise<void> {
  while ((await channel.checkQueue(queue)).messageCount !== count)
    await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Starts a service in a process of its own; it is killed when the test ends. */
export async function startService(t: Test, { broker, space }: Stage, tag: string): Promise<Service> {
  const program = fileURLToPath(new URL('./service.js', import.meta.url))
  const child = fork(program, [broker.url, space, tag])
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const kill = () => {
    child.kill('SIGKILL')
    return exited
  }
  t.teardown(kill)
  await said(child, 'ready')
  return { kill, started: () => said(child, 'started') }
}

/** A service in a process of its own. */
export interface Service {
  kill(): Promise<void>
  /** Resolves when a slow act has been started there. */
  started(): Promise<void>
}

function said(child: ChildProcess, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`It exited with ${code}.`)))
    child.on('message', (told) => {
      if (told === what) resolve()
    })
  })
}
