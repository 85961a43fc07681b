import type { Logger } from './logger.js'
import type { Message } from './message.js'

/** The other app that holds the connection a message came over. */
export interface PeerInfo {
  /** The name that the other app was given. */
  readonly name: string
  /** The id of this one process of it. */
  readonly instance: string
}

/** What travels beside a message, never in it. */
export interface Meta {
  /** The id of this message, made by the app that sent it. */
  readonly id: string
  /** The trace it belongs to, as W3C Trace Context writes it. */
  readonly traceparent: string
  /** The moment after which nobody waits any more, in ms since the epoch by this machine's clock. */
  readonly deadline: number
  /** How many acts and priors led here, this one included. */
  readonly hops: number
  /** On whose behalf it was sent: frozen, set by `authenticate` or by the caller. */
  readonly identity?: unknown
  /** The app it came from; absent if it was sent in this process. */
  readonly peer?: PeerInfo
}

/** The third argument of `act`. */
export interface ActOptions {
  /** How long to wait, in ms. Within a handler it only shortens what is left. */
  readonly timeoutMs?: number
  /** Gives up when it aborts, and tells the handler. */
  readonly signal?: AbortSignal
  /** Routes by the pattern alone, so that outside data beside it cannot select another action. */
  readonly exact?: boolean
  /** On whose behalf the message is sent. Within a handler the running message's identity is the default. */
  readonly identity?: unknown
}

/** The third argument of `emit`. */
export interface EmitOptions {
  /**
   * Names an event that is stored (`app.event`): a second one of the same id within two minutes is the same event. 1 to
   * 200 ASCII characters without spaces; made up unless given.
   */
  readonly id?: string
  /** On whose behalf the event is emitted. Within a handler the running message's identity is the default. */
  readonly identity?: unknown
}

/** A pattern, or a whole message, as text or as an object. */
export type PatternLike = string | Message

/** The second argument of every handler. */
export interface Context {
  /** What came beside the message. */
  readonly meta: Meta
  /** Aborts at the deadline, when the caller gives up, and on a forced close. */
  readonly signal: AbortSignal
  /** The canonical text of the running action's pattern. */
  readonly pattern: string
  /** The service whose action runs. */
  readonly service: string
  /** A logger that names the service. */
  readonly log: Logger
  /** Sends a message; trace, deadline, hops and identity are passed on. */
  act(pattern: PatternLike, message?: Message, options?: ActOptions): Promise<unknown>
  /** Emits an event; trace, hops and identity are passed on. */
  emit(pattern: PatternLike, message?: Message, options?: EmitOptions): Promise<void>
  /**
   * Calls the action that this one stands in front of: the next older one of the same pattern, else the most specific
   * one with a wider pattern. Without a message it gets the message as it was sent. `undefined` at the end of the chain.
   */
  prior(message?: Message): Promise<unknown>
}

/** How an event came that was stored before. */
export interface Delivery {
  /** The id of the event: the same at each attempt, and in each subscription. */
  readonly id: string
  /** Which attempt of this subscription it is, from 1. */
  readonly attempt: number
  /** When it was first delivered to this subscription, as far as the store knows, in ms since the epoch. */
  readonly firstAt: number
  /** It is the last one of its key, kept for a subscription that came later: `true`, or absent. */
  readonly retained?: true
}

/** The second argument of an event's handler: nothing stands behind a subscription. */
export type EventContext = Omit<Context, 'prior'> & {
  /** How it came out of the store; absent for an event that was handed over as it was emitted. */
  readonly delivery?: Delivery
}

/** Answers a message. Local, remote and wrapped actions are all of this one type. */
export type Handler = {
  // Written as a method so that it may stand where the registries ask for narrower types, and with a reply that fits
  // any of them: a middleware for every action is used on typed ones, too.
  /** Gives the reply, or a promise of it. */
  // biome-ignore lint/suspicious/noExplicitAny: see above
  answer(message: Message, context: Context): any
}['answer']

/** Makes a handler that stands before another one. */
export type Middleware = (next: Handler) => Handler

/** Observes an event. What it returns is awaited, and otherwise ignored. */
export type EventHandler = (message: Message, context: EventContext) => unknown
