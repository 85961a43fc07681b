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
  toMeta,
  type WireMeta,
} from '../../lib/transport-kit.js'
import { fromField, toField } from './field-text.js'

/** The header field by which a peer says which stream it holds. */
export const CONNECTION = 'lucilius-connection'

/** What a client's header fields say: how much time there is, and to which trace the message belongs. */
export function readClientMeta(headers: IncomingHttpHeaders): WireMeta {
  const timeoutMs = headers['lucilius-timeout-ms']
  const { traceparent } = headers
  if (timeoutMs === undefined && typeof traceparent !== 'string') return {}
  return toMeta({
    ...(timeoutMs === undefined ? undefined : { timeoutMs: toNumber('lucilius-timeout-ms', timeoutMs) }),
    ...(typeof traceparent === 'string' ? { traceparent } : undefined),
  })
}

/** The envelope of a peer's message. Throws `LUC_WIRE_INVALID` and what {@link decodeJson} throws. */
export function readPeerAct(message: Message, headers: IncomingHttpHeaders): ActEnvelope {
  const to = text(headers, 'lucilius-to')
  const below = text(headers, 'lucilius-below')
  const by = text(headers, 'lucilius-by')
  return {
    kind: 'act',
    message,
    meta: readPeerMeta(headers),
    ...(to === undefined ? undefined : { to }),
    ...(below === undefined ? undefined : { below }),
    ...(by === undefined ? undefined : { by }),
  }
}

function readPeerMeta(headers: IncomingHttpHeaders): WireMeta {
  const id = text(headers, 'lucilius-id')
  const hops = headers['lucilius-hops']
  const identity = text(headers, 'lucilius-identity')
  return toMeta({
    ...readClientMeta(headers),
    ...(id === undefined ? undefined : { id }),
    ...(hops === undefined ? undefined : { hops: toNumber('lucilius-hops', hops) }),
    ...(identity === undefined ? undefined : { identity: decodeJson(identity) }),
    ...(headers['lucilius-retried'] === '1' ? { retried: true } : undefined),
  })
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
  if (hops !== undefined) fields.push('lucilius-hops', String(hops))
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

function toNumber(name: string, value: string | string[]): number {
  // Digits only: Number would take '', ' 1', '0x10' and 'Infinity', too.
  if (typeof value === 'string' && /^\d{1,15}(\.\d{1,9})?$/.test(value)) return Number(value)
  throw new LuciliusError('LUC_WIRE_INVALID', `The header ${name} is not a number.`)
}
