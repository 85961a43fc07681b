import { type DurableSubscription, decodeStoredEvent, type StoredEvent } from '../../../lib/transport-kit.js'
import type { Names } from './names.js'
import type { Parts } from './parts.js'

/** What of a subscription decides. */
export type Matcher = Pick<DurableSubscription, 'name' | 'matches'>

/** A message of the stream of events, wherever it was read. */
export interface EventMessage {
  readonly subject: string
  readonly data: Uint8Array
}

/** The event of a message, if it is for a subscription: one that it matches, or a dead letter of its own. */
export function eventOf(
  { names, host }: Pick<Parts, 'names' | 'host'>,
  { name, matches }: Matcher,
  { subject, data }: EventMessage,
): StoredEvent | undefined {
  if (names.isReplay(subject) && subject !== names.replay(name)) return undefined
  try {
    const event = decodeStoredEvent(data)
    return isFor(names, { name, matches }, subject, event) ? event : undefined
  } catch (error) {
    host.log('warn', { subject, error }, 'The store holds something that is no event: passed over.')
    return undefined
  }
}

/** Whether an event that lies at a subject is for a subscription. */
export function isFor(names: Names, { name, matches }: Matcher, subject: string, { message }: StoredEvent): boolean {
  return names.isReplay(subject) ? subject === names.replay(name) : matches(message)
}
