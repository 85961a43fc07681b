// Both stand in the place of a set of pairs, and the compiler prints them. No pair is like them: a pair has a colon.

/** Stands for a text that is no pattern: `toPattern` throws `LUC_PATTERN_INVALID` on it. */
export type Invalid = 'not a pattern'

/** Stands for what only the running parser can read: a dynamic string or object, nested values, escapes. */
export type Unreadable = 'known only at run time'

/** White space within a line. */
export type Space = ' ' | '\t'

/** The text without the white space around it. */
export type Trim<S extends string> = S extends `${Space}${infer T}`
  ? Trim<T>
  : S extends `${infer T}${Space}`
    ? Trim<T>
    : S

/** The pair of a bare key and a bare value, both trimmed. A chain of colons, an empty end, a space or `null` make none. */
export type BarePair<K extends string, V extends string> = '' extends K | V
  ? Invalid
  : `${K}${V}` extends `${string}${Space}${string}`
    ? Invalid
    : V extends `${string}:${string}` | 'null'
      ? Invalid
      : `${K}:${V}`
