/**
 * Messages and outcomes as bare JSON, for posts that carry what travels beside them in header fields.
 */
import { encodeReply, toOutcome } from '../codec.js'
import { LuciliusError } from '../errors.js'
import { flatJson } from '../flat-json.js'
import { isMessage, type Message } from '../message.js'
import type { Outcome } from '../transport.js'
import { checkJson, decodeJson, encodeJson } from '../wire-json.js'
import type { MailLimits } from './limits.js'

type Size = Pick<MailLimits, 'maxBytes' | 'maxDepth'>

/** Levels and bytes that an error adds to its details. */
const ERROR_DEPTH = 2
const ERROR_BYTES = 4 * 1024

/** Writes a message. Throws `LUC_TOO_LARGE`, `LUC_MESSAGE_INVALID`, `LUC_NOT_PORTABLE`. */
export function messageText(message: Message, limits: Size): string {
  const flat = flatJson(message)
  if (flat !== undefined && flat.length <= limits.maxBytes) return flat
  const text = encodeJson(message)
  checkJson(text, limits)
  return text
}

/** Reads a message. Throws `LUC_TOO_LARGE`, `LUC_MESSAGE_INVALID`, `LUC_WIRE_INVALID`. */
export function readMessage(bytes: Uint8Array, limits: Size): Message {
  const message = decodeJson(bytes, limits)
  if (isMessage(message)) return message
  throw new LuciliusError('LUC_MESSAGE_INVALID', 'A message is an object: { "role": "convert", … }.')
}

/** An outcome, ready to be sent. */
export interface BareOutcome {
  /** The reply, or `{ "error": … }`. Empty if the reply is undefined. */
  readonly text: string
  /** The code of the error, if it is one. */
  readonly code: string | undefined
}

/** Writes an outcome. A reply that cannot be carried becomes the error that says so. */
export function bareOutcome(outcome: Outcome, limits: Size): BareOutcome {
  try {
    if (outcome.error === undefined) return { text: encodeReply(outcome.reply, limits), code: undefined }
    return { text: `{"error":${encodeReply(outcome.error, limits)}}`, code: outcome.error.code }
  } catch (error) {
    // It is the LuciliusError that says why it cannot be carried.
    return bareError(error as LuciliusError)
  }
}

/** An error of ours as an outcome, without its details. */
export function bareError({ code, message, handled }: LuciliusError): BareOutcome {
  return { text: JSON.stringify({ error: { code, message, handled } }), code }
}

/** Reads an outcome; `failed` says that it is told to be an error. One that cannot be read is the error which says so. */
export function readOutcome(bytes: Uint8Array, failed: boolean, limits: Size): Outcome {
  try {
    if (!failed) return bytes.length === 0 ? {} : { reply: decodeJson(bytes, limits) }
    const { maxBytes, maxDepth } = limits
    const body = decodeJson(bytes, { maxBytes: maxBytes + ERROR_BYTES, maxDepth: maxDepth + ERROR_DEPTH })
    const outcome = toOutcome(body)
    return outcome.error === undefined ? UNREADABLE : outcome
  } catch {
    return UNREADABLE
  }
}

const UNREADABLE: Outcome = Object.freeze({
  error: Object.freeze({
    code: 'LUC_WIRE_INVALID',
    message: 'The answer of the peer cannot be read.',
    handled: 'unknown',
  }),
})
