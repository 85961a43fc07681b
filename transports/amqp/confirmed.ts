import type { ConfirmChannel, Message, Options } from 'amqplib'

/**
 * Publishes; resolves once the broker has it. Rejects if it has not, if the channel is lost before it said so, and with
 * `mandatory`, which needs a `messageId`, if it leads to no queue: the broker confirms what it then drops.
 */
export async function confirmed(
  channel: ConfirmChannel,
  exchange: string,
  key: string,
  content: Buffer,
  properties: Options.Publish,
): Promise<void> {
  const { mandatory, messageId } = properties
  const returned = mandatory ? returnedOn(channel) : undefined
  await new Promise<void>((resolve, reject) => {
    channel.publish(exchange, key, content, properties, (error) => (error ? reject(error) : resolve()))
  })
  if (returned !== undefined && takeOne(returned, placeOf(exchange, key, messageId))) {
    throw new Error(exchange === '' ? `The queue ${key} is not there.` : `${key} of ${exchange} leads to no queue.`)
  }
}

/** How much came back on a channel, by its place: each comes before its confirmation. */
function returnedOn(channel: ConfirmChannel): Map<string, number> {
  const known = returns.get(channel)
  if (known !== undefined) return known
  const returned = new Map<string, number>()
  channel.on('return', ({ fields, properties }: Message) => {
    const place = placeOf(fields.exchange, fields.routingKey, properties.messageId)
    returned.set(place, (returned.get(place) ?? 0) + 1)
  })
  returns.set(channel, returned)
  return returned
}

function takeOne(returned: Map<string, number>, place: string): boolean {
  const count = returned.get(place) ?? 0
  if (count > 1) returned.set(place, count - 1)
  else returned.delete(place)
  return count > 0
}

function placeOf(exchange: string, key: string, id: unknown): string {
  return JSON.stringify([exchange, key, id])
}

const returns = new WeakMap<ConfirmChannel, Map<string, number>>()
