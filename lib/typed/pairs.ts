import type { BarePair, Invalid, Trim, Unreadable } from './bare-pair.js'
import type { PairsOfObject } from './object-pairs.js'
import type { QuotedPairs } from './quoted-pairs.js'

/** The characters that need the thorough reader. */
export type Special = '"' | "'" | '`' | '{' | '}' | '[' | ']' | '\\' | '\n' | '\r'

/**
 * A pattern as the set of its pairs: `'a:1, b : x'` gives `'a:1' | 'b:x'`.
 *
 * TypeScript's sets of strings are unions, so order and spacing are gone without sorting anything. The empty pattern
 * is the empty set, `never`. Takes what `toPattern` takes, and a text that it cannot read is `Unreadable` rather than
 * a wrong answer.
 */
export type PairsOf<S extends string> = string extends S
  ? Unreadable
  : S extends `${string}${Special}${string}`
    ? QuotedPairs<S>
    : S extends ''
      ? never
      : PlainPairs<S, never>

/** Nearly every pattern: no quotes, no braces, one line. */
type PlainPairs<S extends string, Found extends string> = S extends `${infer Head},${infer Tail}`
  ? PlainPair<Head> extends infer P extends string
    ? P extends Invalid
      ? Invalid
      : Tail extends `${string}:${string}`
        ? PlainPairs<Tail, Found | P>
        : Trim<Tail> extends ''
          ? Found | P
          : Invalid
    : never
  : PlainPair<S> extends infer P extends string
    ? P extends Invalid
      ? Invalid
      : Found | P
    : never

type PlainPair<S extends string> = S extends `${infer K}:${infer V}` ? BarePair<Trim<K>, Trim<V>> : Invalid

/** The pairs of a pattern or message in either spelling, text or object. */
export type PairsIn<P> = P extends string ? PairsOf<P> : PairsOfObject<P>
