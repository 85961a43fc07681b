import { LuciliusError } from './errors.js'
import { flatJson } from './flat-json.js'
import { isMessage, type Message } from './message.js'
import { defaultMaxBytes, defaultMaxDepth, type PortableLimits } from './portable.js'
import type { ActEnvelope, Envelope, EventEnvelope, Outcome, WireError, WireMeta } from './transport.js'
import { checkJson, decodeJson, encodeJson } from './wire-json.js'

/**
 * Envelopes as JSON text and back.
 *
 * What comes from a wire is hostile until decoded: an envelope is given back whole, with known properties only, or not at
 * all. Unknown properties pass by, unknown kinds do not.
 */
export function encodeEnvelope(envelope: Envelope): string {
  return encodeJson(envelope)
}

/** What an envelope adds to the message or reply in it: levels of nesting, and bytes of meta. */
const ENVELOPE_DEPTH = 2
const ENVELOPE_BYTES = 16 * 1024

/** The limits of a message, as limits of an envelope with such a message in it. */
export function envelopeLimits({
  maxDepth = defaultMaxDepth,
  maxBytes = defaultMaxBytes,
}: PortableLimits = {}): Required<PortableLimits> {
  return { maxDepth: maxDepth + ENVELOPE_DEPTH, maxBytes: maxBytes + ENVELOPE_BYTES }
}

/** Reads an envelope. Throws `LUC_WIRE_INVALID`, `LUC_MESSAGE_INVALID` and `LUC_TOO_LARGE`, all `handled: 'no'`. */
export function decodeEnvelope(text: string | Uint8Array, limits?: PortableLimits): Envelope {
  return toEnvelope(decodeJson(text, envelopeLimits(limits)))
}

/** Checks a decoded value and makes an envelope of it. Throws as {@link decodeEnvelope} does. */
export function toEnvelope(value: unknown): Envelope {
  if (!isMessage(value)) throw invalid('is no object')
  const { kind, message, meta } = value
  if (kind !== 'act' && kind !== 'event') throw invalid("has no known 'kind'")
  if (!isMessage(message))
    throw new LuciliusError('LUC_MESSAGE_INVALID', 'A message is an object: { "role": "convert", … }.')
  return kind === 'act' ? toAct(value, message, toMeta(meta)) : toEvent(value, message, toMeta(meta))
}

/** Written out, as `toMeta` is: spreading what may be absent takes five times as long (`npm run bench -- remote`). */
function toAct(value: Message, message: Message, meta: WireMeta): ActEnvelope {
  const envelope: Writable<ActEnvelope> = { kind: 'act', message, meta }
  const { to, below, by } = value
  if (to !== undefined) envelope.to = text('to', to)
  if (below !== undefined) envelope.below = text('below', below)
  if (by !== undefined) envelope.by = text('by', by)
  return envelope
}

function toEvent({ services }: Message, message: Message, meta: WireMeta): EventEnvelope {
  if (!Array.isArray(services) || !services.every((one) => typeof one === 'string')) {
    throw invalid("has no list of texts as 'services'")
  }
  return { kind: 'event', message, meta, services }
}

/** Checks the meta of an envelope; what is absent the receiver fills in. Throws `LUC_WIRE_INVALID`. */
export function toMeta(meta: unknown): WireMeta {
  if (meta === undefined) return {}
  if (!isMessage(meta)) throw invalid("has no object as 'meta'")
  const { id, traceparent, timeoutMs, hops, identity, retried } = meta
  const known: Writable<WireMeta> = {}
  if (id !== undefined) known.id = text('id', id)
  if (traceparent !== undefined) known.traceparent = text('traceparent', traceparent)
  if (timeoutMs !== undefined) {
    // NaN is no time either: a deadline made of it would never come.
    if (typeof timeoutMs !== 'number' || !(timeoutMs >= 0)) throw invalid("has no number of at least 0 as 'timeoutMs'")
    known.timeoutMs = timeoutMs
  }
  if (hops !== undefined) {
    if (!Number.isSafeInteger(hops) || (hops as number) < 0) throw invalid("has no count as 'hops'")
    known.hops = hops as number
  }
  if (identity !== undefined) known.identity = identity
  if (retried === true) known.retried = true
  return known
}

/** Writes an outcome. A reply that cannot be carried, or that nobody would read, becomes the error that says so. */
export function encodeOutcome(outcome: Outcome, limits?: PortableLimits): string {
  try {
    const text = encodeJson(outcome, 'reply')
    checkReadable(text, envelopeLimits(limits))
    return text
  } catch (error) {
    // encodeJson and checkReadable throw nothing but a LuciliusError, whose facts can always be written.
    const { code, message, handled } = error as LuciliusError
    return encodeJson({ error: { code, message, handled } })
  }
}

/**
 * Writes a reply without an outcome around it: an empty text for `undefined`. Throws `LUC_NOT_PORTABLE` and
 * `LUC_REPLY_INVALID`, both `handled: 'yes'`, for what cannot be carried and for what nobody would read.
 */
export function encodeReply(reply: unknown, limits: PortableLimits): string {
  if (reply === undefined || typeof reply === 'function' || typeof reply === 'symbol') return ''
  const flat = typeof reply === 'object' && reply !== null ? flatJson(reply) : undefined
  if (flat !== undefined && flat.length <= (limits.maxBytes ?? defaultMaxBytes)) return flat
  const text = encodeJson(reply, 'reply')
  checkReadable(text, limits)
  return text
}

/** The other end refuses what breaks a limit or has a forbidden key; this end can still say that the work was done. */
function checkReadable(text: string, limits: PortableLimits): void {
  try {
    checkJson(text, limits)
  } catch (cause) {
    throw new LuciliusError('LUC_REPLY_INVALID', `The reply cannot be carried: ${(cause as Error).message}`, { cause })
  }
}

/** Reads an outcome. Throws `LUC_WIRE_INVALID`, `handled: 'unknown'`: something was answered, nobody knows what. */
export function decodeOutcome(text: string | Uint8Array, limits?: PortableLimits): Outcome {
  let value: unknown
  try {
    value = decodeJson(text, envelopeLimits(limits))
  } catch (cause) {
    throw unreadable(cause)
  }
  return toOutcome(value)
}

/** Checks a decoded value and makes an outcome of it. Throws as {@link decodeOutcome} does. */
export function toOutcome(value: unknown): Outcome {
  if (!isMessage(value)) throw unreadable()
  const { reply, error } = value
  if (error !== undefined) return { error: toError(error) }
  return reply === undefined ? {} : { reply }
}

function toError(error: unknown): WireError {
  if (!isMessage(error)) throw unreadable()
  const { code, message, handled, details } = error
  if (typeof code !== 'string' || code === '' || typeof message !== 'string') throw unreadable()
  // Whoever does not say whether the work was done leaves it unknown.
  const known = handled === 'no' || handled === 'yes' ? handled : 'unknown'
  return { code, message, handled: known, ...(details === undefined ? {} : { details }) }
}

function text(key: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw invalid(`has no text as '${key}'`)
}

function invalid(what: string): LuciliusError {
  return new LuciliusError('LUC_WIRE_INVALID', `The envelope ${what}.`)
}

function unreadable(cause?: unknown): LuciliusError {
  return new LuciliusError('LUC_WIRE_INVALID', 'The answer of the peer cannot be read.', { handled: 'unknown', cause })
}

/** An object while it is made. */
type Writable<T> = { -readonly [K in keyof T]: T[K] }
