import type { Plugin } from '../app.js'
import { amqpOptions, type BrokerPlace } from './broker-options.js'
import type { Foreign, Group } from './system.js'

/** What takes part in the messages of a group for programs of others: the name of its plugin. Durable subscriptions have it, too. */
export function foreignName({ name }: Pick<Group, 'name'>): string {
  return `amqp.${name}`
}

/**
 * What takes messages from exchanges and queues of others and gives events to them, at the broker of the deployment. A
 * plugin of the processes of one group. Rejects with `LUC_OPTIONS_INVALID`.
 */
export async function foreignExchanges(place: BrokerPlace, described: Foreign): Promise<Plugin> {
  const { foreign } = await import('../../transports/amqp/index.js')
  const { space, ...connection } = amqpOptions(place)
  return foreign({ ...connection, ...described })
}
