import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { TypedContext, TypedEventContext } from './context.js'
import type { MessageOf, Mode, Open, ReplyOf } from './contract.js'
import type { Covered, Match, Only, Wider } from './lookup.js'
import type { ObjectOf } from './object-pairs.js'
import type { PairsIn, PairsOf } from './pairs.js'
import type { Fit, Refused } from './refusal.js'

/** What a handler may give back. */
type Eventual<Y> = Y | Promise<Y>

/** The pattern of an action: strict mode takes what the registry has or widens to. */
export type ActionPattern<R, P, M extends Mode> = Fit<
  P,
  [Match<R, PairsIn<P>>] extends [never] ? Refused<R, PairsIn<P>, M, P> : P
>

/** The pattern of a wrap or a subscription: strict mode takes what covers a registered pattern, too. */
export type CoveringPattern<R, P, M extends Mode> = Fit<
  P,
  [Match<R, PairsIn<P>> | Covered<R, PairsIn<P>>] extends [never] ? Refused<R, PairsIn<P>, M, P> : P
>

/**
 * The handler of an action.
 *
 * A conditional type as a whole, since only then does the compiler know the reply while it reads the handler's body, so
 * that `() => ['usd']` is an array of currencies and not of strings.
 */
export type HandlerOf<R, E, M extends Mode, P> =
  PairsIn<P> extends infer U extends string
    ? [Match<R, U>] extends [never]
      ? (message: ObjectOf<U> & Open, context: TypedContext<R, E, M, PriorReply<R, U>>) => unknown
      : (
          message: ObjectOf<U> & Readonly<MessageOf<R, Match<R, U>>>,
          context: TypedContext<R, E, M, PriorReply<R, U>>,
        ) => Eventual<ReplyOf<R, Match<R, U>>>
    : never

/** The handler of an action with schemas: they say what it gets and gives, the registry says the rest. */
export type CheckedHandlerOf<R, E, M extends Mode, P, SM, SR> =
  HandlerOf<R, E, M, P> extends (message: infer T, context: infer C) => infer Y
    ? (
        message: SM extends StandardSchemaV1 ? ObjectOf<PairsIn<P>> & Readonly<StandardSchemaV1.InferOutput<SM>> : T,
        context: C,
      ) => SR extends StandardSchemaV1 ? Eventual<StandardSchemaV1.InferInput<SR>> : Y
    : never

type PriorReply<R, U> = [Wider<R, U>] extends [never] ? unknown : ReplyOf<R, Wider<R, U>> | undefined

/** The handler of a subscription: it observes what its pattern names, refines or covers. */
export type EventHandlerOf<R, E, M extends Mode, P> = (
  message: EventMessage<E, M, PairsIn<P>, Match<E, PairsIn<P>>>,
  context: TypedEventContext<R, E, M>,
) => unknown

type EventMessage<E, M extends Mode, U extends string, K> = [K] extends [never]
  ? M extends 'strict'
    ? Observed<E, U, Covered<E, U>>
    : ObjectOf<U> & Open
  : Observed<E, U, K | Covered<E, U>>

type Observed<E, U extends string, K> = K extends string ? ObjectOf<U | PairsOf<K>> & Readonly<MessageOf<E, K>> : never

/**
 * Makes a handler that stands before those of a pattern; message and reply are typed where the pattern names one
 * registered action. What goes to `next` and what it gives back is free, so that an untyped `Middleware` fits too.
 */
export type MiddlewareOf<R, E, M extends Mode, P> =
  PairsIn<P> extends infer U extends string
    ? [Only<R, U>] extends [never]
      ? Around<ObjectOf<U> & Open, TypedContext<R, E, M>, unknown>
      : Around<
          ObjectOf<U> & Readonly<MessageOf<R, Only<R, U>>>,
          TypedContext<R, E, M>,
          Eventual<ReplyOf<R, Only<R, U>>>
        >
    : never

type Around<T, C, Y> = (next: (message: Open, context: C) => Y) => (message: T, context: C) => unknown
