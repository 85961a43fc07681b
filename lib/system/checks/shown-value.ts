import { shown } from '../../scalars.js'

/** A value as an error message shows it: a text in quotes, cut at 80 characters, of objects and functions only what they are. */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') return `'${shown(value)}'`
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'symbol') return 'a symbol'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  return String(value)
}

/** Words as a sentence lists them: `'a', 'b' or 'c'`. */
export function choice(words: readonly string[]): string {
  const quoted = words.map((word) => `'${word}'`)
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}
