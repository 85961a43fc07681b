import { type DurableSubscription, decodeStoredEvent, type StoredEvent } from '../../../lib/transport-kit.js'
import type { Parts } from './parts.js'

/** A message of the stream of events, wherever it was read. */
export interface EventMessage {
  readonly subject: string
  readonly data: Uint8Array
}

/** The event of a message, if it is for a subscription: one that it matches, or a dead letter of its own. */
export function eventOf(
  { names, host }: Pick<Parts, 'names' | 'host'>,
  { name, matches }: Pick<DurableSubscription, 'name' | 'matches'>,
  { subject, data }: EventMessage,
): StoredEvent | undefined {
  const isReplay = names.isReplay(subject)
  if (isReplay && subject !== names.replay(name)) return undefined
  try {
    const event = decodeStoredEvent(data)
    return isReplay || matches(event.message) ? event : undefined
  } catch (error) {
    host.log('warn', { subject, error }, 'The store holds something that is no event: passed over.')
    return undefined
  }
}
