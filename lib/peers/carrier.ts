import type { Action } from '../dispatch/action.js'
import { type Call, describe } from '../dispatch/call.js'
import { callOf } from '../dispatch/context.js'
import type { Dispatcher } from '../dispatch/dispatcher.js'
import { LuciliusError } from '../errors.js'
import type { Handler } from '../handler.js'
import type { ActEnvelope, Outcome, WireError } from '../transport.js'
import type { Parking } from './parking.js'
import type { Peer } from './peer.js'
import type { RemoteAction } from './remote-actions.js'
import { fromWireError, settleOutcome, toWireError } from './wire-error.js'

/** Codes with which a peer says that another one should be asked: it did nothing, and will not soon. */
const ELSEWHERE: ReadonlySet<string> = new Set(['LUC_SERVICE_CLOSED', 'LUC_OVERLOADED', 'LUC_UNREACHABLE'])

/** Milliseconds to wait for news after `LUC_ROUTE_CHANGED`, try by try. */
const NEWS_MS = [0, 20, 100, 400]

/**
 * Carries calls to the peers that answer them: the handler of every remote action.
 *
 * What was provably not handled moves to another peer, or parks until one is back; whatever else went wrong is the
 * caller's to know.
 */
export class Carrier {
  readonly #dispatcher: Dispatcher
  readonly #parking: Parking
  readonly #remotes = new WeakMap<Action, RemoteAction>()

  constructor(dispatcher: Dispatcher, parking: Parking) {
    this.#dispatcher = dispatcher
    this.#parking = parking
  }

  /** Makes `handler` know the peers of an action. */
  carries(remote: RemoteAction): void {
    this.#remotes.set(remote.action, remote)
  }

  readonly handler: Handler = (message, context) => {
    const call = callOf(context)
    const remote = call === undefined ? undefined : this.#remotes.get(call.action)
    if (call === undefined || remote === undefined) {
      throw new LuciliusError('LUC_HANDLER_INVALID', 'A wrap must pass on the context that it was given, or one made from it.')
    }
    call.message = message
    return this.#carry(call, remote)
  }

  async #carry(call: Call, remote: RemoteAction): Promise<unknown> {
    const refused = new Set<Peer>()
    let refusal: WireError | undefined
    for (let changes = 0; ; ) {
      const peer = pick(remote, refused)
      if (peer === undefined) {
        if (refusal?.code === 'LUC_OVERLOADED') throw fromWireError(refusal)
        refused.clear()
        await this.#park(call, remote)
      } else {
        const outcome = await this.#send(call, remote, peer)
        const { error } = outcome
        if (error !== undefined && error.handled === 'no' && ELSEWHERE.has(error.code)) {
          refusal = error
          refused.add(peer)
        } else if (error?.code === 'LUC_ROUTE_CHANGED' && changes < NEWS_MS.length) {
          const other = await this.#otherRoute(call, NEWS_MS[changes++] as number)
          if (other !== undefined) return this.#dispatcher.follow(other, call)
        } else {
          return settleOutcome(outcome)
        }
      }
      if (call.end !== undefined) throw call.end
    }
  }

  /** Sends a call to a peer. What keeps it from being carried is told like an answer, if it certainly was not handled. */
  async #send(call: Call, remote: RemoteAction, peer: Peer): Promise<Outcome> {
    // An available peer has a connection.
    const connection = peer.connection as NonNullable<Peer['connection']>
    peer.pending++
    try {
      return await connection.carry(envelopeOf(call, remote.action), call)
    } catch (error) {
      if (error instanceof LuciliusError && error.handled === 'no') return { error: toWireError(error) }
      throw error
    } finally {
      peer.pending--
      call.onCancel = undefined
      if (call.end?.code === 'LUC_DEADLINE_EXCEEDED') peer.suspect = true
    }
  }

  /** Waits until a peer of the action is available. Ends with the call, whose deadline is then `LUC_UNREACHABLE`. */
  #park(call: Call, remote: RemoteAction): Promise<void> {
    return new Promise((resolve, reject) => {
      if (remote.peers.length === 0) {
        reject(new LuciliusError('LUC_UNREACHABLE', `Nobody answers ${describe(call.action)} any more.`))
        return
      }
      const over = () => {
        call.parked = false
        call.onCancel = undefined
        resolve()
      }
      const ticket = this.#parking.park(call.message, () => remote.peers.length === 0 || remote.peers.some((peer) => peer.available), over)
      call.parked = true
      call.onCancel = () => {
        ticket.leave()
        resolve()
      }
    })
  }

  /** The action that answers now, if it has become another one. */
  async #otherRoute(call: Call, waitMs: number): Promise<Action | undefined> {
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs))
    const action = this.#dispatcher.reroute(call)
    return action === call.action ? undefined : action
  }
}

/** The least busy peer, those of equal load in turn, suspects last. Several connections to one instance count as one. */
function pick(remote: RemoteAction, refused: ReadonlySet<Peer>): Peer | undefined {
  const { peers } = remote
  let best: Peer | undefined
  for (let i = 0; i < peers.length; i++) {
    // The index is within bounds.
    const peer = peers[(remote.turn + i) % peers.length] as Peer
    if (!peer.available || refused.has(peer)) continue
    if (best === undefined || isBetter(peer, best)) best = peer
  }
  remote.turn = (remote.turn + 1) % Math.max(1, peers.length)
  return best
}

function isBetter(peer: Peer, best: Peer): boolean {
  return peer.suspect === best.suspect ? peer.pending < best.pending : best.suspect
}

function envelopeOf(call: Call, action: Action): ActEnvelope {
  const { identity } = call.origin
  const { below, by } = call
  return {
    kind: 'act',
    message: call.message,
    meta: {
      id: call.id,
      traceparent: call.traceparent,
      timeoutMs: Math.ceil(call.remainingMs),
      hops: call.hops,
      ...(identity === undefined ? {} : { identity }),
    },
    to: action.pattern.text,
    ...(below === undefined ? {} : { below }),
    ...(by === undefined ? {} : { by }),
  }
}
