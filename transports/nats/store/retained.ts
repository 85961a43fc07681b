import { decodeStoredEvent, type Message, type StoredEvent } from '../../../lib/transport-kit.js'
import type { Parts } from './parts.js'
import { readStream } from './reading.js'

/** The last event of each key that `matches` lets through, as they were stored. Rejects with `Unanswered` and `Refused`. */
export async function retained(
  { link, names, host }: Parts,
  matches: (message: Message) => boolean,
): Promise<readonly StoredEvent[]> {
  const found: StoredEvent[] = []
  for await (const { subject, data } of readStream(link, names.streams.retained)) {
    try {
      const event = decodeStoredEvent(data)
      if (matches(event.message)) found.push(event)
    } catch (error) {
      host.log('warn', { subject, error }, 'The store retains something that is no event: passed over.')
    }
  }
  return found
}
