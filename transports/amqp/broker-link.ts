import type { ChannelModel } from 'amqplib'
import { LuciliusError } from '../../lib/transport-kit.js'
import type { Settings } from './settings.js'
import { toTrouble } from './trouble.js'

/** How long a goodbye to the broker may take, in ms. */
const GOODBYE_MS = 2_000

/** One connection to the broker, until it is lost. */
export interface BrokerLink {
  readonly model: ChannelModel
  /** Closes it, with a goodbye if there is somebody to take it. */
  close(): Promise<void>
}

/** Makes one attempt to reach the broker. Rejects as {@link toTrouble} says. The model's `close` tells that it is lost. */
export async function openBrokerLink(settings: Settings): Promise<BrokerLink> {
  const { server, tls, heartbeatMs, connectTimeoutMs, shown } = settings
  const { connect } = await loadAmqplib()
  const socket = new AbortController()
  const late = setTimeout(() => socket.abort(), connectTimeoutMs)
  try {
    const model = await connect(
      { ...server, heartbeat: Math.ceil(heartbeatMs / 1000) },
      // Node destroys a socket whose signal aborts; amqplib has no other way to end one that does not answer.
      { ...tls, noDelay: true, keepAlive: true, clientProperties: CLIENT, signal: socket.signal } as object,
    )
    model.on('error', () => {}) // 'close' follows, and says it all
    return { model, close: () => goodbye(model, socket) }
  } catch (cause) {
    const timedOut = new Error(`no answer within ${connectTimeoutMs} ms`)
    throw toTrouble(shown, socket.signal.aborted ? timedOut : cause)
  } finally {
    clearTimeout(late)
  }
}

/** What the broker shows of us: `rabbitmqctl list_connections client_properties`. */
const CLIENT = { connection_name: 'lucilius' }

async function goodbye(model: ChannelModel, socket: AbortController): Promise<void> {
  const late = setTimeout(() => socket.abort(), GOODBYE_MS)
  // It rejects where the connection has just been lost, and never settles where the socket is cut.
  const cut = new Promise<void>((resolve) => socket.signal.addEventListener('abort', () => resolve(), { once: true }))
  await Promise.race([model.close().catch(() => {}), cut])
  clearTimeout(late)
}

async function loadAmqplib(): Promise<typeof import('amqplib')> {
  try {
    return await import('amqplib')
  } catch (cause) {
    throw new LuciliusError('LUC_OPTIONS_INVALID', 'amqp: the package amqplib is missing: npm install amqplib', {
      cause,
    })
  }
}
