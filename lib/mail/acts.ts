import { Outgoing } from '../acts/outgoing.js'
import type { ActEnvelope } from '../transport.js'
import { messageText } from './bare.js'
import type { LinePlace } from './line-place.js'
import type { Post } from './parcel.js'

/** The acts that leave over a line, as parcels. Of those that a broker was given nobody knows where they are. */
export function outgoingOver({ id: line, to, post, limits }: LinePlace): Outgoing<ActEnvelope> {
  const departure = {
    send(id: number, envelope: ActEnvelope): number {
      post.send(to, { kind: 'act', line, id, envelope })
      return 0
    },
    cancel(id: number): void {
      trySend(post, to, { kind: 'cancel', line, id })
    },
    keep(envelope: ActEnvelope) {
      const text = messageText(envelope.message, limits)
      return { act: { ...envelope, message: JSON.parse(text) }, chars: text.length }
    },
  }
  return new Outgoing(departure, limits)
}

/** Sends what is of no use to anybody if it cannot be sent. */
export function trySend(post: Post, ...[to, parcel]: Parameters<Post['send']>): void {
  try {
    post.send(to, parcel)
  } catch {
    // The broker is lost, and will be told so; or the parcel is too large, and nothing smaller would say the same.
  }
}
