import type { Owned } from './layout.js'

/** A name or pattern inside a sentence. */
export function quoted(name: string): string {
  return `'${name}'`
}

/** An action or subscription inside a sentence. */
export function who({ owner, pattern }: Owned): string {
  return `${pattern.text === '' ? 'the catch-all' : quoted(pattern.text)} of ${quoted(owner)}`
}

/** Names inside a sentence: 'a', 'b' and 'c'. */
export function spoken(names: readonly string[]): string {
  const all = names.map(quoted)
  const last = all.pop() ?? 'nothing'
  return all.length === 0 ? last : `${all.join(', ')} and ${last}`
}
