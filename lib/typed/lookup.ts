import type { Invalid, Unreadable } from './bare-pair.js'
import type { GlobMatch } from './glob-match.js'
import type { IsOne, Wild } from './object-pairs.js'
import type { PairsOf, Special } from './pairs.js'

/*
 * One inverted index is made per registry, by a key-remapped mapped type: pair -> the registered patterns that hold it.
 * A look-up intersects the entries of its few pairs, and the usual call ends there with one pattern. Only a look-up
 * that hits none or several goes on to the subset rule. `U` is always the set of pairs that is asked for.
 */

/** Each registered pattern `K` under its pairs, under `?key` for its keys, and under `*` if it holds a glob. */
export type Index<R> = { [K in keyof R & string as Entries<PairsOf<K>>]: K }

type Entries<P extends string> = P extends Invalid | Unreadable
  ? never
  : P extends `${infer Key}:${infer V}`
    ? P | `?${Key}` | (V extends `${string}${Wild}${string}` ? '*' : never)
    : never

/** Each registered pattern under its first pair only: who holds some of the pairs of `U`, all of his own, is found by it. */
type Anchors<R> = { [K in keyof R & string as Anchor<K>]: K }
type Anchor<K extends string> = K extends `${string}${Special}${string}`
  ? PairsOf<K>
  : K extends `${infer Head},${string}`
    ? PairsOf<Head>
    : PairsOf<K>

// `I extends Record<U, infer K>` reads one property; `U extends keyof I` would list every key of the index at each call.
/** The registered patterns that hold some pair of `U`. */
export type Holding<I, U> = U extends string ? (I extends { [P in U]: infer K } ? K : never) : never

type Holders<I, U> = U extends string ? (I extends { [P in U]: infer K } ? (x: K) => void : (x: never) => void) : never

/** The registered patterns that hold every pair of `U`. */
type Above<I, U> = [U] extends [never] ? never : Holders<I, U> extends (x: infer K) => void ? K : never

/** The pattern that is exactly `U` and that no other pattern refines; never otherwise. The quick way for nearly all calls. */
export type Only<R, U> =
  Above<Index<R>, U> extends infer K
    ? IsOne<K> extends true
      ? K extends string
        ? [PairsOf<K>] extends [U]
          ? K
          : never
        : never
      : never
    : never

/**
 * The registered pattern that a message with the pairs `U` surely reaches; never if there is none or nobody can know.
 *
 * It is the most specific pattern that matches; where the matching rule would go on to count and compare key names, the
 * union of those in question.
 */
export type Match<R, U> = Invalid extends U
  ? never
  : Unreadable extends U
    ? never
    : Index<R> extends infer I
      ? Sure<R, I, U> extends infer K
        ? Topmost<K>
        : never
      : never

type Sure<R, I, U> =
  | Below<Holding<Anchors<R>, U>, U>
  | Globs<I, Exclude<U, `?${string}`>>
  | (R extends { '': unknown } ? '' : never)
type Below<K, U> = K extends string ? ([PairsOf<K>] extends [U] ? K : never) : never
type Globs<I, U> = I extends { '*': infer K } ? Fitting<K, U> : never

/** The registered patterns that the pattern `U` covers: itself, and what refines it. */
export type Covered<R, U> = Invalid extends U
  ? never
  : Unreadable extends U
    ? never
    : [U] extends [never]
      ? keyof R
      : [Extract<U, `${string}${Wild}${string}`>] extends [never]
        ? Above<Index<R>, U>
        : CoveredByGlob<keyof R, U>

// Compares with every registered pattern; few wraps and subscriptions need it.
type CoveredByGlob<K, U> = K extends string ? ([Unmet<U, PairsOf<K>>] extends [never] ? K : never) : never

/** The registered patterns that match `U`, the most specific one and all wider ones. */
export type Wider<R, U> = Invalid extends U
  ? never
  : Unreadable extends U
    ? never
    : Index<R> extends infer I
      ? Sure<R, I, U>
      : never

/** The registered patterns that such a message reaches instead if values that only the running program knows are theirs. */
export type MayMatch<R, U> = Invalid extends U
  ? never
  : Unreadable extends U
    ? never
    : [Late<U>] extends [never]
      ? never
      : Index<R> extends infer I
        ? Fitting<Holding<I, Late<U>>, U> extends infer K
          ? Unrefined<K, Sure<R, I, U>>
          : never
        : never

/** The keys whose values are known late. */
type Late<U> = Extract<U, `?${string}`>

/** The patterns with nothing that the pairs `U` do not satisfy, globs and late keys included. */
type Fitting<K, U> = K extends string ? ([Unmet<PairsOf<K>, U>] extends [never] ? K : never) : never
type Unmet<P, U> = P extends U
  ? never
  : P extends `${infer Key}:${infer V}`
    ? `?${Key}` extends U
      ? never
      : V extends `${string}${Wild}${string}`
        ? HoldsGlob<U, Key, V> extends true
          ? never
          : P
        : P
    : P

type HoldsGlob<U, Key extends string, G extends string> = true extends (
  U extends `${Key}:${infer V}`
    ? GlobMatch<V, G>
    : never
)
  ? true
  : false

/** The candidates that no other candidate refines. */
type Topmost<K> = IsOne<K> extends true ? K : Unrefined<K, K>
type Unrefined<K, All> = K extends string ? (true extends RefinedBy<K, All> ? never : K) : never
type RefinedBy<K extends string, All> = All extends string
  ? All extends K
    ? false
    : [Unmet<PairsOf<K>, PairsOf<All>>] extends [never]
      ? [Unmet<PairsOf<All>, PairsOf<K>>] extends [never]
        ? false
        : true
      : false
  : never
