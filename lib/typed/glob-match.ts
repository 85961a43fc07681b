/**
 * Whether a text matches a glob: `*` stands for any run of characters, `?` for one.
 *
 * The text may be a glob itself, and then this is whether `G` covers it; so a `*` is matched by `*` only.
 */
export type GlobMatch<T extends string, G extends string> = G extends '*'
  ? true
  : G extends `*${infer Rest}`
    ? GlobMatch<T, Rest> extends true
      ? true
      : T extends `${string}${infer Tail}`
        ? GlobMatch<Tail, G>
        : false
    : G extends `${infer C}${infer Rest}`
      ? T extends `${infer D}${infer Tail}`
        ? C extends (D extends '*' ? never : D | '?')
          ? GlobMatch<Tail, Rest>
          : false
        : false
      : T extends ''
        ? true
        : false
