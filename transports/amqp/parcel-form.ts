import type { Options } from 'amqplib'
import {
  type ActEnvelope,
  bareOutcome,
  type EventEnvelope,
  encodeJson,
  type FieldList,
  messageText,
  type Parcel,
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
export interface Size {
  readonly maxBytes: number
  readonly maxDepth: number
}

/** The longest text that fits behind the kind: short texts of AMQP have at most 255 bytes, of which UTF-8 takes up to three each. */
const SHORT = 80

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

function actForm(envelope: ActEnvelope, correlationId: string, replyTo: string, size: Size): ParcelForm {
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
