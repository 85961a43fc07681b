/**
 * Events as stores keep them, as JSON text and back.
 *
 * What lies in a broker may have been put there by anybody: an event is given back whole, or not at all.
 */
import { toMeta } from './codec.js'
import { LuciliusError } from './errors.js'
import { isMessage } from './message.js'
import type { Failure, StoredEvent } from './store.js'
import { decodeJson, encodeJson } from './wire-json.js'

/** What a stored event adds to the nesting of its message. */
const eventDepth = 64 + 2

/** Writes an event as JSON text. Throws `LUC_NOT_PORTABLE` for what JSON cannot hold. */
export function encodeStoredEvent({ id, at, declared, message, meta, key, retain, durable }: StoredEvent): string {
  return encodeJson({ id, at, declared, message, meta, key, retain, durable })
}

/**
 * Reads an event. Unknown properties pass by. Throws `LUC_WIRE_INVALID` and `LUC_MESSAGE_INVALID`. It has no limit of
 * bytes: whoever stored it was bound by one.
 */
export function decodeStoredEvent(text: string | Uint8Array): StoredEvent {
  return toStoredEvent(decodeJson(text, { maxDepth: eventDepth, maxBytes: Number.POSITIVE_INFINITY }))
}

/** Checks a decoded value and makes an event of it. Throws as {@link decodeStoredEvent} does. */
export function toStoredEvent(value: unknown): StoredEvent {
  if (!isMessage(value)) throw invalid('is no object')
  const { id, at, declared, message, meta, key, retain, durable } = value
  if (typeof id !== 'string' || id === '') throw invalid("has no text as 'id'")
  if (typeof at !== 'number' || !Number.isFinite(at)) throw invalid("has no number as 'at'")
  if (typeof declared !== 'string') throw invalid("has no text as 'declared'")
  if (!isMessage(message)) throw invalid("has no object as 'message'")
  if (typeof key !== 'string') throw invalid("has no text as 'key'")
  if (typeof retain !== 'boolean' || typeof durable !== 'boolean') throw invalid("does not say 'retain' and 'durable'")
  return { id, at, declared, message, meta: toEventMeta(meta), key, retain, durable }
}

/** Checks what was written down of failures: what is none is left out. */
export function toFailures(value: unknown): Failure[] {
  return Array.isArray(value) ? value.flatMap(toFailure) : []
}

function toEventMeta(value: unknown): StoredEvent['meta'] {
  const { traceparent, hops, identity } = toMeta(value)
  return {
    ...(traceparent !== undefined && { traceparent }),
    ...(hops !== undefined && { hops }),
    ...(identity !== undefined && { identity }),
  }
}

function toFailure(value: unknown): Failure[] {
  if (!isMessage(value)) return []
  const { at, attempt, code, message, instance } = value
  if (typeof at !== 'number' || typeof attempt !== 'number') return []
  if (typeof message !== 'string' || typeof instance !== 'string') return []
  return [{ at, attempt, ...(typeof code === 'string' && { code }), message, instance }]
}

function invalid(what: string): LuciliusError {
  return new LuciliusError('LUC_WIRE_INVALID', `What is stored is no event: it ${what}.`)
}
