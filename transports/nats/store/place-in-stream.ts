import type { Msg } from '@nats-io/transport-node'

/** Where a delivered message lies, and how it came: what JetStream writes into the subject of its acknowledgement. */
export interface PlaceInStream {
  readonly sequence: number
  /** The sequence and the time of storing: a server that lost its last messages gives their sequences to others. */
  readonly id: string
  /** How often this consumer delivered it, this time included. */
  readonly deliveries: number
  /** When it was stored: ms since the epoch, by the server's clock. */
  readonly storedAt: number
}

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<deliveries>.<sequence>.<count>.<ns>.<pending>`; newer servers put domain and account
 * before the stream, and more at the end. Undefined for what is no delivery.
 */
export function placeOf({ reply = '' }: Msg): PlaceInStream | undefined {
  const words = reply.split('.')
  if (words[0] !== '$JS' || words[1] !== 'ACK') return undefined
  const at = words.length > 9 ? 6 : 4
  const [deliveries, sequence] = words.slice(at, at + 2).map(Number)
  if (!deliveries || !sequence) return undefined
  // The number of nanoseconds is longer than a double is exact: its last six digits are left out.
  const time = words[at + 3] ?? ''
  return { deliveries, sequence, id: `${sequence}.${time}`, storedAt: Number(time.slice(0, -6)) }
}
