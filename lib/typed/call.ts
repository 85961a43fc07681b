import type { ActOptions, EmitOptions } from '../handler.js'
import type { MessageOf, Mode, Open, ReplyOf } from './contract.js'
import type { Match, MayMatch, Only } from './lookup.js'
import type { BareValue, ObjectOf, PairsOfObject } from './object-pairs.js'
import type { PairsIn, PairsOf } from './pairs.js'
import type { Fit, NeedsMessage, Refused } from './refusal.js'

/** Completion lists the registered spellings, yet any string is taken. */
export type Spelling<R> = (keyof R & string) | (string & {})

/** Sends messages, checked against the registry `R`. */
export interface Acts<R, M extends Mode> {
  // The forms differ in arity, so the compiler reports one plain error and never "No overload matches this call".
  /** Sends a message: a pattern that needs no more, or the whole message as one text or object. */
  act<const O extends Spelling<R> | Open>(message: Whole<R, O, M>): Promise<Reply<R, O, undefined, M>>
  /** Sends a message to a pattern. */
  act<const P extends Spelling<R> | Open, const O extends Open | undefined, X extends boolean = false>(
    pattern: P,
    message: Second<R, P, O, X, M>,
    options?: ActOptions & { readonly exact?: X },
  ): Promise<Reply<R, P, X extends true ? undefined : O, M>>
}

/** Emits events, checked against the registry `E`. */
export interface Emits<E, M extends Mode> {
  /** Emits an event: a pattern that needs no more, or the whole message as one text or object. */
  emit<const O extends Spelling<E> | Open>(message: Whole<E, O, M>): Promise<void>
  /** Emits an event of a pattern. */
  emit<const P extends Spelling<E> | Open, const O extends Open | undefined>(
    pattern: P,
    message: Second<E, P, O, false, M>,
    options?: EmitOptions,
  ): Promise<void>
}

/** A whole message as the only argument. */
export type Whole<R, O, M extends Mode> = Fit<O, [O] extends [infer Q] ? OneMessage<R, Q, M> : never>

type OneMessage<R, O, M extends Mode> = O extends string
  ? WholeText<R, O, Goal<R, PairsOf<O>>, M>
  : WholeObject<R, PairsOfObject<O>, Goal<R, PairsOfObject<O>>, M>

type WholeText<R, S extends string, K, M extends Mode> = [K] extends [never]
  ? Refused<R, PairsOf<S>, M, S>
  : {} extends MessageOf<R, K>
    ? S
    : TextData<PairsOf<S>> extends MessageOf<R, K>
      ? S
      : NeedsMessage<S, MessageOf<R, K>>

/** The properties of a message text. */
type TextData<U extends string> = {
  [P in U as P extends `${infer K}:${string}` ? K : never]: P extends `${string}:${infer V}` ? BareValue<V> : never
}

type WholeObject<R, U, K, M extends Mode> = [K] extends [never]
  ? Refused<R, U, M, Open>
  : ObjectOf<PairsOf<K & string>> & MessageOf<R, K> & Perhaps<R, MayMatch<R, U>>

/** What the patterns that a message reaches only perhaps would have it hold, unchecked; nothing if there are none. */
type Perhaps<R, K> = [K] extends [never]
  ? unknown
  : { readonly [Key in KeyOf<PairsOf<K & string>> | (keyof MessageOf<R, K> & string)]?: unknown }

/** The message beside a pattern: if the pattern names one entry that is it, else the message's literals help to choose. */
export type Second<R, P, O, X extends boolean, M extends Mode> = Fit<
  O,
  [P] extends [infer Q] ? Message<R, Q, O, X extends true ? undefined : O, M> : never
>

type Message<R, P, O, Seen, M extends Mode> = P extends string
  ? Beside<R, PairsOf<P>, Seen, O, M>
  : O extends undefined
    ? Nothing<P, WholeObject<R, PairsOfObject<P>, Goal<R, PairsOfObject<P>>, M>>
    : Beside<R, PairsOfObject<P>, Seen, O, M>

/** No message, since the first argument is all of it. */
type Nothing<P, Whole> = P extends Frozen<Whole> ? undefined : NeedsMessage<P, Whole>

/** The type of a `const` literal: read-only all through. */
type Frozen<T> = T extends object ? { readonly [K in keyof T]: Frozen<T[K]> } : T

// `infer` holds the compiler back from working out what a type that is not yet known might be, for each registered
// pattern, at each call. Without it a call takes 10 times as long (`node bench/types.mjs`).
type Beside<R, U extends string, Seen, O, M extends Mode> = [Only<R, U>] extends [never]
  ? U | Seeing<Seen> extends infer All
    ? Match<R, All> extends infer K
      ? Split<R, U, All, K, O, M>
      : never
    : never
  : Maybe<O, Rest<MessageOf<R, Only<R, U>>, KeyOf<U>> & Partial<ObjectOf<U>>>

type Split<R, U extends string, All, K, O, M extends Mode> = [K] extends [never]
  ? Refused<R, All, M, Open | undefined>
  : Maybe<
      O,
      Rest<MessageOf<R, K>, KeyOf<U>> &
        Partial<ObjectOf<U>> &
        Rest<ObjectOf<PairsOf<K & string>>, KeyOf<U>> &
        Perhaps<R, MayMatch<R, All>>
    >

type Seeing<O> = O extends undefined ? never : PairsOfObject<O>
type KeyOf<U> = U extends `${infer K}:${string}` ? K : never

/** What is left to say of a message when a pattern has said `K`. */
type Rest<T, K extends PropertyKey> = T extends unknown
  ? [keyof T & K] extends [never]
    ? T
    : [keyof T] extends [K]
      ? unknown
      : Omit<T, K>
  : never

/** A message that needs nothing may be `undefined`. */
type Maybe<O, T> = O extends undefined ? ({} extends T ? undefined : T) : T

/** The registered pattern that a call surely reaches, the quick way if possible. */
type Goal<R, U> = [Only<R, U>] extends [never] ? Match<R, U> : Only<R, U>

/** What a call replies. */
export type Reply<R, P, O, M extends Mode> = P extends unknown
  ? O extends undefined
    ? ReplyTo<R, PairsIn<P>, M>
    : [Only<R, PairsIn<P>>] extends [never]
      ? ReplyTo<R, PairsIn<P> | PairsOfObject<O>, M>
      : ReplyOf<R, Only<R, PairsIn<P>>>
  : never

type ReplyTo<R, U, M extends Mode> = [Only<R, U>] extends [never]
  ? [Match<R, U>] extends [never]
    ? M extends 'strict'
      ? ReplyOrUnknown<R, MayMatch<R, U>>
      : unknown
    : ReplyOf<R, Match<R, U> | MayMatch<R, U>>
  : ReplyOf<R, Only<R, U>>

type ReplyOrUnknown<R, K> = [K] extends [never] ? unknown : ReplyOf<R, K>
