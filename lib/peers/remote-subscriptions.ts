import type { Emission } from '../events/events.js'
import type { Message } from '../message.js'
import type { Settings } from '../options.js'
import { Router } from '../router/router.js'
import { newId, newTraceParent } from '../trace.js'
import type { Call, EventEnvelope } from '../transport.js'
import type { Heard } from './announcement.js'
import type { Peer } from './peer.js'

/** A subscription of a peer. */
interface Distant {
  readonly peer: Peer
  readonly service: string
  readonly each: boolean
}

/** What peers want to observe, and the choice of who gets an event. */
export class RemoteSubscriptions {
  readonly #router = new Router<Distant[]>()
  /** Counts events, so that the instances of a service get them in turn. */
  #turn = 0

  update(peer: Peer, subscriptions: Heard['subscriptions']): void {
    this.forget(peer)
    for (const { pattern, service, each } of subscriptions) {
      const list = this.#router.get(pattern.text)
      const distant: Distant = { peer, service, each }
      if (list === undefined) this.#router.set(pattern, [distant])
      else list.push(distant)
    }
  }

  forget(peer: Peer): void {
    for (const [pattern, list] of [...this.#router.entries()]) {
      const rest = list.filter((distant) => distant.peer !== peer)
      if (rest.length === list.length) continue
      if (rest.length === 0) this.#router.delete(pattern.text)
      else this.#router.set(pattern, rest)
    }
  }

  /** Sends an event to one instance of each service that is not taken, and to every instance that wants each event. */
  emit(emission: Emission, taken: ReadonlySet<string>, settings: Settings): void {
    const observers = this.#router
      .collect(emission.message)
      .flat()
      .filter(({ peer }) => reaches(peer, emission.message))
    if (observers.length === 0) return
    const envelope = envelopeOf(emission, settings.timeoutMs)
    for (const [peer, services] of this.#choose(observers, taken)) {
      void hand(peer, { ...envelope, services }, settings)
    }
  }

  #choose(observers: readonly Distant[], taken: ReadonlySet<string>): Map<Peer, string[]> {
    const chosen = new Map<Peer, string[]>()
    const instances = new Map<string, Peer[]>()
    for (const { peer, service, each } of observers) {
      if (each && !chosen.has(peer)) chosen.set(peer, [])
      if (each || taken.has(service)) continue
      const peers = instances.get(service) ?? []
      if (!peers.includes(peer)) peers.push(peer)
      instances.set(service, peers)
    }
    this.#turn++
    for (const [service, peers] of instances) {
      // A service has at least the instance that was just put down.
      const peer = peers[this.#turn % peers.length] as Peer
      chosen.set(peer, [...(chosen.get(peer) ?? []), service])
    }
    return oncePerInstance(chosen)
  }
}

/** Several connections to one instance count as one. */
function oncePerInstance(chosen: Map<Peer, string[]>): Map<Peer, string[]> {
  const first = new Map<string, Peer>()
  const merged = new Map<Peer, string[]>()
  for (const [peer, services] of chosen) {
    const known = first.get(peer.info.instance) ?? peer
    first.set(peer.info.instance, known)
    merged.set(known, [...new Set([...(merged.get(known) ?? []), ...services])])
  }
  return merged
}

function reaches(peer: Peer, message: Message): boolean {
  return peer.available && peer.terms.exposure.eventOut(message)
}

function envelopeOf(
  { message, origin, hops, id, traceparent }: Emission,
  timeoutMs: number,
): Omit<EventEnvelope, 'services'> {
  const { identity } = origin
  return {
    kind: 'event',
    message,
    meta: {
      id: id ?? newId(),
      traceparent: traceparent ?? newTraceParent(),
      timeoutMs,
      hops,
      ...(identity === undefined ? {} : { identity }),
    },
  }
}

/** At most once: whether it arrived is not known, and not asked. */
async function hand(peer: Peer, envelope: EventEnvelope, { log }: Settings): Promise<void> {
  const call: Call = { onCancel: undefined }
  try {
    await peer.connection?.carry(envelope, call)
  } catch (error) {
    log.warn({ err: error, peer: peer.info.name }, 'an event could not be handed to a peer')
  }
}
