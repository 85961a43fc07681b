import type { PatternLike } from '../handler.js'
import type { Scalar } from '../message.js'
import { parseMessage } from '../message-text.js'
import { scalarText } from '../scalars.js'

/** The pairs of a pattern or message that a pattern can ask for; nested values and what JSON has not are left out. */
export function scalarPairs(given: PatternLike): Readonly<Record<string, Scalar>> {
  const message = typeof given === 'string' ? parseMessage(given) : given
  const pairs = Object.entries(message).filter(([, value]) => scalarText(value) !== undefined)
  return Object.fromEntries(pairs) as Record<string, Scalar> // scalarText has a text for scalars only
}
