import { covers } from '../covers.js'
import type { Action } from '../dispatch/action.js'
import type { Actions } from '../dispatch/actions.js'
import type { Dispatcher } from '../dispatch/dispatcher.js'
import { LuciliusError } from '../errors.js'
import { Crowd } from '../events/crowd.js'
import type { Emission } from '../events/emission.js'
import type { Events } from '../events/events.js'
import { nearestPatterns } from '../explain.js'
import type { Settings } from '../options.js'
import type { Pattern } from '../pattern.js'
import type {
  ActEnvelope,
  Announcement,
  Connection,
  DirectCall,
  Envelope,
  EventEnvelope,
  Outcome,
} from '../transport.js'
import { toWireError } from '../wire-error.js'
import { announce, type Heard } from './announcement.js'
import { Carrier } from './carrier.js'
import type { Exposure } from './exposure.js'
import { describeHidden, hiddenBy } from './hidden.js'
import { Arrived, asClient, chooseAction } from './inbound.js'
import type { Parking } from './parking.js'
import { type Host, Peer, type Terms } from './peer.js'
import { RemoteActions } from './remote-actions.js'
import { RemoteSubscriptions } from './remote-subscriptions.js'
import { Retry } from './retry.js'

/** Which patterns of a peer are taken. */
export type Accepted = '*' | readonly Pattern[]

/** The other apps that this one is connected to, and what is learned from them. */
export class Peers implements Host {
  readonly #dispatcher: Dispatcher
  readonly #events: Events
  readonly #settings: Settings
  readonly #parking: Parking
  readonly #actions: RemoteActions
  readonly #subscriptions: RemoteSubscriptions
  readonly #accepts = new Map<Peer, Accepted>()
  readonly #forgetting = new Map<Peer, NodeJS.Timeout>()
  readonly #listeners = new Set<() => void>()
  /** Patterns that were found to hide an exposed one, each told once. */
  readonly #warned = new Set<string>()
  readonly #isStarting: () => boolean
  readonly #crowd: Crowd
  #draining = false
  #telling = false

