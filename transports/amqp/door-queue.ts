import type { Channel } from 'amqplib'

/** How many acts may wait for somebody to answer them. */
const MOST_WAITING = 10_000

/**
 * Declares the queue of a clients' door: both ends do, so that an act waits there whoever comes first. It is full rather
 * than endless: then it refuses. An exchange of the same name leads there, for clients that may write to nothing else.
 */
export async function assertDoor(channel: Channel, name: string): Promise<void> {
  await channel.assertExchange(name, 'fanout')
  await channel.assertQueue(name, { durable: true, maxLength: MOST_WAITING, overflow: 'reject-publish' })
  await channel.bindQueue(name, name, '')
}

/** What stands before the name of an app where acts are sent to its door: no mailbox has a point in its address. */
const DOOR = 'act.'

/** The address of a clients' door, among those of mailboxes. */
export function doorAddress(app: string): string {
  return `${DOOR}${app}`
}

/** The app whose door an address leads to; undefined for a mailbox. */
export function doorOf(address: string): string | undefined {
  return address.startsWith(DOOR) ? address.slice(DOOR.length) : undefined
}
