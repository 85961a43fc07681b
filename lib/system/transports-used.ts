import type { TransportName } from './description.js'
import type { Deployment } from './system.js'

/** A transport by which each two processes have a connection of their own. */
export type DirectName = 'websocket' | 'http'

/** A transport that leads to a broker, which leads to everybody. */
export type BrokerName = 'nats' | 'amqp'

type Ways = Pick<Deployment, 'transport' | 'routes'>

/** What carries messages between the processes of a deployment: what most go by first. */
export function transportsOf({ transport, routes }: Ways): readonly TransportName[] {
  return [...new Set([transport, ...routes.map(({ via }) => via)])]
}

/** The brokers among them. */
export function brokersOf(ways: Ways): readonly BrokerName[] {
  return transportsOf(ways).filter(isBroker)
}

/** That one of them for which processes listen on ports; there is at most one. */
export function directOf(ways: Ways): DirectName | undefined {
  return transportsOf(ways).find((name) => !isBroker(name)) as DirectName | undefined // what is no broker is direct
}

/** Whether a transport leads to a broker. */
export function isBroker(name: TransportName): name is BrokerName {
  return name === 'nats' || name === 'amqp'
}
