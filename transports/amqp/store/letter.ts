import type { GetMessage } from 'amqplib'
import type { DeadLetter, Failure, StoredEvent } from '../../../lib/transport-kit.js'
import { decodeRecord, type Record } from './record.js'

/** Between the parts of the id of a dead letter: the name of its subscription, when it died, and which one it is. */
const SEPARATOR = '/'

/** Makes a dead letter of what lies in the queue of a subscription's dead letters. */
export function toLetter(subscription: string, message: GetMessage): DeadLetter {
  const record = readRecord(message)
  const at = record.diedAt ?? brokerTime(message) ?? record.event.at
  const which = String(message.properties.correlationId ?? message.properties.messageId ?? record.event.id)
  return {
    id: [subscription, at.toString(36), which].join(SEPARATOR),
    subscription,
    event: record.event,
    at,
    failures: record.diedAt === undefined ? [...record.failures, ofBroker(message, record, at)] : record.failures,
  }
}

/** The subscription that a dead letter of this id would be of. */
export function subscriptionOf(id: string): string | undefined {
  const parts = id.split(SEPARATOR)
  return parts.length < 3 ? undefined : parts[0]
}

/** Oldest first. */
export function byAge(a: Pick<DeadLetter, 'at' | 'id'>, b: Pick<DeadLetter, 'at' | 'id'>): number {
  return a.at - b.at || (a.id < b.id ? -1 : 1)
}

/** The place of an id in the order of {@link byAge}, whether there still is a letter of that id or not. */
export function placeOf(id: string): Pick<DeadLetter, 'at' | 'id'> | undefined {
  const at = Number.parseInt(id.split(SEPARATOR)[1] ?? '', 36)
  return Number.isFinite(at) ? { at, id } : undefined
}

function readRecord(message: GetMessage): Record {
  try {
    return decodeRecord(message.content, message.properties.type)
  } catch {
    return { event: unreadable(message), attempts: 0, failures: [] }
  }
}

/** Stands for what somebody has put into the queue of a subscription, and is no event: so that it can be seen and dropped. */
function unreadable({ properties, content }: GetMessage): StoredEvent {
  const message = { unreadable: content.toString('utf8', 0, 200) }
  const id = String(properties.messageId ?? '')
  return { id, at: 0, declared: '', message, meta: {}, key: '', retain: false, durable: true }
}

/** The broker, not the core, has found that it is dead: it says why and when, to the second. */
function ofBroker({ properties }: GetMessage, { attempts }: Record, at: number): Failure {
  const why = death(properties.headers)?.reason
  const told = why === 'delivery_limit' ? 'It was delivered too often without an end.' : 'It cannot be read.'
  return { at, attempt: attempts + 1, message: `${told} (RabbitMQ: ${why ?? 'no reason'})`, instance: 'rabbitmq' }
}

function brokerTime({ properties }: GetMessage): number | undefined {
  const seconds = death(properties.headers)?.time?.value
  return typeof seconds === 'number' ? seconds * 1000 : undefined
}

function death(headers: GetMessage['properties']['headers']) {
  return headers?.['x-death']?.[0] as { reason?: string; time?: { value?: unknown } } | undefined
}
