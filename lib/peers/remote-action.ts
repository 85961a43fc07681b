import type { Action } from '../dispatch/action.js'
import type { Peer } from './peer.js'

/** An action that runs elsewhere: one pattern of one service, answered by every peer that announced it. */
export interface RemoteAction {
  readonly action: Action
  readonly peers: Peer[]
  /** The next of equally busy peers to ask. */
  turn: number
  /** The peers that do not say that running it twice does no harm. */
  readonly once: Set<Peer>
  /** Every peer says that running it twice does no harm. */
  idempotent: boolean
}
