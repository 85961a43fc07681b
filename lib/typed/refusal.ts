import type { Mode } from './contract.js'
import type { Holding, Index } from './lookup.js'

/** A type that nothing meets, made to be read in the compiler's message: what was asked for is not in the registry. */
export interface NoSuchPattern<Asked, Near> {
  /** The pairs that were asked for. */
  readonly 'no registered pattern matches': Asked
  /** The registered patterns that share a pair with it. */
  readonly nearest: Near
}

/** A type that nothing meets, made to be read in the compiler's message: the pattern alone is not all that is needed. */
export interface NeedsMessage<Pattern, Message> {
  /** The pattern that was sent alone. */
  readonly 'pattern needs a message': Pattern
  /** The message to send beside it. */
  readonly message: Message
}

/** What strict mode puts in the place of `Else`. */
export type Refused<R, U, M extends Mode, Else> = M extends 'strict' ? NoSuchPattern<U, Holding<Index<R>, U>> : Else

/**
 * Checks an argument against `E`, which is worked out from the argument's own literals `O`.
 *
 * The first branch is never taken: it is there so that the compiler infers `O` (and infers it `const`) from the
 * argument. Checking against `E` itself, not `O & E`, keeps its messages plain ("Property 'to' is missing ...").
 */
export type Fit<O, E> = [O] extends [never] ? O : E
