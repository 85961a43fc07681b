import type { Message as Delivered, MessageProperties, Options } from 'amqplib'
import {
  type ActEnvelope,
  bareOutcome,
  decodeJson,
  type EventEnvelope,
  encodeJson,
  type FieldList,
  type HeaderFields,
  isMessage,
  LuciliusError,
  type Message,
  messageText,
  type Parcel,
  readMessage,
  readOutcome,
  readPeerAct,
  readPeerEvent,
  writePeerAct,
  writePeerEvent,
} from '../../lib/transport-kit.js'

/**
 * Parcels as AMQP messages, so that whoever looks at the broker sees messages rather than envelopes.
 *
 * - `type`: the kind, and after a space what it is for: `act cmd:get,role:rates`, `event stock,notify`, `reply`, `error`;
 * - `correlation-id`: the line, and after a point the id, where there is one;
 * - `reply-to`: the sender's mailbox, where an answer is wished;
 * - `expiration`: the milliseconds that remain of an act; the broker drops it afterwards;
 * - headers: what else travels beside the message. Most acts have none: three cost half as much as the act itself
 *   (measured with amqplib 2.3 and RabbitMQ 3.10);
 * - the body: the bare message or reply, or what a kind of ours has to say.
 */
export interface ParcelForm {
  readonly content: Buffer
  readonly properties: Options.Publish
}

/** How large messages and replies may be. */
interface Size {
  readonly maxBytes: number
  readonly maxDepth: number
}

/** The longest text that fits behind the kind: short texts of AMQP have at most 255 bytes, of which UTF-8 takes up to three each. */
const SHORT = 80

/** Bytes of an announcement: 10,000 patterns. */
const ANNOUNCEMENT_BYTES = 4 * 1024 * 1024

const JSON_TYPE = 'application/json'
const EMPTY = Buffer.alloc(0)

/** Writes a parcel. Throws `LUC_TOO_LARGE`, `LUC_MESSAGE_INVALID`, `LUC_NOT_PORTABLE`. */
export function toForm(parcel: Parcel, from: string, size: Size): ParcelForm {
  const { kind, line } = parcel
  switch (kind) {
    case 'act':
      return actForm(parcel.envelope, `${line}.${parcel.id}`, from, size)
    case 'event':
      return eventForm(parcel.envelope, line, size)
    case 'reply': {
      const { text, code } = bareOutcome(parcel.outcome, size)
      return {
        content: Buffer.from(text),
        properties: {
          type: code === undefined ? 'reply' : 'error',
          correlationId: `${line}.${parcel.id}`,
          contentType: JSON_TYPE,
          mandatory: true,
        },
      }
    }
    case 'cancel':
    case 'ping':
    case 'pong': {
      const correlationId = `${line}.${parcel.id}`
      return { content: EMPTY, properties: { type: kind, correlationId, replyTo: from, mandatory: kind === 'ping' } }
    }
    default: {
      const { kind: _, line: __, ...rest } = parcel
      return {
        content: Buffer.from(encodeJson(rest)),
        properties: {
          type: kind,
          correlationId: line,
          replyTo: from,
          contentType: JSON_TYPE,
          mandatory: kind !== 'close',
        },
      }
    }
  }
}

/** An act on its own, as it comes through a clients' door too. Throws as {@link toForm} does. */
export function actForm(envelope: ActEnvelope, correlationId: string, replyTo: string, size: Size): ParcelForm {
  const { message, meta, to } = envelope
  const isShort = to !== undefined && to !== '' && to.length <= SHORT
  const expiration = toExpiration(meta.timeoutMs)
  const isPlain = isShort && expiration !== undefined && isBare(envelope)
  const properties: Options.Publish = {
    type: isShort ? `act ${to}` : 'act',
    correlationId,
    replyTo,
    contentType: JSON_TYPE,
    mandatory: true,
  }
  if (expiration !== undefined) properties.expiration = expiration
  if (!isPlain) {
    const fields: FieldList = []
    writePeerAct(fields, envelope)
    const headers = headersOf(fields, expiration === undefined ? '' : TIMEOUT, isShort ? TO : '')
    if (headers !== undefined) properties.headers = headers
  }
  return { content: Buffer.from(messageText(message, size)), properties }
}

function isBare({ meta, below, by }: ActEnvelope): boolean {
  const { id, traceparent, identity, retried, hops = 1 } = meta
  const isAbsent = id === undefined && traceparent === undefined && identity === undefined && retried !== true
  return isAbsent && hops === 1 && below === undefined && by === undefined
}

/** The most milliseconds that RabbitMQ takes. */
const LONGEST_MS = 2 ** 32 - 1

/** Undefined for no time, too: the broker would drop what is to be answered. */
function toExpiration(timeoutMs = 0): string | undefined {
  return timeoutMs > 0 && timeoutMs <= LONGEST_MS ? String(Math.ceil(timeoutMs)) : undefined
}

const TIMEOUT = 'lucilius-timeout-ms'
const TO = 'lucilius-to'
const SERVICES = 'lucilius-services'

/** The fields of an envelope as headers, without those that stand in the properties. */
function headersOf(fields: FieldList, ...said: string[]): Headers | undefined {
  const headers: { [name: string]: string } = {}
  let isEmpty = true
  for (let at = 0; at < fields.length; at += 2) {
    const [name, value] = [fields[at] as string, fields[at + 1] as string] // Names and values in turn.
    if (said.includes(name)) continue
    headers[name] = value
    isEmpty = false
  }
  return isEmpty ? undefined : headers
}

type Headers = { readonly [name: string]: string }

function eventForm(envelope: EventEnvelope, correlationId: string, size: Size): ParcelForm {
  const names = envelope.services.join(',')
  const isShort = names !== '' && names.length <= SHORT && /^[\w.,-]+$/.test(names) && isSplitAgain(envelope.services)
  const fields: FieldList = []
  writePeerEvent(fields, envelope)
  const headers = isShort ? headersOf(fields, SERVICES) : headersOf(fields)
  const properties: Options.Publish = {
    type: isShort ? `event ${names}` : 'event',
    correlationId,
    contentType: JSON_TYPE,
    mandatory: true,
  }
  if (headers !== undefined) properties.headers = headers
  return { content: Buffer.from(messageText(envelope.message, size)), properties }
}

/** Whether names are told apart by commas. */
function isSplitAgain(services: readonly string[]): boolean {
  return services.every((one) => one !== '' && !one.includes(','))
}

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
