/** A message of which nothing is known but that it is an object. */
export type Open = { readonly [key: string]: unknown }

/** `strict` refuses what is not in the registry, `open` lets it through untyped. */
export type Mode = 'strict' | 'open'

// `R extends { [P in K]: … }` reads one property. `K extends keyof R` would, at each call, compare a type that is not yet
// known with every key of the registry: 500 patterns took 100 s instead of 2.

/** The messages that the registered patterns `K` ask for, their pairs aside. */
export type MessageOf<R, K> = K extends string
  ? R extends { [P in K]: (message: infer T) => unknown }
    ? unknown extends T
      ? {}
      : T
    : never
  : never

/** What the registered patterns `K` reply. */
export type ReplyOf<R, K> = K extends string
  ? R extends { [P in K]: (...message: never) => infer Y }
    ? Awaited<Y>
    : never
  : never
