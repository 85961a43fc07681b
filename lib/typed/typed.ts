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
  /** Every instance of the service gets every event, rather than one of them. */
  readonly each?: 'instance'
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
  /** Observes the events that a pattern matches, in every instance if so asked. */
  on<const P extends Spelling<E> | PatternObject>(
    pattern: CoveringPattern<E, P, M>,
    options: OnOptions,
    handler: EventHandlerOf<R, E, M, P>,
  ): Subscription

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
