/**
 * The header fields of the wire format: what travels beside a message where a transport has header fields.
 */

import { LuciliusError } from './errors.js'
import { fromField, toField } from './field-text.js'
import type { Message } from './message.js'
import type { ActEnvelope, EventEnvelope, WireMeta } from './transport.js'
import { decodeJson, encodeJson } from './wire-json.js'

/** Header fields as they came, with names in lower case. What is no single text is ignored. */
export interface HeaderFields {
  readonly [name: string]: string | readonly string[] | undefined
}

/** Header fields to be sent: names and values in turn. */
export type FieldList = string[]

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * What a client's header fields say: how much time there is, and to which trace the message belongs.
 * Throws `LUC_WIRE_INVALID`.
 */
export function readClientMeta(headers: HeaderFields): Writable<WireMeta> {
  const { traceparent, 'lucilius-timeout-ms': timeoutMs } = headers
  // Filled field by field: on the hot path, spreading the few that are there took a tenth of a listener's time.
  const meta: Writable<WireMeta> = {}
  if (typeof traceparent === 'string') meta.traceparent = traceparent
  if (timeoutMs !== undefined) meta.timeoutMs = toNumber('lucilius-timeout-ms', timeoutMs)
  return meta
}

/** The envelope of a peer's message. Throws `LUC_WIRE_INVALID` and what `decodeJson` throws. */
export function readPeerAct(message: Message, headers: HeaderFields): ActEnvelope {
  const to = text(headers, 'lucilius-to')
  const below = text(headers, 'lucilius-below')
  const by = text(headers, 'lucilius-by')
  const envelope: Writable<ActEnvelope> = { kind: 'act', message, meta: readPeerMeta(headers) }
  if (to !== undefined) envelope.to = to
  if (below !== undefined) envelope.below = below
  if (by !== undefined) envelope.by = by
  return envelope
}

/** The envelope of a peer's event. Throws as {@link readPeerAct} does. */
export function readPeerEvent(message: Message, headers: HeaderFields): EventEnvelope {
  const services = headers['lucilius-services']
  const list = typeof services === 'string' ? services.split(',').map((one) => fromField('lucilius-services', one)) : []
  return { kind: 'event', message, meta: readPeerMeta(headers), services: list }
}

function readPeerMeta(headers: HeaderFields): WireMeta {
  const meta = readClientMeta(headers)
  const id = text(headers, 'lucilius-id')
  const hops = headers['lucilius-hops']
  const identity = text(headers, 'lucilius-identity')
  if (id !== undefined) meta.id = id
  if (hops !== undefined) meta.hops = toCount('lucilius-hops', hops)
  if (identity !== undefined) meta.identity = decodeJson(identity)
  if (headers['lucilius-retried'] === '1') meta.retried = true
  return meta
}

/** Adds what any listener may know of an envelope. */
export function writeClientMeta(fields: FieldList, { traceparent, timeoutMs }: WireMeta): void {
  if (traceparent !== undefined) fields.push('traceparent', traceparent)
  if (timeoutMs !== undefined) fields.push('lucilius-timeout-ms', String(timeoutMs))
}

/** Adds what only a peer may say. Throws `LUC_MESSAGE_INVALID`, `LUC_NOT_PORTABLE`. */
export function writePeerAct(fields: FieldList, { meta, to, below, by }: ActEnvelope): void {
  writePeerMeta(fields, meta)
  if (to !== undefined) fields.push('lucilius-to', toField(to))
  if (below !== undefined) fields.push('lucilius-below', toField(below))
  if (by !== undefined) fields.push('lucilius-by', toField(by))
}

/** Adds what goes beside an event. Throws as {@link writePeerAct} does. */
export function writePeerEvent(fields: FieldList, { meta, services }: EventEnvelope): void {
  writePeerMeta(fields, meta)
  if (services.length === 0) return
  fields.push('lucilius-services', services.map((one) => toField(one).replaceAll(',', '%2C')).join(','))
}

function writePeerMeta(fields: FieldList, meta: WireMeta): void {
  const { id, hops, identity, retried } = meta
  writeClientMeta(fields, meta)
  if (id !== undefined) fields.push('lucilius-id', toField(id))
  // Absent it is 1, which is what most messages have.
  if (hops !== undefined && hops !== 1) fields.push('lucilius-hops', String(hops))
  if (identity !== undefined) fields.push('lucilius-identity', toField(encodeJson(identity)))
  if (retried === true) fields.push('lucilius-retried', '1')
}

function text(headers: HeaderFields, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? fromField(name, value) : undefined
}

function toCount(name: string, value: string | readonly string[]): number {
  const count = toNumber(name, value)
  if (Number.isSafeInteger(count)) return count
  throw new LuciliusError('LUC_WIRE_INVALID', `The header ${name} is not a whole number.`)
}

function toNumber(name: string, value: string | readonly string[]): number {
  // Digits only: Number would take '', ' 1', '0x10' and 'Infinity', too.
  if (typeof value === 'string' && /^\d{1,15}(\.\d{1,9})?$/.test(value)) return Number(value)
  throw new LuciliusError('LUC_WIRE_INVALID', `The header ${name} is not a number.`)
}
