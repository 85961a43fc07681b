import type { Action } from '../dispatch/action.js'
import type { Actions } from '../dispatch/actions.js'
import type { Arrival } from '../dispatch/dispatcher.js'
import { covers } from '../covers.js'
import { LuciliusError } from '../errors.js'
import type { PeerInfo } from '../handler.js'
import type { Message } from '../message.js'
import { type Pattern, toPattern } from '../pattern.js'
import { parseTraceParent } from '../trace.js'
import type { ActEnvelope, Call, WireMeta } from '../transport.js'
import type { Exposure } from './exposure.js'

/**
 * Finds the action that answers an envelope from a peer: among this app's own actions only, for what was learned is not
 * passed on. Throws `LUC_ACTION_NOT_FOUND` for what is unknown and for what is not exposed, in the same words, and
 * `LUC_ROUTE_CHANGED` if the sender chose another action than the one that would run.
 */
export function chooseAction(envelope: ActEnvelope, actions: Actions, exposure: Exposure): Action {
  const { to } = envelope
  const action = ownAction(envelope, actions)
  const exposed = action !== undefined && exposure.action(action.pattern)
  if (to !== undefined && (!exposed || action.pattern.text !== to)) throw routeChanged()
  if (!exposed) throw notFound()
  return action
}

function ownAction({ message, below, by }: ActEnvelope, actions: Actions): Action | undefined {
  if (below !== undefined) return ownWider(toPattern(below), actions)
  const routed = by === undefined ? message : toPattern(by).pairs
  const found = actions.router.find(routed)
  // Usually the most specific one is our own; only if it was learned, look at those behind it.
  return found?.local.at(-1) ?? own(routed, actions, () => true)
}

function ownWider(pattern: Pattern, actions: Actions): Action | undefined {
  return own(pattern.pairs, actions, (one) => one.text !== pattern.text && covers(one, pattern))
}

function own(message: Message, actions: Actions, wanted: (pattern: Pattern) => boolean): Action | undefined {
  return actions.router.collect(message).find((slot) => slot.local.length > 0 && wanted(slot.pattern))?.local.at(-1)
}

/** The same for unknown and for not exposed, byte for byte: who may not act learns nothing of what there is. */
export function notFound(): LuciliusError {
  return new LuciliusError('LUC_ACTION_NOT_FOUND', 'No action that is exposed here answers this message.')
}

function routeChanged(): LuciliusError {
  return new LuciliusError('LUC_ROUTE_CHANGED', 'Another action than the sender chose would answer now: learn again and retry.')
}

/** What came with an envelope, checked and clamped: the deadline by `maxTimeoutMs`, hops by nothing but being a count. */
export function arrivalOf(meta: WireMeta, peer: PeerInfo, call: Call, limits: { readonly timeoutMs: number; readonly maxTimeoutMs: number }): Arrival {
  const timeoutMs = typeof meta.timeoutMs === 'number' && meta.timeoutMs >= 0 ? meta.timeoutMs : limits.timeoutMs
  const traceparent = parseTraceParent(meta.traceparent)
  return {
    hops: Number.isSafeInteger(meta.hops) && meta.hops > 0 ? meta.hops : 1,
    timeoutMs: Math.min(timeoutMs, limits.maxTimeoutMs),
    origin: Object.freeze({ peer, ...identityOf(meta, call) }),
    ...(typeof meta.id === 'string' && meta.id.length <= 200 ? { id: meta.id } : {}),
    ...(traceparent === undefined ? {} : { traceparent }),
    carried: call,
  }
}

/** Peers say on whose behalf they act, unless the listener itself found out. */
function identityOf(meta: WireMeta, call: Call): { identity?: unknown } {
  const identity = call.identity ?? meta.identity
  return identity === undefined ? {} : { identity }
}
