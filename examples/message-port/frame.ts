import type { MessagePort } from 'node:worker_threads'
import { encodeOutcome, isMessage, type LuciliusCode, LuciliusError, type Outcome } from 'lucilius/transport-kit'

/** What goes through a port. `text` is JSON; an answer has the id of what it answers. */
export interface Frame {
  readonly kind: 'tell' | 'event' | 'act' | 'ping' | 'bye' | 'answer' | 'cancel' | 'refused'
  readonly id: number
  readonly text: string
}

const KINDS: readonly unknown[] = ['tell', 'event', 'act', 'ping', 'bye', 'answer', 'cancel', 'refused']

/** Reads what came out of a port. Throws `LUC_WIRE_INVALID`. */
export function toFrame(value: unknown): Frame {
  const { kind, id, text } = isMessage(value) ? value : {}
  if (KINDS.includes(kind) && Number.isSafeInteger(id) && typeof text === 'string') return { kind, id, text } as Frame
  throw new LuciliusError('LUC_WIRE_INVALID', 'What came out of the port is no frame.')
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
export function refusal({ error }: Outcome): LuciliusError {
  if (error === undefined) return new LuciliusError('LUC_WIRE_INVALID', 'The peer refused, and did not say why.')
  return new LuciliusError(error.code as LuciliusCode, error.message) // a code that `failed` wrote
}
