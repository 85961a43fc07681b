import type { Emission } from '../events/emission.js'
import type { Logger } from '../logger.js'
import { Recent } from '../router/recent.js'
import { Router } from '../router/router.js'
import type { EventEnvelope } from '../transport.js'
import type { Heard } from './announcement.js'
import type { Peer } from './peer.js'
import { Recipient } from './recipient.js'

/** A subscription of a peer. */
interface Distant {
  readonly recipient: Recipient
  readonly service: string
  readonly each: boolean
}

/** The subscriptions of all peers to one pattern. */
interface Audience {
  readonly all: readonly Distant[]
  /** Who gets each event, if nobody has to be picked: found out when the list is made, not per event. */
  readonly everyone: readonly Recipient[] | undefined
}

/** What peers want to observe, and the choice of who gets an event. */
export class RemoteSubscriptions {
  readonly #router = new Router<Audience>()
  readonly #audiences = new Recent(this.#router, (message) => this.#router.collect(message))
  readonly #log: Logger
  /** Counts events, so that the instances of a service get them in turn. */
  #turn = 0

  constructor(log: Logger) {
    this.#log = log
  }

  update(peer: Peer, subscriptions: Heard['subscriptions']): void {
    this.forget(peer)
    const recipient = new Recipient(peer, this.#log)
    for (const { pattern, service, each } of subscriptions) {
      const known = this.#router.get(pattern.text)?.all ?? []
      this.#router.set(pattern, audienceOf([...known, { recipient, service, each }]))
    }
  }

  forget(peer: Peer): void {
    for (const [pattern, { all }] of [...this.#router.entries()]) {
      const rest = all.filter(({ recipient }) => recipient.peer !== peer)
      if (rest.length === all.length) continue
      if (rest.length === 0) this.#router.delete(pattern.text)
      else this.#router.set(pattern, audienceOf(rest))
    }
  }

  /** Sends an event to one instance of each service that is not taken, and to every instance that wants each event. */
  emit(emission: Emission, taken: ReadonlySet<string>): void {
    const { message } = emission
    const audiences = this.#audiences.find(message)
    if (audiences.length === 0) return
    const envelope = envelopeOf(emission)
    const everyone = audiences.length === 1 ? audiences[0]?.everyone : undefined
    if (everyone !== undefined) {
      for (const recipient of everyone) if (recipient.isReachedBy(message)) recipient.hand(envelope)
      return
    }
    const observers = audiences.flatMap(({ all }) => all).filter(({ recipient }) => recipient.isReachedBy(message))
    for (const { recipient, services } of this.#choose(observers, taken).values()) {
      // Peers that get the same get the same object: a transport need write it only once.
      recipient.hand(services.length === 0 ? envelope : { ...envelope, services })
    }
  }

  /** Who gets an event, by instance: several connections to one count as one. */
  #choose(observers: readonly Distant[], taken: ReadonlySet<string>): Map<string, Chosen> {
    const chosen = new Map<string, Chosen>()
    const instances = new Map<string, Recipient[]>()
    for (const { recipient, service, each } of observers) {
      if (each) {
        const { instance } = recipient
        if (!chosen.has(instance)) chosen.set(instance, { recipient, services: [] })
      } else if (!taken.has(service)) {
        const recipients = instances.get(service)
        if (recipients === undefined) instances.set(service, [recipient])
        else if (!recipients.includes(recipient)) recipients.push(recipient)
      }
    }
    this.#turn++
    for (const [service, recipients] of instances) {
      // A service has at least the instance that was just put down.
      const recipient = recipients[this.#turn % recipients.length] as Recipient
      const known = chosen.get(recipient.instance)
      if (known === undefined) chosen.set(recipient.instance, { recipient, services: [service] })
      else known.services.push(service)
    }
    return chosen
  }
}

/** An instance that gets an event, and the services that it was picked for. */
interface Chosen {
  readonly recipient: Recipient
  readonly services: string[]
}

/** Id and trace of an event from outside any handler are not made to be sent: who observes it makes them, if asked. */
function envelopeOf({ message, origin, hops, id, traceparent }: Emission): EventEnvelope {
  const { identity } = origin
  const isUsual = hops === 1 && id === undefined && traceparent === undefined && identity === undefined
  const meta = isUsual
    ? {}
    : {
        hops,
        ...(id === undefined ? undefined : { id }),
        ...(traceparent === undefined ? undefined : { traceparent }),
        ...(identity === undefined ? undefined : { identity }),
      }
  return { kind: 'event', message, meta, services: [] }
}

function audienceOf(all: readonly Distant[]): Audience {
  const instances = new Set(all.map(({ recipient }) => recipient.instance))
  const isEveryone = instances.size === all.length && all.every(({ each }) => each)
  return { all, everyone: isEveryone ? all.map(({ recipient }) => recipient) : undefined }
}
