import type { Action } from '../dispatch/action.js'
import { type Call, describe } from '../dispatch/call.js'
import { callOf } from '../dispatch/context.js'
import type { Dispatcher } from '../dispatch/dispatcher.js'
import { LATER } from '../dispatch/later.js'
import { LuciliusError } from '../errors.js'
import type { Context } from '../handler.js'
import type { Message } from '../message.js'
import type { ActEnvelope, Outcome, WireError, WireMeta } from '../transport.js'
import { fromWireError } from '../wire-error.js'
import { Attempt } from './attempt.js'
import type { Parking } from './parking.js'
import type { Peer } from './peer.js'
import type { RemoteAction } from './remote-action.js'
import type { Retry } from './retry.js'

/** Codes that say: nothing was done here and will not be soon, ask another instance. */
const ELSEWHERE: ReadonlySet<string> = new Set(['LUC_SERVICE_CLOSED', 'LUC_OVERLOADED', 'LUC_UNREACHABLE'])

/** Codes that say: what was learned is out of date. Milliseconds to wait for news before the next look, try by try. */
const NEWS_MS: { readonly [code: string]: readonly number[] } = {
  LUC_ROUTE_CHANGED: [0, 20, 100, 400],
  LUC_ACTION_NOT_FOUND: [0],
}

/**
 * Carries calls to the peers that answer them: what the handler of every remote action does.
 *
 * What was provably not handled moves to another peer, or parks until one is back. What is unknown is tried again only
 * if the action is idempotent. Whatever else went wrong is the caller's to know.
 */
export class Carrier {
  readonly #dispatcher: Dispatcher
  readonly #parking: Parking
  readonly #retry: Retry

  constructor(dispatcher: Dispatcher, parking: Parking, retry: Retry) {
    this.#dispatcher = dispatcher
    this.#parking = parking
    this.#retry = retry
  }

  /** Sends a call, and settles it later. The usual case is one peer, one envelope and one answer; all else recovers. */
  carry(remote: RemoteAction, message: Message, context: Context): typeof LATER {
    const call = callOf(context)
    if (call === undefined) {
      throw new LuciliusError(
        'LUC_HANDLER_INVALID',
        'A wrap must pass on the context it was given, or one made from it.',
      )
    }
    call.message = message
    this.#retry.called()
    const peer = pick(remote, undefined)
    if (peer === undefined) this.#recover(call, remote, undefined, undefined)
    else new Attempt(call, remote, peer, this.#firstEnded).start(envelopeOf(call, remote.action, false))
    return LATER
  }

  readonly #firstEnded = ({ call, remote, peer }: Attempt, outcome: Outcome): void => {
    if (outcome.error === undefined) call.succeed(outcome.reply)
    else if (!call.settled) this.#recover(call, remote, peer, outcome.error)
  }

