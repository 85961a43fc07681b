/**
 * The contract between the core and a way to carry messages.
 *
 * Both ends of a connection look the same: each holds an {@link Observer}, the half that the core gives to the transport,
 * and a {@link Connection}, the half that the transport gives to the core.
 */
import type { Handled } from './errors.js'
import type { PeerInfo } from './handler.js'
import type { Message } from './message.js'
import type { Proof } from './proof.js'

/** The version of the envelopes in this file. A peer that speaks another one is refused. */
export const WIRE_VERSION = 1

/**
 * Carries an envelope to the other end. A rejection says that the carrying failed (a `LuciliusError` whose `handled`
 * tells whether anything can have arrived), an outcome what the action answered. Settles soon after it was cancelled.
 */
export type Carry = (envelope: Envelope, call: Call) => Promise<Outcome>

/**
 * The same without a promise: the call itself is told its end, once, and perhaps before this returns. A promise that
 * is passed on at each of two ends costs a third of what a message does (`npm run bench -- remote`).
 */
export type CarryDirect = (envelope: Envelope, call: DirectCall) => void

/** One envelope under way, seen from either end of the wire. */
export interface Call {
  /**
   * The cancel hook: whoever carries or answers the call sets it, whoever gives up calls it, at most once.
   *
   * A field instead of an `AbortSignal`, because a signal with a listener costs two hundred times as much.
   */
  onCancel: (() => void) | undefined
  /** On whose behalf a client acts: what `authenticate` gave for this one envelope, where each has its own. */
  readonly identity?: unknown
}

/** A call that takes its own end: exactly one of these is called. */
export interface DirectCall extends Call {
  /** It was answered. */
  settle(outcome: Outcome): void
  /** Carrying failed: what a promise would be rejected with. Never called at the answering end. */
  fail(error: unknown): void
}

/** What crosses between two apps: an act that wants an outcome, or an event that wants none. */
export type Envelope = ActEnvelope | EventEnvelope

/** A message that one action is to answer. */
export interface ActEnvelope {
  /** Tells it from an event. */
  readonly kind: 'act'
  /** What is sent, the pattern's pairs in it. */
  readonly message: Message
  /** What travels beside it. */
  readonly meta: WireMeta
  /** The pattern that the sender chose. An assertion: the receiver answers `LUC_ROUTE_CHANGED` if it would run another. */
  readonly to?: string
  /** The pattern whose action asked for its prior: the receiver routes among the strictly wider ones. */
  readonly below?: string
  /** The pairs that the receiver routes by instead of the message (`exact`): a message text, such as JSON. */
  readonly by?: string
}

/** A message that subscriptions of the named services observe. */
export interface EventEnvelope {
  /** Tells it from an act. */
  readonly kind: 'event'
  /** What is emitted, the pattern's pairs in it. */
  readonly message: Message
  /** What travels beside it. */
  readonly meta: WireMeta
  /** Services that this instance was picked for; subscriptions with `each: 'instance'` run whatever stands here. */
  readonly services: readonly string[]
}

/** The part of the meta that crosses. What is absent the receiver fills in; from a client only the time counts. */
export interface WireMeta {
  /** The id of the message, made by the app that sent it. */
  readonly id?: string
  /** W3C Trace Context. */
  readonly traceparent?: string
  /** Milliseconds that remain: never a wall clock. */
  readonly timeoutMs?: number
  /** How many acts and priors led here, this one included. */
  readonly hops?: number
  /** On whose behalf it is sent. */
  readonly identity?: unknown
  /** This is a second or later try: nobody further down tries again. */
  readonly retried?: boolean
}

/** The reply (absent for `undefined`), or the error that the action ended in. */
export type Outcome =
  | {
      /** Any JSON value. */
      readonly reply?: unknown
      /** Absent: the action answered. */
      readonly error?: undefined
    }
  | {
      /** What the action ended in. */
      readonly error: WireError
    }

/** An error as it crosses: its cause and stack stay at home. */
export interface WireError {
  /** A `LUC_` code, or the code of an `ActionError`. */
  readonly code: string
  /** What was wrong, for a human reader. */
  readonly message: string
  /** Whether the work was done. */
  readonly handled: Handled
  /** Facts for programs. */
  readonly details?: unknown
}

/** What one end of a connection tells of itself. */
export interface Announcement extends PeerInfo {
  /** The version of the wire format: {@link WIRE_VERSION}. */
  readonly wire: number
  /** What the other end may act on. */
  readonly actions: readonly AnnouncedAction[]
  /** Which events the other end should send. */
  readonly subscriptions: readonly AnnouncedSubscription[]
  /** The app finishes what runs and takes nothing new. */
  readonly draining: boolean
  /** Its services are still starting: only an app that starts as well acts on it by now. */
  readonly starting?: boolean
}

/** An action that the other end may act on. */
export interface AnnouncedAction {
  /** Canonical text. */
  readonly pattern: string
  /** The same pattern of the same service at several peers is one action. */
  readonly service: string
  /** Running it twice does no harm. */
  readonly idempotent?: boolean
}