  constructor(dispatcher: Dispatcher, events: Events, settings: Settings, parking: Parking, isStarting: () => boolean) {
    this.#isStarting = isStarting
    this.#dispatcher = dispatcher
    this.#events = events
    this.#settings = settings
    this.#crowd = new Crowd(settings.maxClientEvents, settings.log)
    this.#parking = parking
    this.#subscriptions = new RemoteSubscriptions(settings.log)
    this.#actions = new RemoteActions(
      dispatcher,
      new Carrier(dispatcher, parking, new Retry(settings.retry)),
      settings.log,
    )
    dispatcher.actions.onChange(() => this.#news())
    events.subscriptions.onChange(() => this.#news())
  }

  /** Somebody at the other end of a connection; a peer is known once it has told what it is. */
  meet(terms: Terms, accept: Accepted, connection: Connection | undefined): Peer {
    const peer = new Peer(this, terms, connection)
    this.#accepts.set(peer, accept)
    return peer
  }

  get draining(): boolean {
    return this.#draining
  }

  /** Warns of exposed patterns that let nothing in: a typing error, or a pattern without the keys of an action. */
  warnOfIdleExposure(exposure: Exposure): void {
    const own: Pattern[] = []
    for (const [pattern, { local }] of this.#dispatcher.actions.router.entries())
      if (local.length > 0) own.push(pattern)
    for (const { text, pairs } of exposure.without(own)) {
      const near = nearestPatterns(pairs, this.#dispatcher.actions)
      this.#settings.log.warn(
        { expose: text, nearest: near },
        `'${text}' is exposed and lets no action in so far: an exposed pattern has exactly the keys of its actions`,
      )
    }
  }

  get starting(): boolean {
    return this.#isStarting()
  }

  /** Tells all peers that the services have started. */
  opened(): void {
    this.#tell()
  }

  /** Tells all peers that no new work is taken. */
  drain(): void {
    this.#draining = true
    this.#tell()
  }

  /** Forgets a peer and what it answered. */
  forget(peer: Peer): void {
    clearTimeout(this.#forgetting.get(peer))
    this.#forgetting.delete(peer)
    this.#accepts.delete(peer)
    this.#withdraw(peer)
  }

  /** Takes back what a peer answers and observes. */
  #withdraw(peer: Peer): void {
    this.#actions.forget(peer)
    this.#subscriptions.forget(peer)
    this.#parking.wake()
  }

  /** A connection has learned its peer, or was given up: what waited for that goes on. */
  learned(): void {
    this.#parking.wake()
  }

  /** Forgets everybody, at once. */
  forgetAll(): void {
    for (const peer of [...this.#accepts.keys()]) this.forget(peer)
  }

  /** Hands an event on to the peers that observe it, one instance for each service that has none here. */
  emit(emission: Emission, taken: ReadonlySet<string>): void {
    this.#subscriptions.emit(emission, taken)
  }

  tell(peer: Peer): Announcement {
    const { name, instance } = this.#settings
    const self = { name, instance, draining: this.#draining, starting: this.starting }
    return announce(self, this.#dispatcher.actions, this.#events.subscriptions, peer.terms.exposure)
  }

  onTell(changed: () => void): () => void {
    this.#listeners.add(changed)
    return () => void this.#listeners.delete(changed)
  }

  check({ instance }: Heard): void {
    if (instance === this.#settings.instance) throw new SelfConnection()
  }

  heard(peer: Peer): void {
    if (!this.#accepts.has(peer)) return
    clearTimeout(this.#forgetting.get(peer))
    this.#forgetting.delete(peer)
    // It has just told.
    const { actions, subscriptions } = peer.known as Heard
    this.#actions.update(
      peer,
      actions.filter(({ pattern }) => this.#accepted(peer, pattern)),
    )
    this.#subscriptions.update(peer, subscriptions)
    this.#parking.wake()
  }

  lost(peer: Peer): void {
    if (!this.#accepts.has(peer)) return
    if (peer.known === undefined) {
      this.forget(peer)
      return
    }
    // A kept connection will be there again, with the same terms; what came in will come in anew.
    const isKept = peer.onLost !== undefined
    const timer = setTimeout(() => (isKept ? this.#withdraw(peer) : this.forget(peer)), this.#settings.forgetMs)
    timer.unref()
    this.#forgetting.set(peer, timer)
  }

  answer(peer: Peer, envelope: Envelope, call: DirectCall): void {
    try {
      if (this.#draining) throw closed(this.#settings.name)
      if (envelope.kind === 'event') this.#observe(peer, envelope, call)
      else this.#act(peer, peer.terms.audience === 'peers' ? envelope : asClient(envelope), call)
    } catch (error) {
      call.settle({ error: toWireError(error) })
    }
  }

  #act(peer: Peer, envelope: ActEnvelope, call: DirectCall): void {
    const action = this.#choose(envelope, peer)
    this.#dispatcher.answer(action, envelope.message, new Arrived(envelope, peer, call, this.#settings))
  }

  #choose(envelope: ActEnvelope, { terms: { exposure } }: Peer): Action {
    const { actions } = this.#dispatcher
    try {
      const action = chooseAction(envelope, actions, exposure)
      return action.held === undefined ? action : heldAction(action.held, envelope, actions, exposure)
    } catch (error) {
      const hidden = hiddenBy(envelope.message, actions, exposure)
      if (hidden !== undefined && !this.#warned.has(hidden.before)) {
        this.#warned.add(hidden.before)
        this.#settings.log.warn(hidden, describeHidden(hidden))
      }
      throw error
    }
  }

  #observe(peer: Peer, envelope: EventEnvelope, call: DirectCall): void {
    const { audience, exposure } = peer.terms
    if (exposure.eventIn(envelope.message)) {
      // A client knows nothing of services: it reaches all of this instance.
      const isPeer = audience === 'peers'
      if (!isPeer) this.#crowd.check()
      const arrived = new Arrived(envelope, peer, call, this.#settings, isPeer ? undefined : this.#crowd)
      this.#events.receive(arrived, isPeer ? envelope.services : undefined)
    }
    call.settle(NOTHING)
  }

  #accepted(peer: Peer, pattern: Pattern): boolean {
    const accept = this.#accepts.get(peer)
    if (accept === undefined || pattern.text === '') return false
    return accept === '*' || accept.some((one) => covers(one, pattern))
  }

  /** Changes within one turn are told together. */
  #news(): void {
    this.#parking.wake()
    if (this.#telling || this.#listeners.size === 0) return
    this.#telling = true
    queueMicrotask(() => this.#tell())
  }

  #tell(): void {
    this.#telling = false
    for (const changed of this.#listeners) changed()
  }
}

/** The app that was connected to is this one. */
export class SelfConnection extends Error {}

/** What is held is chosen anew when it goes on. A function of its own: a closure in `#choose` would cost every act. */
function heldAction(
  held: NonNullable<Action['held']>,
  envelope: ActEnvelope,
  actions: Actions,
  exposure: Exposure,
): Action {
  return held(() => chooseAction(envelope, actions, exposure))
}

const NOTHING: Outcome = Object.freeze({})

function closed(name: string): LuciliusError {
  return new LuciliusError('LUC_SERVICE_CLOSED', `${name} is closing and takes no new work.`)
}
