import type { Scalar } from '../message.js'
import type { Unreadable } from './bare-pair.js'

/**
 * A message's scalar properties as a set of pairs: `{ a: 1, b: 'x', c: string, d: [] }` gives `'a:1' | 'b:x' | '?c'`.
 *
 * A literal is a pair. Where only the running program knows the value, `'?c'` says that the key may be there. Objects,
 * arrays and null never match a pattern, so they leave nothing.
 */
export type PairsOfObject<O> = string extends keyof O
  ? Unreadable
  : { [K in keyof O & string]-?: PairOf<K, O[K]> }[keyof O & string]

type PairOf<K extends string, V> = unknown extends V
  ? `?${K}`
  : [Extract<V, Scalar>] extends [infer T]
    ? [T] extends [never]
      ? never
      : [V] extends [T]
        ? LiteralPair<K, Text<T>>
        : `?${K}`
    : never

type LiteralPair<K extends string, X extends string> = IsLiteral<X> extends true ? `${K}:${X}` : `?${K}`

type Text<T> = T extends string
  ? T
  : T extends number
    ? number extends T
      ? string
      : `${T}`
    : T extends boolean
      ? `${T}`
      : never

/** Whether a union of texts is one literal, rather than several, `string` or a template. */
type IsLiteral<X extends string> = {} extends { [P in X]: 1 } ? false : IsOne<X>

/** Whether a union has exactly one member. */
export type IsOne<T, All = T> = [T] extends [never]
  ? false
  : T extends unknown
    ? [All] extends [T]
      ? true
      : false
    : never

/** The characters that make a value of a pattern a glob. */
export type Wild = '*' | '?'

/**
 * The properties that a set of pairs stands for: `'a:1' | 'b:x' | 'c:*'` gives `{ a: 1 | '1'; b: 'x'; c: Scalar }`.
 *
 * Matching compares `String(value)`, so a number may arrive as either.
 */
export type ObjectOf<U extends string> = {
  readonly [P in U as P extends `${infer K}:${string}` ? K : never]: P extends `${string}:${infer V}`
    ? V extends `${string}${Wild}${string}`
      ? Scalar
      : V | BareValue<V>
    : never
}

/** What the message of a text gets for a bare value: a number or boolean if JSON prints it so, else the text. */
export type BareValue<V extends string> = V extends 'true'
  ? true
  : V extends 'false'
    ? false
    : V extends `${infer N extends number}`
      ? number extends N
        ? V
        : N
      : V
