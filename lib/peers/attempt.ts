import { carryDirect } from '../direct.js'
import type { Call } from '../dispatch/call.js'
import { noteCarried } from '../dispatch/carried.js'
import { LuciliusError } from '../errors.js'
import type { Connection, DirectCall, Envelope, Outcome, WireError } from '../transport.js'
import { toWireError } from '../wire-error.js'
import type { Peer } from './peer.js'
import type { RemoteAction } from './remote-action.js'

/** What to do at the end of an attempt; what kept it from being carried is told like an answer. */
export type Ended = (attempt: Attempt, outcome: Outcome) => void

/** One try of a call at one peer: hot, so no promise and no closure (`npm run bench -- remote`). */
export class Attempt implements DirectCall {
  readonly call: Call
  readonly remote: RemoteAction
  readonly peer: Peer
  readonly #ended: Ended
  #isOver = false

  constructor(call: Call, remote: RemoteAction, peer: Peer, ended: Ended) {
    this.call = call
    this.remote = remote
    this.peer = peer
    this.#ended = ended
  }

  /** The hook of the call: who gives that up gives up this. */
  get onCancel(): (() => void) | undefined {
    return this.call.onCancel
  }

  set onCancel(hook: (() => void) | undefined) {
    this.call.onCancel = hook
  }

  start(envelope: Envelope): void {
    this.peer.pending++
    noteCarried(this.call, this.peer.info)
    // An available peer has a connection.
    carryDirect(this.peer.connection as Connection, envelope, this)
  }

  settle(outcome: Outcome): void {
    if (this.#isOver) return
    this.#isOver = true
    const { call, peer } = this
    peer.pending--
    call.onCancel = undefined
    if (call.end?.code === 'LUC_DEADLINE_EXCEEDED') peer.doubt()
    this.#ended(this, outcome)
  }

  fail(error: unknown): void {
    this.settle({ error: carryError(error) })
  }
}

/** Why carrying failed. What a transport throws that is no `LuciliusError` is its own fault, and tells nothing. */
function carryError(error: unknown): WireError {
  if (error instanceof LuciliusError) return toWireError(error)
  return { code: 'LUC_REPLY_LOST', message: 'The transport failed while it carried the message.', handled: 'unknown' }
}
