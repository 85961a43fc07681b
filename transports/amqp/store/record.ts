import {
  decodeJson,
  decodeStoredEvent,
  encodeJson,
  encodeStoredEvent,
  type Failure,
  isMessage,
  type StoredEvent,
  toFailures,
  toStoredEvent,
} from '../../../lib/transport-kit.js'

/**
 * An event with its history, as it lies in the queues of one subscription. One without history lies there as the event
 * that it is, which the emitter published; `type` of the message tells them apart.
 */
export interface Record {
  readonly event: StoredEvent
  /** How often it was delivered before it was put here. */
  readonly attempts: number
  /** When it was first delivered, ms since the epoch; absent if it never was, or nobody knows. */
  readonly firstAt?: number
  /** What failed, oldest first. */
  readonly failures: readonly Failure[]
  /** How many ms it has to wait beyond the time of the queue that it waits in. */
  readonly restMs?: number
  /** When it died, ms since the epoch. */
  readonly diedAt?: number
}

export const EVENT = 'lucilius.event'
export const RECORD = 'lucilius.record'

/** An event keeps so many of its failures: the first ones and the last ones. */
const MOST_FAILURES = 200
/** What a record adds to the nesting of a stored event. */
const DEPTH = 64 + 4

/** Writes a record. */
export function encodeRecord({ event, failures, ...rest }: Record): Buffer {
  const history = encodeJson({ ...rest, failures: bounded(failures) })
  return Buffer.from(`{"event":${encodeStoredEvent(event)},${history.slice(1)}`)
}

/** Reads what lies in a queue of a subscription. Throws `LUC_WIRE_INVALID` and `LUC_MESSAGE_INVALID`. */
export function decodeRecord(body: Buffer, type: unknown): Record {
  if (type !== RECORD) return { event: decodeStoredEvent(body), attempts: 0, failures: [] }
  const value = decodeJson(body, { maxDepth: DEPTH, maxBytes: Number.POSITIVE_INFINITY })
  const { event, attempts, firstAt, failures, restMs, diedAt } = isMessage(value) ? value : {}
  return {
    event: toStoredEvent(event),
    attempts: isCount(attempts) ? attempts : 0,
    ...(isCount(firstAt) && { firstAt }),
    failures: toFailures(failures),
    ...(isCount(restMs) && { restMs }),
    ...(isCount(diedAt) && { diedAt }),
  }
}

function bounded(failures: readonly Failure[]): readonly Failure[] {
  if (failures.length <= MOST_FAILURES) return failures
  return [...failures.slice(0, MOST_FAILURES / 2), ...failures.slice(-MOST_FAILURES / 2)]
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
