import type { EventStore } from '../store.js'
import type { Transport } from '../transport.js'
import { amqpOptions, type BrokerPlace, natsOptions } from './broker-options.js'
import type { BrokerName, DirectName } from './transports-used.js'

/** Makes a transport that listens on a port, or connects to an address. */
export type MakeTransport = (
  options:
    | { readonly port: number; readonly host: string; readonly origins?: readonly string[] }
    | { readonly url: string },
) => Transport

/** A broker: it carries messages, and keeps durable events. */
export type Broker = Transport & EventStore

/** Loads the transport of a name, and no other: each brings packages of its own. */
export async function transportNamed(name: DirectName): Promise<MakeTransport> {
  if (name === 'websocket') return (await import('../../transports/websocket/index.js')).websocket
  const { http } = await import('../../transports/http/index.js')
  return (options) => {
    if ('url' in options) return http(options)
    const { port, host } = options // pages of all origins are refused, and there is no option to let some in
    return http({ port, host })
  }
}

/**
 * Makes the transport to a broker: one for a process, so that all it does there goes over one connection. Rejects with
 * `LUC_OPTIONS_INVALID`, for a package that is not installed too.
 */
export async function brokerNamed(name: BrokerName, place: BrokerPlace): Promise<Broker> {
  if (name === 'nats') return (await import('../../transports/nats/index.js')).nats(natsOptions(place))
  return (await import('../../transports/amqp/index.js')).amqp(amqpOptions(place))
}
