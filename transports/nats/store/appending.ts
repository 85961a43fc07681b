import { encodeStoredEvent, LuciliusError, type OpenStore, type StoredEvent } from '../../../lib/transport-kit.js'
import { type Keeping, keep, NotKept } from './keeping.js'
import type { Link } from './link.js'
import type { Names } from './names.js'
import type { Streams } from './streams.js'
import { token } from './token.js'
import { toTrouble } from './trouble.js'
import { Refused, refusals } from './unanswered.js'

/** What a dead letter needs beyond its event: the history is shortened to this at the worst. */
export const historyBytes = 16 * 1024

/**
 * `append` of the store. Many may be under way: none waits for another. After a lost connection they are sent again in
 * the order in which they were appended.
 */
export function appending(link: Link, names: Names, streams: Streams): OpenStore['append'] {
  return async (event, signal) => {
    const text = encodeStoredEvent(event)
    refuseLarger(link, event, text)
    const keeping = keepingsOf(names, event, text).map((one) => keep(link, one, () => streams.ensure(), signal))
    const kept = await Promise.allSettled(keeping)
    const failed = kept.filter((one) => one.status === 'rejected').map(({ reason }) => reason)
    if (failed.length > 0) throw toFailure(event, failed, failed.length < kept.length)
  }
}

function keepingsOf(
  names: Names,
  { id, declared, key, durable, retain }: StoredEvent,
  text: string,
): readonly Keeping[] {
  const keepings: Keeping[] = []
  if (durable) keepings.push({ subject: names.event(declared), text, id: token(id) })
  if (retain) keepings.push({ subject: names.retained(declared, key), text, id: token(id) })
  return keepings
}

function refuseLarger({ maxPayload }: Link, { id }: StoredEvent, text: string): void {
  const most = maxPayload - historyBytes
  if (text.length * 3 <= most || Buffer.byteLength(text) <= most) return
  const what = `Event '${id}' has more than the ${most} bytes that the NATS server takes (max_payload, less ${historyBytes}).`
  throw new LuciliusError('LUC_TOO_LARGE', `${what} Send less, or raise max_payload there.`)
}

function toFailure({ id }: StoredEvent, failed: readonly unknown[], isPartlyKept: boolean): unknown {
  const strange = failed.find((error) => !(error instanceof NotKept))
  if (strange !== undefined) return strange
  const reasons = failed as readonly NotKept[] // just seen
  const tooLarge = reasons.find(({ cause }) => cause instanceof Refused && cause.code === refusals.tooLarge)
  if (tooLarge !== undefined) {
    return new LuciliusError('LUC_TOO_LARGE', `Event '${id}' has more bytes than its stream takes (max_msg_size).`)
  }
  const isCertain = !isPartlyKept && reasons.every(({ handled }) => handled === 'no')
  const doing = isCertain ? `Event '${id}' was not stored` : `Event '${id}' may be stored, or not`
  return toTrouble(doing, reasons[0]?.cause, isCertain ? 'no' : 'unknown')
}
