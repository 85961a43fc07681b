import type { ActOptions, PeerInfo } from '../handler.js'
import type { Call } from './call.js'

/** Hears where an act is done: in this app, or by the peer that it is carried to; each of them if it is tried again. */
export type HearCarried = (where: PeerInfo | 'here') => void

/** The option of `act` for {@link HearCarried}: for those who run apps, so no service sees it. */
const ON_CARRIED = Symbol('lucilius.onCarried')

const hearers = new WeakMap<Call, HearCarried>()
/** Nobody in this process ever asked: no call has to be looked up. */
let isAsked = false

/** Options of an act, of which somebody hears where it is done. */
export function hearingCarried(options: ActOptions, hear: HearCarried): ActOptions {
  isAsked = true
  return Object.assign({ ...options }, { [ON_CARRIED]: hear })
}

/** A call was made by an act with options. */
export function noteOptions(call: Call, options: ActOptions): void {
  if (!isAsked) return
  const { [ON_CARRIED]: hear } = options as { readonly [ON_CARRIED]?: HearCarried }
  if (hear === undefined) return
  hearers.set(call, hear)
  if (call.action.remote === undefined) hear('here')
}

/** A call is carried to a peer. It may be the one inside, of which the wraps of the caller's side were asked. */
export function noteCarried(call: Call, peer: PeerInfo): void {
  if (!isAsked) return
  const outer = call.parent?.atCaller === true ? call.parent : undefined
  const hear = hearers.get(call) ?? (outer && hearers.get(outer))
  hear?.(peer)
}
