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
    for (const { peer, services } of this.#choose(observers, taken).values()) {
      // Peers that get the same get the same object: a transport need write it only once.
      hand(peer, services.length === 0 ? envelope : { ...envelope, services }, settings)
    }
  }

  /** Who gets an event, by instance: several connections to one count as one. */
  #choose(observers: readonly Distant[], taken: ReadonlySet<string>): Map<string, Chosen> {
    const chosen = new Map<string, Chosen>()
    const instances = new Map<string, Peer[]>()
    for (const { peer, service, each } of observers) {
      if (each) {
        const { instance } = peer.info
        if (!chosen.has(instance)) chosen.set(instance, { peer, services: [] })
      } else if (!taken.has(service)) {
        const peers = instances.get(service)
        if (peers === undefined) instances.set(service, [peer])
        else if (!peers.includes(peer)) peers.push(peer)
      }
    }
    this.#turn++
    for (const [service, peers] of instances) {
      // A service has at least the instance that was just put down.
      const peer = peers[this.#turn % peers.length] as Peer
      const known = chosen.get(peer.info.instance)
      if (known === undefined) chosen.set(peer.info.instance, { peer, services: [service] })
      else known.services.push(service)
    }
    return chosen
  }
}

/** An instance that gets an event, and the services that it was picked for. */
interface Chosen {
  readonly peer: Peer
  readonly services: string[]
}

function reaches(peer: Peer, message: Message): boolean {
  return peer.available && peer.terms.exposure.eventOut(message)
}

function envelopeOf({ message, origin, hops, id, traceparent }: Emission, timeoutMs: number): EventEnvelope {
  const { identity } = origin
  return {
    kind: 'event',
    message,
    meta: {
      id: id ?? newId(),
      traceparent: traceparent ?? newTraceParent(),
      timeoutMs,
      hops,
      ...(identity === undefined ? undefined : { identity }),
    },
    services: [],
  }
}

/** At most once: whether it arrived is not known, and not asked. */
function hand({ connection, info }: Peer, envelope: EventEnvelope, { log }: Settings): void {
  const call: Call = { onCancel: undefined }
  connection?.carry(envelope, call).then(undefined, (error) => {
    log.warn({ err: error, peer: info.name }, 'an event could not be handed to a peer')
  })
}
