import type { Message as Delivered, MessageProperties } from 'amqplib'
import {
  type ActEnvelope,
  decodeJson,
  type EventEnvelope,
  type HeaderFields,
  isMessage,
  LuciliusError,
  type Message,
  type Parcel,
  readMessage,
  readOutcome,
  readPeerAct,
  readPeerEvent,
} from '../../lib/transport-kit.js'
import type { Size } from './parcel-form.js'

/** Bytes of an announcement: 10,000 patterns. */
const ANNOUNCEMENT_BYTES = 4 * 1024 * 1024

/** Which line a message is of, as far as its properties say; undefined if they are none of ours. */
export interface ParcelHead {
  readonly kind: string
  /** What stands behind the kind. */
  readonly rest: string
  readonly line: string
  /** Absent for a kind that has none. */
  readonly id: number
}

/** Reads what a message is about: undefined if it is no parcel. */
export function headOf({ type, correlationId }: MessageProperties): ParcelHead | undefined {
  if (typeof type !== 'string' || typeof correlationId !== 'string') return undefined
  const space = type.indexOf(' ')
  const kind = space === -1 ? type : type.slice(0, space)
  const rest = space === -1 ? '' : type.slice(space + 1)
  if (!NUMBERED.has(kind)) return { kind, rest, line: correlationId, id: 0 }
  const point = correlationId.lastIndexOf('.')
  const id = Number(correlationId.slice(point + 1))
  return point > 0 && Number.isSafeInteger(id) && id >= 0
    ? { kind, rest, line: correlationId.slice(0, point), id }
    : undefined
}

const NUMBERED: ReadonlySet<string> = new Set(['act', 'reply', 'error', 'cancel', 'ping', 'pong'])

/**
 * Reads a message; undefined for a kind that is not known, which passes by. Throws a `LuciliusError` that says why it
 * cannot be read, though not for an answer: that is the error which says so.
 */
export function toParcel(head: ParcelHead, { content, properties }: Delivered, size: Size): Parcel | undefined {
  const { kind, line, id } = head
  switch (kind) {
    case 'act':
      return { kind, line, id, envelope: toAct(head.rest, content, properties, size) }
    case 'event':
      return { kind, line, envelope: toEvent(head.rest, content, properties, size) }
    case 'reply':
    case 'error':
      return { kind: 'reply', line, id, outcome: readOutcome(content, kind === 'error', size) }
    case 'cancel':
    case 'ping':
    case 'pong':
      return { kind, line, id }
    case 'open': {
      const { announcement, authorization } = toBody(content)
      return typeof authorization === 'string'
        ? { kind, line, announcement, authorization }
        : { kind, line, announcement }
    }
    case 'opened':
    case 'tell':
      return { kind, line, announcement: toBody(content).announcement }
    case 'close': {
      const { error } = toBody(content)
      return error === undefined ? { kind, line } : { kind, line, error }
    }
    default:
      return undefined
  }
}

function toAct(to: string, content: Buffer, properties: MessageProperties, size: Size): ActEnvelope {
  const message = readMessage(content, size)
  const { headers } = properties
  const timeoutMs = timeoutOf(properties)
  if (to !== '' && timeoutMs !== undefined && isNone(headers)) return { kind: 'act', message, meta: { timeoutMs }, to }
  const envelope = readPeerAct(message, fieldsOf(headers))
  const meta = timeoutMs === undefined ? envelope.meta : { ...envelope.meta, timeoutMs }
  return to === '' ? { ...envelope, meta } : { ...envelope, meta, to }
}

function toEvent(services: string, content: Buffer, { headers }: MessageProperties, size: Size): EventEnvelope {
  const message = readMessage(content, size)
  if (services === '') return readPeerEvent(message, fieldsOf(headers))
  const names = services.split(',')
  if (isNone(headers)) return { kind: 'event', message, meta: {}, services: names }
  return { ...readPeerEvent(message, fieldsOf(headers)), services: names }
}

function isNone(headers: MessageProperties['headers']): boolean {
  return headers === undefined || Object.keys(headers).length === 0
}

/** The milliseconds that a message had when it was sent; undefined if it does not say. */
export function timeoutOf({ expiration }: MessageProperties): number | undefined {
  return typeof expiration === 'string' && /^\d{1,10}$/.test(expiration) ? Number(expiration) : undefined
}

/** Headers as texts, with names in lower case. What is neither text nor number passes by. */
export function fieldsOf(headers: MessageProperties['headers']): HeaderFields {
  const fields = Object.entries(headers ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' || typeof value === 'number' ? [[name.toLowerCase(), String(value)] as const] : [],
  )
  return Object.fromEntries(fields)
}

/** What a kind of ours has to say. Throws `LUC_WIRE_INVALID`. */
function toBody(content: Buffer): Message {
  const body = decodeJson(content, { maxBytes: ANNOUNCEMENT_BYTES })
  if (isMessage(body)) return body
  throw new LuciliusError('LUC_WIRE_INVALID', 'The parcel is no object.')
}
