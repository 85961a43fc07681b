import type { MessagePort } from 'node:worker_threads'
import {
  encodeOutcome,
  envelopeLimits,
  isDeeper,
  isMessage,
  type LuciliusCode,
  LuciliusError,
  type Outcome,
} from 'lucilius/transport-kit'

/** What goes through a port. `text` is JSON; an answer has the id of what it answers. */
export interface Frame {
  readonly kind: 'tell' | 'event' | 'act' | 'ping' | 'bye' | 'answer' | 'cancel' | 'refused'
  readonly id: number
  readonly text: string
}

/** Reads what came out of a port. Throws `LUC_WIRE_INVALID`. */
export function toFrame(value: unknown): Frame {
  const { kind, id, text } = isMessage(value) ? value : {}
  if (KINDS.has(kind) && Number.isSafeInteger(id) && typeof text === 'string') return { kind, id, text } as Frame
  throw new LuciliusError('LUC_WIRE_INVALID', 'What came out of the port is no frame.')
}

const KINDS: ReadonlySet<unknown> = new Set<Frame['kind']>([
  ...(['tell', 'event', 'act', 'ping', 'bye', 'answer', 'cancel', 'refused'] as const),
])

/** Writes an outcome. A reply that is too long or too deep becomes the error that says so. */
export function answerText(outcome: Outcome): string {
  const text = encodeOutcome(outcome)
  const { maxBytes, maxDepth } = envelopeLimits()
  if (Buffer.byteLength(text) <= maxBytes && !isDeeper(text, maxDepth)) return text
  return encodeOutcome(failed(new LuciliusError('LUC_REPLY_INVALID', 'The reply is too long or too deep.')))
}

/** An error as an outcome. What is not ours to tell is not told. */
export function failed(error: unknown): Outcome {
  const known = error instanceof LuciliusError
  const { code, message, handled } = known ? error : new LuciliusError('LUC_FORBIDDEN', 'This app is no peer here.')
  return { error: { code, message, handled } }
}

/** Says why there is no connection, or none any more, and closes the port. */
export function refuse(port: MessagePort, error: unknown): void {
  port.postMessage({ kind: 'refused', id: 0, text: encodeOutcome(failed(error)) } satisfies Frame)
  port.close()
}

/** The error that the other end refused with. */
export function refusal(outcome: Outcome): LuciliusError {
  const { code, message } = outcome.error ?? { code: 'LUC_FORBIDDEN', message: 'The connection was refused.' }
  return new LuciliusError(code as LuciliusCode, message) // a code of `failed`, thus ours
}
