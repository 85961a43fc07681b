import { receiveDirect } from '../direct.js'
import type { PeerInfo } from '../handler.js'
import { isMessage } from '../message.js'
import type {
  Announcement,
  Call,
  Connection,
  Credentials,
  DirectCall,
  Envelope,
  Finding,
  Observer,
  Outcome,
  Receiver,
  Transport,
} from '../transport.js'

/** What goes over one transport, of all that a process tells and hears. */
export interface Lane {
  /** Whether others are told over it of the actions and subscriptions of a pattern: canonical text. */
  carries(pattern: string): boolean
  /** Whether what a peer of this name answers and observes is for this process. */
  hears(name: string): boolean
  /** This process has connected to a peer, at an address if it has one. It has told who it is and what it answers. */
  met?(peer: PeerInfo, url?: string): void
  /** Somebody who was met is gone, or takes no new work. */
  left?(peer: PeerInfo): void
}

/**
 * The same transport, but that each side tells only what the lane carries, and a peer that is not heard is a peer with
 * nothing to offer. Where two lanes lead to one instance, each pattern of it is known by the one that carries it.
 */
export function inLane(transport: Transport, lane: Lane): Transport {
  const { discover } = transport
  return {
    name: transport.name,
    ...(transport.audience === undefined ? {} : { audience: transport.audience }),
    get local() {
      return transport.local === true
    },
    listen: (receiver) => transport.listen(receiverIn(lane, receiver)),
    connect: async (observer) => {
      const laned = new LanedObserver(observer, lane)
      const connection = await transport.connect(laned)
      setImmediate(() => laned.connected()) // first the observer gets the connection
      return connection
    },
    ...(discover === undefined
      ? {}
      : { discover: (finding: Finding) => discover.call(transport, findingIn(lane, finding)) }),
  }
}

function receiverIn(lane: Lane, receiver: Receiver): Receiver {
  return {
    audience: receiver.audience,
    get draining() {
      return receiver.draining
    },
    ...(receiver.anonymous === undefined ? {} : { anonymous: receiver.anonymous }),
    authenticate: (request) => receiver.authenticate(request),
    accept: (connection: Connection | undefined, who: Credentials) =>
      new LanedObserver(receiver.accept(connection, who), lane),
  }
}

function findingIn(lane: Lane, finding: Finding): Finding {
  return {
    found: (address, to) => finding.found(address, inLane(to, lane)),
    gone: (address) => finding.gone(address),
  }
}

/** One connection of the lane. */
class LanedObserver implements Observer {
  readonly #observer: Observer
  readonly #lane: Lane
  readonly authorization: string | undefined
  readonly prove: Observer['prove']
  readonly silent: boolean
  #peer: PeerInfo | undefined
  #isMet = false
  #hasLeft = false

  constructor(observer: Observer, lane: Lane) {
    this.#observer = observer
    this.#lane = lane
    this.authorization = observer.authorization
    this.prove = observer.prove
    this.silent = observer.silent === true
  }

  get onGiveUp(): (() => void) | undefined {
    return this.#observer.onGiveUp
  }

  set onGiveUp(hook: (() => void) | undefined) {
    this.#observer.onGiveUp = hook
  }

  tell(): Announcement {
    return this.#part(this.#observer.tell(), (pattern) => this.#lane.carries(pattern))
  }

  onTell(changed: () => void): () => void {
    return this.#observer.onTell(changed)
  }

  hear(announcement: unknown): void {
    const told = isMessage(announcement) ? announcement : {}
    const { name, instance } = told
    const isHeard = typeof name !== 'string' || this.#lane.hears(name) // what is no announcement is refused below
    this.#observer.hear(isHeard ? announcement : { ...told, actions: [], subscriptions: [] })
    this.#peer = { name: String(name), instance: String(instance) }
    if (told.draining === true) this.#left()
  }

  receive(envelope: Envelope, call: Call): Promise<Outcome> {
    return this.#observer.receive(envelope, call)
  }

  receiveDirect(envelope: Envelope, call: DirectCall): void {
    receiveDirect(this.#observer, envelope, call)
  }

  lost(): void {
    this.#left()
    this.#observer.lost()
  }

  connected(): void {
    if (this.#peer === undefined) return
    this.#isMet = true
    this.#lane.met?.(this.#peer)
    if (this.#hasLeft) this.#lane.left?.(this.#peer)
  }

  #left(): void {
    if (this.#isMet && !this.#hasLeft && this.#peer !== undefined) this.#lane.left?.(this.#peer)
    this.#hasLeft = true
  }

  #part(all: Announcement, isIn: (pattern: string) => boolean): Announcement {
    return {
      ...all,
      actions: all.actions.filter(({ pattern }) => isIn(pattern)),
      subscriptions: all.subscriptions.filter(({ pattern }) => isIn(pattern)),
    }
  }
}
