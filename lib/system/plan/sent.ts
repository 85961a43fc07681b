import { patternMatches } from '../../covers.js'
import { type Pattern, toPattern } from '../../pattern.js'
import type { RecordedSending } from '../recording.js'
import { meets } from './meets.js'

/** How a message is sent. */
export type Kind = 'act' | 'emit'

/** A message that a service sends: one that it declares in `uses`, or one of a recorded run. */
export interface Sent {
  readonly service: string
  /** Undefined where only the pattern is known: `uses` does not say which it is. */
  readonly kind: Kind | undefined
  /** The message as people see it: canonical text. */
  readonly text: string
  /** Where it is said: the path of a key of the description, or the recorded run. */
  readonly where: string
  /** Whether its values are all known, so that one action answers it. */
  readonly exact: boolean
  /** Whether its service says, in `emits`, that nobody has to observe it. */
  readonly optional: boolean
  /**
   * The keys that it lacks to match a pattern: none if it matches. They may stand in the data beside it, so a pattern
   * that has all its pairs and more may match, too. Undefined for any other pattern.
   */
  lacks(pattern: Pattern): readonly string[] | undefined
}

/** A pattern that a service declares, in `emits` if it is `optional`. Its globs stand for any value. */
export function declared(service: string, pattern: Pattern, where: string, optional: boolean): Sent {
  const { text, keys, globs } = pattern
  const lacks = (other: Pattern) => lacking(other, keys, (part) => meets(part, pattern))
  return { service, kind: optional ? 'emit' : undefined, text, where, exact: globs === 0, optional, lacks }
}

/** The pairs of a message that was sent, as they stood in the code of the service. */
export function recorded({ service, kind, message }: RecordedSending, where: string, optional: boolean): Sent {
  const keys = Object.keys(message).sort()
  const text = keys.map((key) => `${key}:${String(message[key])}`).join(',')
  const lacks = (other: Pattern) => lacking(other, keys, (part) => patternMatches(part, message))
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text
  return { service, kind, text: shown, where, exact: true, optional, lacks }
}

function lacking(
  pattern: Pattern,
  keys: readonly string[],
  matches: (part: Pattern) => boolean,
): readonly string[] | undefined {
  const missing = pattern.keys.filter((key) => !keys.includes(key))
  if (missing.length > 0 && !keys.every((key) => pattern.keys.includes(key))) return undefined
  const present = missing.length === 0 ? pattern : part(pattern, keys)
  return matches(present) ? missing : undefined
}

function part({ pairs }: Pattern, keys: readonly string[]): Pattern {
  return toPattern(Object.fromEntries(Object.entries(pairs).filter(([key]) => keys.includes(key))))
}
