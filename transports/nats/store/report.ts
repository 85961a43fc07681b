import {
  decodeStoredEvent,
  matcherOf,
  type StoredEvent,
  type StoreReport,
  type SubscriptionReport,
} from '../../../lib/transport-kit.js'
import type { Entry } from './entry.js'
import { type EventMessage, isFor } from './event-of.js'
import { toHistory } from './history.js'
import type { Known } from './known.js'
import { toPlace } from './ordered-place.js'
import type { Parts } from './parts.js'
import { readStream } from './reading.js'
import { jsonOf, Records, readMessage } from './records.js'

/** How many events that no subscription has looked at yet are looked at for the report; those beyond count as waiting. */
const mostRead = 10_000

/** Where a subscription is. */
interface Position {
  readonly entry: Entry
  /** The first sequence that it has not looked at. */
  readonly next: number
  readonly underWay: number
  readonly running: number
}

/** What the store tells of itself. Rejects with `Unanswered` and `Refused`. */
export async function report(parts: Parts, known: Known, where: string): Promise<StoreReport> {
  const { link, names } = parts
  const { events: stream, retained, dead } = names.streams
  const [events, values, letters, entries] = await Promise.all([
    link.manage(stream, (manager) => manager.streams.info(stream)),
    link.manage(retained, (manager) => manager.streams.info(retained)),
    link.manage(dead, (manager) => manager.streams.info(dead, { subjects_filter: '>' })),
    known.list(),
  ])
  const { messages, bytes, first_seq, last_seq } = events.state
  const oldest = messages === 0 ? undefined : await readMessage(link, stream, { seq: first_seq })
  const positions = await Promise.all(entries.map((entry) => positionOf(parts, known, entry)))
  const unread = await countUnread(parts, positions, last_seq)
  const deadOf = (name: string) => letters.state.subjects?.[names.dead(name)] ?? 0
  const subscriptions = positions.map(({ entry, underWay, running }, at): SubscriptionReport => {
    const { name, pattern, ordered } = entry
    return { name, pattern, ordered, waiting: underWay + (unread[at] ?? 0), running, dead: deadOf(name) }
  })
  const oldestAt = oldest === undefined ? undefined : (jsonOf(oldest.data) as { at?: number } | undefined)?.at
  return {
    store: where,
    events: messages,
    bytes,
    ...(typeof oldestAt === 'number' && { oldestAt }),
    retained: values.state.messages,
    subscriptions,
  }
}

async function positionOf(parts: Parts, known: Known, entry: Entry): Promise<Position> {
  const { link, names } = parts
  if (entry.ordered) {
    const place = toPlace((await new Records(link, names.streams.state).read(names.ordered(entry.name)))?.value)
    const { upTo = 0, open = new Map(), holder = null } = place ?? {}
    return { entry, next: upTo + 1, underWay: open.size, running: holder === null ? 0 : open.size }
  }
  const consumer = await known.consumer(entry.name)
  if (consumer === undefined) return { entry, next: Number.POSITIVE_INFINITY, underWay: 0, running: 0 }
  const { delivered, config, num_ack_pending } = consumer
  const idle = num_ack_pending === 0 ? 0 : await countIdle(parts, entry.name)
  const next = Math.max(delivered.stream_seq + 1, config.opt_start_seq ?? 1)
  return { entry, next, underWay: num_ack_pending, running: Math.max(0, num_ack_pending - idle) }
}

/** How many of those that failed wait for their time to come again. */
async function countIdle({ link, names }: Parts, subscription: string): Promise<number> {
  let idle = 0
  for await (const { data, seq } of readStream(link, names.streams.failures, {
    filter: names.failures(subscription, '*'),
  })) {
    if (toHistory(jsonOf(data), seq).dueAt > Date.now()) idle += 1
  }
  return idle
}

/** For each subscription, how many of the events that it has not looked at are for it. */
async function countUnread(
  { link, names }: Parts,
  positions: readonly Position[],
  last: number,
): Promise<readonly number[]> {
  const counters = positions.map(({ entry, next }) => ({
    name: entry.name,
    matches: matcherOf(entry.pattern),
    next,
    count: 0,
  }))
  let read = Math.min(...positions.map(({ next }) => next)) - 1
  if (read < last) {
    for await (const message of readStream(link, names.streams.events, { from: read + 1, most: mostRead })) {
      read = message.seq
      const event = eventIn(message)
      for (const counter of counters) {
        if (event !== undefined && read >= counter.next && isFor(names, counter, message.subject, event))
          counter.count++
      }
    }
  }
  return counters.map(({ count, next }) => count + Math.max(0, last - Math.max(read, next - 1)))
}

function eventIn({ data }: EventMessage): StoredEvent | undefined {
  try {
    return decodeStoredEvent(data)
  } catch {
    return undefined // Whoever is served passes it over, and says so.
  }
}
