import type { Departure } from '../../lib/transport-kit.js'
import { cancelText } from './frame-text.js'
import { idText } from './id-text.js'
import type { Outbox } from './outbox.js'

/** An act as text: its id comes between the two. Nothing changes it any more. */
export interface ActText {
  readonly start: string
  readonly body: string
}

/** How acts leave over a socket. */
export function departureBy(outbox: Outbox): Departure<ActText> {
  return {
    send(id, { start, body }, others) {
      outbox.push(start + idText(id) + body, others)
      return outbox.given
    },
    cancel: (id) => outbox.pushIdle(cancelText(id)),
    keep: (act) => ({ act, chars: act.body.length }),
  }
}
