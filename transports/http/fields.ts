/**
 * The header fields of the wire format: what travels beside a message, and the names of all of them.
 */
import type { IncomingHttpHeaders } from 'node:http'
import {
  type ActEnvelope,
  decodeJson,
  encodeJson,
  LuciliusError,
  type Message,
  type WireMeta,
} from '../../lib/transport-kit.js'
import { fromField, toField } from './field-text.js'

/** The header field by which a peer says which stream it holds. */
export const CONNECTION = 'lucilius-connection'

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/**
 * What a client's header fields say: how much time there is, and to which trace the message belongs.
 * Throws `LUC_WIRE_INVALID`.
 */
export function readClientMeta(headers: IncomingHttpHeaders): Writable<WireMeta> {
  const { traceparent, 'lucilius-timeout-ms': timeoutMs } = headers
  // Filled field by field: on the hot path, spreading the few that are there took a tenth of a listener's time.
  const meta: Writable<WireMeta> = {}
  if (typeof traceparent === 'string') meta.traceparent = traceparent
  if (timeoutMs !== undefined) meta.timeoutMs = toNumber('lucilius-timeout-ms', timeoutMs)
  return meta
}

/** The envelope of a peer's message. Throws `LUC_WIRE_INVALID` and what `decodeJson` throws. */
export function readPeerAct(message: Message, headers: IncomingHttpHeaders): ActEnvelope {
  const to = text(headers, 'lucilius-to')
  const below = text(headers, 'lucilius-below')
  const by = text(headers, 'lucilius-by')
  const envelope: Writable<ActEnvelope> = { kind: 'act', message, meta: readPeerMeta(headers) }
  if (to !== undefined) envelope.to = to
  if (below !== undefined) envelope.below = below
  if (by !== undefined) envelope.by = by
  return envelope
}

function readPeerMeta(headers: IncomingHttpHeaders): WireMeta {
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

/** Header fields as undici takes them: names and values in turn. */
export type Fields = string[]

/** Adds what any listener may know of an envelope. */
export function writeClientMeta(fields: Fields, { traceparent, timeoutMs }: WireMeta): void {
  if (traceparent !== undefined) fields.push('traceparent', traceparent)
  if (timeoutMs !== undefined) fields.push('lucilius-timeout-ms', String(timeoutMs))
}

/** Adds what only a peer may say. Throws `LUC_MESSAGE_INVALID`, `LUC_NOT_PORTABLE`. */
export function writePeerAct(fields: Fields, { meta, to, below, by }: ActEnvelope): void {
  const { id, hops, identity, retried } = meta
  writeClientMeta(fields, meta)
  if (id !== undefined) fields.push('lucilius-id', toField(id))
  // Absent it is 1, which is what most messages have.
  if (hops !== undefined && hops !== 1) fields.push('lucilius-hops', String(hops))
  if (to !== undefined) fields.push('lucilius-to', toField(to))
  if (below !== undefined) fields.push('lucilius-below', toField(below))
  if (by !== undefined) fields.push('lucilius-by', toField(by))
  if (identity !== undefined) fields.push('lucilius-identity', toField(encodeJson(identity)))
  if (retried === true) fields.push('lucilius-retried', '1')
}

function text(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? fromField(name, value) : undefined
}

function toCount(name: string, value: string | string[]): number {
  const count = toNumber(name, value)
  if (Number.isSafeInteger(count)) return count
  throw new LuciliusError('LUC_WIRE_INVALID', `The header ${name} is not a whole number.`)
}

function toNumber(name: string, value: string | string[]): number {
  // Digits only: Number would take '', ' 1', '0x10' and 'Infinity', too.
  if (typeof value === 'string' && /^\d{1,15}(\.\d{1,9})?$/.test(value)) return Number(value)
  throw new LuciliusError('LUC_WIRE_INVALID', `The header ${name} is not a number.`)
}