/** A subscription whose events the other end should send. */
export interface AnnouncedSubscription {
  /** Canonical text. */
  readonly pattern: string
  /** One instance of each service gets an event. */
  readonly service: string
  /** Every instance gets it. */
  readonly each?: 'instance'
}

/** This app's half of one connection, made by the core. */
export interface Observer {
  /** What to tell the other end now. To clients nothing is told. */
  tell(): Announcement
  /** Calls `changed` whenever there is something new to tell, until the returned function is called. */
  onTell(changed: () => void): () => void
  /** Takes what the other end told, unchecked: first, and at each change. Throws what makes it no peer of this app. */
  hear(announcement: unknown): void
  /** Answers an envelope from the other end. Never rejects. */
  receive: Carry
  /** The same, for a transport that has no use for a promise. The core always has it. */
  receiveDirect?: CarryDirect
  /** The connection is gone. Nothing may be called after it. */
  lost(): void
  /** Set by the transport while it connects; called when nobody wants the connection any more: end the attempt. */
  onGiveUp?: (() => void) | undefined
  /** The connecting side's proof of who it is: the value of an `Authorization` header, where a transport has such. */
  readonly authorization?: string | undefined
  /**
   * Begins a proof for this attempt, in place of `authorization`: the other end proves first that it is to be told anything.
   * `authority` is the `Host` that the attempt sends, empty where a transport has none: the proofs of both ends cover it. A
   * transport that can send neither `hello` nor an answer does not look at it, and `tell` throws `LUC_OPTIONS_INVALID`.
   */
  readonly prove?: ((authority: string) => Proof) | undefined
  /** The other end cannot tell what it is (`connect(transport, { patterns })`): do not ask. */
  readonly silent?: boolean
}

/** The other half, made by the transport. */
export interface Connection {
  /** Sends an envelope to the other end. */
  readonly carry: Carry
  /** The same without a promise, where a transport can do that: the core then uses nothing else. */
  readonly carryDirect?: CarryDirect
  /** Asks for a sign of life. Resolves when one came; rejects when none can come any more. */
  ping?(): Promise<void>
  /** Closes this connection; `observer.lost` is called at both ends. */
  close(): Promise<void>
}

/** What the core gives to a listening transport. */
export interface Receiver {
  /** Who may connect: other apps of the system, or anybody who speaks the wire format. */
  readonly audience: Audience
  /** Whether the app takes no new work any more: late acts are still answered, one by one, by `receive`. */
  readonly draining: boolean
  /** Nobody is asked who they are: `authenticate` lets everybody in, and need not be called. */
  readonly anonymous?: boolean
  /**
   * Whoever is at the other end. Rejects with `LUC_UNAUTHENTICATED` (`challengeOf` tells what is asked for) or
   * `LUC_FORBIDDEN`, before any message is read. For
   * a peer or client that holds a connection call it once and give the result to `accept`; where every request stands
   * alone (HTTP clients) call it for each and put the identity into the `Call`.
   */
  authenticate(request: unknown): Promise<Credentials>
  /** Somebody connected. Without a connection nothing can be sent to them, they can only be answered. */
  accept(connection: Connection | undefined, who: Credentials): Observer
}

/** Who is at the other end, as far as it was proved. */
export interface Credentials {
  /** On whose behalf a client acts. Absent if nobody asked. */
  readonly identity?: unknown
}

/** Pages, curl and other languages, or other lucilius apps of the same system. */
export type Audience = 'clients' | 'peers'

/** A transport that listens. */
export interface Listener {
  /** Where others connect to. */
  readonly url: string
  /** The app begins to drain. The listener stays open and answers late messages one by one. */
  drain?(): void
  /** Stops listening and closes its connections, gently first. The core has drained before. */
  close(): Promise<void>
}

/** A way to carry envelopes. No base class and no registry: `app.listen(transport)`, `app.connect(transport)`. */
export interface Transport {
  /** Stands in logs. */
  readonly name: string
  /** Who its listeners are for unless `listen` says so: `clients` if absent. */
  readonly audience?: Audience
  /** Whether a listener for peers may do without `auth`: the address is loopback, or never leaves the process. */
  readonly local?: boolean
  /** Opens the listening end. Rejects with `LUC_LISTEN_FAILED`. */
  listen(receiver: Receiver): Promise<Listener>
  /**
   * Makes one attempt to connect; the core repeats it. Resolves once the peer has told what it is. Rejects with a
   * `LuciliusError`, or with what `observer.hear` threw.
   */
  connect(observer: Observer): Promise<Connection>
  /**
   * Where many listen (a broker): `app.connect` asks who is there, and connects to each, now and later. Absent where a
   * transport leads to one listener. Resolves once those that are there were found; rejects as `connect` does.
   */
  discover?(finding: Finding): Promise<Discovery>
}

/** What the core is told while it looks for listeners. */
export interface Finding {
  /** Somebody listens, or still does: `address` tells listeners apart, `transport` connects to this one. */
  found(address: string, transport: Transport): void
  /** It has said that it listens no more. */
  gone(address: string): void
}

/** A search that goes on. */
export interface Discovery {
  /** Ends it. What was found stays connected until it is closed. */
  close(): Promise<void>
}