  /** Sends a call again; what kept it from being carried is told like an answer. */
  #sendAgain(call: Call, remote: RemoteAction, peer: Peer, retried: boolean): Promise<Outcome> {
    return new Promise((resolve) => {
      const ended = (_: Attempt, outcome: Outcome) => resolve(outcome)
      new Attempt(call, remote, peer, ended).start(envelopeOf(call, remote.action, retried))
    })
  }

  /** Goes on with a call after the first try. Once a try may have been handled, nothing later can say that it was not. */
  #recover(call: Call, remote: RemoteAction, first: Peer | undefined, failure: WireError | undefined): void {
    this.#goOn(call, remote, first, failure).then(
      (reply) => call.succeed(reply),
      (error) => {
        const { doubt } = call
        const isDoubtful = doubt !== undefined && error instanceof LuciliusError && error.handled === 'no'
        call.fail(isDoubtful ? fromWireError(doubt) : error)
      },
    )
  }

  async #goOn(
    call: Call,
    remote: RemoteAction,
    first: Peer | undefined,
    failure: WireError | undefined,
  ): Promise<unknown> {
    const refused = new Set<Peer>()
    let peer = first
    let error = failure
    let tries = 1
    for (let changes = 0; ; ) {
      if (call.end !== undefined) throw call.end
      const waitMs = error === undefined ? undefined : NEWS_MS[error.code]?.[changes++]
      if (waitMs !== undefined) {
        const other = await this.#otherRoute(call, waitMs)
        if (other !== undefined) return this.#dispatcher.follow(other, call)
      } else if (error !== undefined && peer !== undefined) {
        if (isElsewhere(error)) refused.add(peer)
        else if (!remote.idempotent || call.origin.retried === true || !(await this.#retry.may(error, tries++))) {
          throw fromWireError(error)
        } else {
          call.doubt = error
        }
      }
      if (call.end !== undefined) throw call.end
      peer = pick(remote, refused)
      if (peer === undefined) {
        if (error?.code === 'LUC_OVERLOADED') throw fromWireError(error)
        // Nobody of this service is left, but another one may answer: an app that came back under a new name, for instance.
        const other = remote.peers.length === 0 ? this.#dispatcher.reroute(call) : undefined
        if (other !== undefined && other !== call.action) return this.#dispatcher.follow(other, call)
        refused.clear()
        error = undefined
        await this.#park(call, remote)
        continue
      }
      const outcome = await this.#sendAgain(call, remote, peer, tries > 1)
      if (outcome.error === undefined) return outcome.reply
      error = outcome.error
    }
  }

  /** Waits until a peer of the action is available. Ends with the call, whose deadline is then `LUC_UNREACHABLE`. */
  #park(call: Call, remote: RemoteAction): Promise<void> {
    return new Promise((resolve, reject) => {
      const free = () => remote.peers.length === 0 || remote.peers.some((peer) => peer.available)
      if (remote.peers.length === 0) {
        reject(new LuciliusError('LUC_UNREACHABLE', `Nobody answers ${describe(call.action)} any more.`))
        return
      }
      const go = () => {
        call.parked = false
        call.onCancel = undefined
        resolve()
      }
      const ticket = this.#parking.park(call.message, free, go, describe(call.action))
      // After a try of which nobody knows the end, waiting proves nothing.
      call.parked = call.doubt === undefined
      call.onCancel = () => {
        ticket.leave()
        resolve()
      }
    })
  }

  /** The action that answers now, if it has become another one. */
  async #otherRoute(call: Call, waitMs: number): Promise<Action | undefined> {
    await new Promise((resolve) => setTimeout(resolve, waitMs))
    const action = this.#dispatcher.reroute(call)
    return action === call.action ? undefined : action
  }
}

function isElsewhere(error: WireError): boolean {
  return error.handled === 'no' && ELSEWHERE.has(error.code)
}

/** The least busy peer, those of equal load in turn, suspects last. Connections to one instance count as one. */
function pick(remote: RemoteAction, refused: ReadonlySet<Peer> | undefined): Peer | undefined {
  const { peers } = remote
  if (peers.length === 1) {
    // The usual case.
    const only = peers[0] as Peer
    return only.available && refused?.has(only) !== true ? only : undefined
  }
  let best: Peer | undefined
  let bestAt = remote.turn
  for (let i = 0; i < peers.length; i++) {
    const at = (remote.turn + i) % peers.length
    // The index is within bounds.
    const peer = peers[at] as Peer
    if (!peer.available || refused?.has(peer) === true || hasTwin(peers, at)) continue
    if (best !== undefined && !isBetter(peer, best)) continue
    best = peer
    bestAt = at
  }
  // Behind the one that was picked: behind one that was passed over, its neighbour would have two turns.
  remote.turn = (bestAt + 1) % Math.max(1, peers.length)
  return best
}

/** Whether an earlier one of the peers is another connection to the same instance. */
function hasTwin(peers: readonly Peer[], index: number): boolean {
  const { instance } = (peers[index] as Peer).info
  for (let i = 0; i < index; i++) {
    const other = peers[i] as Peer
    if (other.available && other.info.instance === instance) return true
  }
  return false
}

function isBetter(peer: Peer, best: Peer): boolean {
  return peer.suspect === best.suspect ? peer.busy < best.busy : best.suspect
}

function envelopeOf(call: Call, action: Action, retried: boolean): ActEnvelope {
  const { below, by, origin } = call
  const { identity } = origin
  const meta: Writable<WireMeta> = { timeoutMs: Math.ceil(call.remainingMs), hops: call.hops }
  if (call.isTraceable) {
    meta.id = call.id
    meta.traceparent = call.traceparent
  }
  if (identity !== undefined) meta.identity = identity
  if (retried || origin.retried === true) meta.retried = true
  const envelope: Writable<ActEnvelope> = { kind: 'act', message: call.message, meta, to: action.pattern.text }
  if (below !== undefined) envelope.below = below
  if (by !== undefined) envelope.by = by
  return envelope
}

/** An object while it is made: spreading what may be absent takes five times as long. */
type Writable<T> = { -readonly [K in keyof T]: T[K] }
