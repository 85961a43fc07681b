import type { ConfirmChannel, Options } from 'amqplib'

/** Publishes; resolves once the broker has it, rejects if it has not, or if the channel is lost before it said so. */
export function confirmed(
  channel: ConfirmChannel,
  exchange: string,
  key: string,
  content: Buffer,
  properties: Options.Publish,
): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.publish(exchange, key, content, properties, (error) => (error ? reject(error) : resolve()))
  })
}
