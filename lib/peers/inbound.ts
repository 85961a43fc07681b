import { covers } from '../covers.js'
import type { Action } from '../dispatch/action.js'
import type { Actions } from '../dispatch/actions.js'
import type { Origin } from '../dispatch/call.js'
import type { Arrival } from '../dispatch/dispatcher.js'
import { LuciliusError } from '../errors.js'
import type { Crowd } from '../events/crowd.js'
import type { Emission } from '../events/emission.js'
import type { Message } from '../message.js'
import { type Pattern, toPattern } from '../pattern.js'
import { readRoutedBy } from '../routed-by.js'
import type { ActEnvelope, DirectCall, Envelope, Outcome } from '../transport.js'
import { toWireError } from '../wire-error.js'
import type { Exposure } from './exposure.js'
import type { Peer } from './peer.js'

/**
 * Finds the action that answers an envelope from outside: among this app's own actions only, for what was learned is not
 * passed on. Throws `LUC_ACTION_NOT_FOUND` for what is unknown and for what is not exposed, in the same words, and
 * `LUC_ROUTE_CHANGED` if the sender chose another action than the one that would run.
 */
export function chooseAction(envelope: ActEnvelope, actions: Actions, exposure: Exposure): Action {
  const { to } = envelope
  const action = ownAction(envelope, actions)
  const exposed = action !== undefined && exposure.action(action.pattern)
  if (!exposed) throw notFound()
  if (to !== undefined && action.pattern.text !== to) throw routeChanged()
  return action
}

/** What of an envelope counts when it comes from a client: the message. Everything that steers is ignored. */
export function asClient(envelope: ActEnvelope): ActEnvelope {
  return { kind: 'act', message: envelope.message, meta: envelope.meta }
}

function ownAction({ message, below, by }: ActEnvelope, actions: Actions): Action | undefined {
  if (below !== undefined) {
    const narrow = readBelow(below)
    return own(narrow.pairs, actions, (one) => one.text !== narrow.text && covers(one, narrow))
  }
  const routed = by === undefined ? message : readRoutedBy(by)
  const found = actions.router.find(routed)
  // Usually the most specific one is our own; only if it was learned, look at those behind it.
  return found?.local.at(-1) ?? own(routed, actions, () => true)
}

/** Says nothing of what it was given: what came from outside is not repeated. */
function readBelow(text: string): Pattern {
  try {
    return toPattern(text)
  } catch {
    throw new LuciliusError('LUC_WIRE_INVALID', "'below' of the envelope is no pattern.")
  }
}

function own(message: Message, actions: Actions, wanted: (pattern: Pattern) => boolean): Action | undefined {
  return actions.router
    .collect(message)
    .find((slot) => slot.local.length > 0 && wanted(slot.pattern))
    ?.local.at(-1)
}

/** The same for unknown and for not exposed, byte for byte: who may not act learns nothing of what there is. */
function notFound(): LuciliusError {
  return new LuciliusError('LUC_ACTION_NOT_FOUND', 'No action that is exposed here answers this message.')
}

function routeChanged(): LuciliusError {
  return new LuciliusError(
    'LUC_ROUTE_CHANGED',
    'Another action than the sender chose would answer now: learn again and retry.',
  )
}

/** Durations that hold for what arrives. */
export interface ArrivalLimits {
  readonly timeoutMs: number
  readonly maxTimeoutMs: number
}

/**
 * What came with an envelope, checked and clamped. A client's time and trace count; its hops and identity do not.
 * What came with an event is what its observers inherit.
 */
export class Arrived implements Arrival, Emission {
  readonly message: Message
  readonly hops: number
  readonly timeoutMs: number
  readonly origin: Origin
  readonly id: string | undefined
  readonly traceparent: string | undefined
  readonly carried: DirectCall
  readonly crowd: Crowd | undefined

  constructor({ message, meta }: Envelope, peer: Peer, carried: DirectCall, limits: ArrivalLimits, crowd?: Crowd) {
    const { hops, id, timeoutMs = limits.timeoutMs } = meta
    const trusted = peer.terms.audience === 'peers'
    // A peer tells on whose behalf each message is; what it is itself is no identity, or a split would change what handlers see.
    const identity = trusted ? meta.identity : (carried.identity ?? peer.terms.identity)
    const retried = trusted && meta.retried === true
    this.message = message
    this.hops = trusted && hops !== undefined && Number.isSafeInteger(hops) ? Math.max(1, hops) : 1
    this.timeoutMs = Math.min(timeoutMs, limits.maxTimeoutMs)
    this.origin =
      identity === undefined && !retried ? usualOrigin(peer, trusted) : originOf(peer, trusted, identity, retried)
    this.id = trusted && id !== undefined && id.length <= 200 ? id : undefined
    this.traceparent = meta.traceparent
    this.carried = carried
    this.crowd = crowd
  }

  resolve(reply: unknown): void {
    this.carried.settle(reply === undefined ? NOTHING : { reply })
  }

  reject(error: unknown): void {
    this.carried.settle({ error: toWireError(error) })
  }
}

const NOTHING: Outcome = Object.freeze({})

/** What most acts of a peer have in common is made once. */
function usualOrigin(peer: Peer, trusted: boolean): Origin {
  return trusted ? peer.origin : nobody
}

function originOf(peer: Peer, trusted: boolean, identity: unknown, retried: boolean): Origin {
  return Object.freeze({
    ...(trusted ? { peer: peer.info } : undefined),
    ...(identity === undefined ? undefined : { identity: frozen(identity) }),
    ...(retried ? { retried } : undefined),
  })
}

const nobody: Origin = Object.freeze({})

/** Identities come decoded from JSON or from `authenticate`; a handler must not be able to change one. */
function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const part of Object.values(value)) frozen(part)
  return Object.freeze(value)
}
