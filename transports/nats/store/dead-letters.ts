import {
  type DeadLetter,
  encodeStoredEvent,
  type Failure,
  isMessage,
  type StoredEvent,
  toFailures,
  toStoredEvent,
} from '../../../lib/transport-kit.js'
import { historyBytes } from './appending.js'
import { shortened } from './history.js'
import { keep, NotKept } from './keeping.js'
import type { Parts } from './parts.js'
import { token } from './token.js'

/** What died, and of what. */
export interface Death {
  readonly subscription: string
  readonly event: StoredEvent
  readonly failures: readonly Failure[]
  /** Where the event lies: what dies a second time of the same delivery is one dead letter. */
  readonly sequence: number
}

/** Writes a dead letter. Resolves with whether it is stored; if not, the log says why. Never rejects. */
export async function bury(parts: Parts, death: Death, signal: AbortSignal): Promise<boolean> {
  const { link, names, streams, host } = parts
  const { subscription, event, sequence } = death
  const id = `${token(subscription)}.${sequence}.${token(event.id)}`
  try {
    const text = textOf(death, link.maxPayload)
    await keep(link, { subject: names.dead(subscription), text, id }, () => streams.ensure(), signal)
    return true
  } catch (error) {
    const facts = { event: event.id, subscription, error: error instanceof NotKept ? error.cause : error }
    host.log('error', facts, `Event '${event.id}' cannot be written to the dead letters, and will be delivered again.`)
    return false
  }
}

/** The event as it is, and as much of the history as there is room for. */
function textOf({ subscription, event, failures }: Death, maxPayload: number): string {
  const body = encodeStoredEvent(event)
  const room = maxPayload - Buffer.byteLength(body) - historyBytes / 2
  const history = JSON.stringify(shortened(failures, Math.max(room, historyBytes / 4)))
  return `{"subscription":${JSON.stringify(subscription)},"at":${Date.now()},"failures":${history},"event":${body}}`
}

/** Reads a dead letter that lies at a place of its stream. Throws `LUC_WIRE_INVALID` for what is none. */
export function toDeadLetter(sequence: number, value: unknown): DeadLetter | undefined {
  if (!isMessage(value) || typeof value.subscription !== 'string' || typeof value.at !== 'number') return undefined
  const { subscription, at, failures, event } = value
  return { id: String(sequence), subscription, event: toStoredEvent(event), at, failures: toFailures(failures) }
}
