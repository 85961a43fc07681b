import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Scalar } from '../message.js'
import type { Registration, Subscription } from '../registration.js'
import type { Acts, Emits, Spelling } from './call.js'
import type { Mode } from './contract.js'
import type {
  ActionPattern,
  CheckedHandlerOf,
  CoveringPattern,
  EventHandlerOf,
  HandlerOf,
  MiddlewareOf,
} from './handle.js'
import type { Events, Patterns } from './registry.js'

/** A pattern as an object. */
export type PatternObject = { readonly [key: string]: Scalar }

/** The second of three arguments of `add`. */
export interface AddOptions<
  SM extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
  SR extends StandardSchemaV1 | undefined = StandardSchemaV1 | undefined,
> {
  /** Checks each message; the handler gets what it puts out. A failure is `LUC_MESSAGE_INVALID`. */
  readonly message?: SM
  /** Checks each reply; the caller gets what it puts out. A failure is `LUC_REPLY_INVALID`. */
  readonly reply?: SR
  /** Handling a message twice does no harm, so a lost one may be sent again. */
  readonly idempotent?: boolean
  /** How long the handler may take from its start, in ms; what the caller still waits is never exceeded. */
  readonly timeoutMs?: number
}

/** The second of three arguments of `on`. */
export interface OnOptions {
  /** Every instance of the service gets every event, rather than one of them. Not for a durable one. */
  readonly each?: 'instance'
  /**
   * The name under which the store of the app knows the subscription as `<service>.<durable>`: each event that is stored
   * from its first start on is delivered at least once, until a handler succeeds or it is a dead letter. Letters, digits,
   * `-` and `_`. The options below go with it.
   */
  readonly durable?: string
  /** Properties of the message: events in which they are the same are handled one after the other, as they were stored. */
  readonly orderBy?: string | readonly string[]
  /**
   * Attempts until an event becomes a dead letter: 10. With `orderBy` those that nobody ever ended, because the process
   * died, count against ten times as many.
   */
  readonly maxDeliveries?: number
  /** How many handlers may run at once in an instance: 16. */
  readonly concurrency?: number
  /** How long to wait before the next attempt. */
  readonly backoff?: BackoffOptions
  /** How long a handler may take, in ms: `timeoutMs` of the app unless given. One that takes longer has failed. */
  readonly timeoutMs?: number
}

/** The waits between the attempts of a durable subscription: doubled each time, and then a random part of it, at least half. */
export interface BackoffOptions {
  /** The longest first wait, in ms: 200. */
  readonly firstMs?: number
  /** The longest wait of all, in ms: 30,000. */
  readonly maxMs?: number
}

/** The second argument of `event`: `durable` or `retain`, or both. */
export interface EventOptions {
  /** `emit` resolves once the event is stored, and durable subscriptions get it. */
  readonly durable?: boolean
  /** The last event of each key is kept for subscriptions that come later. `emit` resolves once it is. */
  readonly retain?: boolean
  /** The properties of the message that say what it is about. They must be in it, as scalars. */
  readonly key?: string | readonly string[]
  /** The same as `key`, as a subscription says it. */
  readonly orderBy?: string | readonly string[]
}

/** The second of three arguments of `wrap`. */
export interface WrapOptions {
  /** Runs where the act is called, rather than where it is handled. */
  readonly at?: 'caller'
}

/**
 * The part of an app that is typed by pattern strings.
 *
 * `R` and `E` are the registries of actions and events, in `strict` mode nothing else type-checks.
 */
export interface Typed<R = Patterns, E = Events, M extends Mode = 'open'> extends Acts<R, M>, Emits<E, M> {
  // As with `act`, forms differ in arity so that the compiler's errors stay plain.
  /** Answers a pattern. */
  add<const P extends Spelling<R> | PatternObject>(
    pattern: ActionPattern<R, P, M>,
    handler: HandlerOf<R, E, M, P>,
  ): Registration
  /** Answers a pattern, with schemas (zod, valibot, arktype or any other Standard Schema) or limits of its own. */
  add<
    const P extends Spelling<R> | PatternObject,
    SM extends StandardSchemaV1 | undefined = undefined,
    SR extends StandardSchemaV1 | undefined = undefined,
  >(
    pattern: ActionPattern<R, P, M>,
    options: AddOptions<SM, SR>,
    handler: CheckedHandlerOf<R, E, M, P, SM, SR>,
  ): Registration

  /** Observes the events that a pattern matches. */
  on<const P extends Spelling<E> | PatternObject>(
    pattern: CoveringPattern<E, P, M>,
    handler: EventHandlerOf<R, E, M, P>,
  ): Subscription
  /** Observes the events that a pattern matches: in every instance, or durably, if so asked. */
  on<const P extends Spelling<E> | PatternObject>(
    pattern: CoveringPattern<E, P, M>,
    options: OnOptions,
    handler: EventHandlerOf<R, E, M, P>,
  ): Subscription

  /**
   * Says that the events which a pattern matches are kept, where they are emitted in this app; of several such patterns the
   * most specific one counts. Needs an app with a store.
   */
  event<const P extends Spelling<E> | PatternObject>(
    pattern: CoveringPattern<E, P, M>,
    options: EventOptions,
  ): Registration

  /** Stands before every action that a pattern covers, where it is handled. */
  wrap<const P extends Spelling<R> | PatternObject>(
    pattern: CoveringPattern<R, P, M>,
    middleware: MiddlewareOf<R, E, M, P>,
  ): Registration
  /** Stands before every action that a pattern covers, where it is called if so asked. */
  wrap<const P extends Spelling<R> | PatternObject>(
    pattern: CoveringPattern<R, P, M>,
    options: WrapOptions,
    middleware: MiddlewareOf<R, E, M, P>,
  ): Registration
}
