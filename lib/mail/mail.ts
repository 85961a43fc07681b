import type { Connection, Observer, Receiver } from '../transport.js'
import { Connecting } from './connecting.js'
import { type MailLimits, mailLimits } from './limits.js'
import { listenByMail, type MailListener } from './listening.js'
import type { OpenPost } from './parcel.js'

/** Connections over a broker: what a transport needs for `listen` and `connect`. */
export interface Mail {
  /** Opens a mailbox of its own and answers whoever opens a line to it. Rejects as the post does that cannot be opened. */
  listen(receiver: Receiver): Promise<MailListener>
  /**
   * Makes one attempt to open a line to a mailbox. Rejects with what either side has against the other, and with
   * `LUC_UNREACHABLE`. All connections share one mailbox of ours.
   *
   * If the observer is `silent`, the address is one that only answers, a clients' door: nothing is sent there but acts.
   */
  connect(to: string, observer: Observer): Promise<Connection>
}

/** Makes lines out of the parcels of a broker. */
export function mail(openPost: OpenPost, limits: Partial<MailLimits> = {}): Mail {
  const all = { ...mailLimits, ...limits }
  const connecting = new Connecting(openPost, all)
  return {
    listen: (receiver) => listenByMail(openPost, receiver, all),
    connect: (to, observer) => connecting.connect(to, observer),
  }
}
