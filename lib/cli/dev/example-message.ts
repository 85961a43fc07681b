import type { Message } from '../../message.js'
import { toPattern } from '../../pattern.js'
import { type PatternList, toExposure } from '../../peers/exposure.js'
import type { Outside } from '../../system/system.js'

/**
 * A message that a door lets in: the one described, else the pairs of the first action whose values are all known. None
 * for a door that asks who comes in.
 */
export function exampleMessage(
  { example, auth }: Outside,
  expose: PatternList,
  actions: readonly { readonly pattern: string }[],
): { readonly example?: Message } {
  if (auth !== undefined) return {}
  if (example !== undefined) return { example }
  const exposure = toExposure('outside', expose, {})
  const patterns = actions.map(({ pattern }) => toPattern(pattern))
  const found = patterns.find((pattern) => pattern.globs === 0 && exposure.action(pattern))
  return found === undefined ? {} : { example: found.pairs }
}
