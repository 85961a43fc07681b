import type { BarePair, Invalid, Space, Trim, Unreadable } from './bare-pair.js'

type Line = '\n' | '\r'
type Blank = Space | Line
type Quote = '"' | "'" | '`' | '\\'
type Bracket = '{' | '}' | '[' | ']'

type TrimStart<S extends string, White extends string> = S extends `${White}${infer T}` ? TrimStart<T, White> : S
type TrimEnd<S extends string, White extends string> = S extends `${infer T}${White}` ? TrimEnd<T, White> : S
type TrimBlank<S extends string> = TrimEnd<TrimStart<S, Blank>, Blank>
type Before<S extends string, Mark extends string> = S extends `${infer A}${Mark}${string}` ? A : S

/**
 * The pairs of a text with quotes, braces or several lines, read one after the other.
 *
 * Escapes, nested values and whatever else would need the real parser make the whole text `Unreadable`: half a set of
 * pairs could name the wrong action.
 */
export type QuotedPairs<S extends string> =
  TrimBlank<S> extends `{${infer Inside}}` ? SomePairs<TrimBlank<Inside>> : SomePairs<TrimBlank<S>>

type SomePairs<S extends string> = S extends '' ? Invalid : NextPair<S, never>

type NextPair<S extends string, Found extends string> = S extends ''
  ? Found
  : S extends `"${infer K}"${infer Rest}`
    ? QuotedKey<K, TrimStart<Rest, Space>, Found>
    : S extends `'${infer K}'${infer Rest}`
      ? QuotedKey<K, TrimStart<Rest, Space>, Found>
      : S extends `${infer K}:${infer Rest}`
        ? BareKey<Trim<K>, TrimStart<Rest, Space>, Found>
        : Invalid

type QuotedKey<K extends string, Rest extends string, Found extends string> = K extends ''
  ? Invalid
  : K extends `${string}${'\\' | ':' | Line}${string}`
    ? Unreadable
    : Rest extends `:${infer V}`
      ? Value<K, TrimStart<V, Space>, Found>
      : Invalid

type BareKey<K extends string, Rest extends string, Found extends string> = K extends `${string}${Quote}${string}`
  ? Unreadable
  : K extends '' | `${string}${',' | Blank | Bracket}${string}`
    ? Invalid
    : Value<K, Rest, Found>

type Value<K extends string, S extends string, Found extends string> = S extends `"${infer V}"${infer Rest}`
  ? QuotedValue<K, V, TrimStart<Rest, Space>, Found>
  : S extends `'${infer V}'${infer Rest}`
    ? QuotedValue<K, V, TrimStart<Rest, Space>, Found>
    : S extends `${'"' | "'" | Line}${string}`
      ? Invalid
      : S extends `${'`' | '{' | '['}${string}`
        ? Unreadable
        : BareValue<K, S, Before<Before<Before<S, ','>, '\n'>, '\r'>, Found>

type QuotedValue<K extends string, V extends string, Rest extends string, Found extends string> = V extends ''
  ? Invalid
  : V extends `${string}${'\\' | Line}${string}`
    ? Unreadable
    : AfterValue<Rest, Found | `${K}:${V}`>

type BareValue<
  K extends string,
  S extends string,
  V extends string,
  Found extends string,
> = V extends `${string}${Quote | Bracket}${string}`
  ? Unreadable
  : BarePair<K, Trim<V>> extends infer P extends string
    ? P extends Invalid
      ? Invalid
      : S extends `${V}${infer Rest}`
        ? AfterValue<Rest, Found | P>
        : never
    : never

/** Pairs are separated by one comma, by the end of a line, or by both. */
type AfterValue<Rest extends string, Found extends string> = Rest extends ''
  ? Found
  : Rest extends `${',' | Line}${string}`
    ? TrimStart<Rest, Blank> extends `,${infer Next}`
      ? NextPair<TrimStart<Next, Blank>, Found>
      : NextPair<TrimStart<Rest, Blank>, Found>
    : Invalid
