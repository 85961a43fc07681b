import type { Scalar } from './message.js'

const echoLength = 80

/**
 * The text by which a property matches, or `undefined` if it cannot match.
 *
 * Strings, finite numbers and booleans have one (`-0` has `0`). `NaN` and the infinities have none: JSON makes them
 * `null`, so a message that matched by them here would match nothing in another process.
 */
export function scalarText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : undefined
  return typeof value === 'boolean' ? String(value) : undefined
}

/**
 * The value of an unquoted text: a number or boolean only if JSON prints it that way, so no text is ever changed.
 *
 * `100`, `-1.5` and `true` are values; `01`, `1.0`, `1e3`, `-0` and `NaN` stay strings.
 */
export function bareScalar(text: string): Scalar {
  if (text === 'true') return true
  if (text === 'false') return false
  const number = Number(text)
  return Number.isFinite(number) && String(number) === text ? number : text
}

/** A text in quotes that the parser reads back: single ones where nothing has to be escaped, else as JSON does it. */
export function quoted(text: string): string {
  return /['\\\p{C}]/u.test(text) ? JSON.stringify(text) : `'${text}'`
}

/** Input as it may stand in an error message: in double quotes, invisible characters escaped, at most 80 characters. */
export function echo(text: string): string {
  return `"${shown(text)}"`
}

/** Input as it may stand in an error message, without quotes: invisible characters escaped, at most 80 characters. */
export function shown(text: string): string {
  const short = text.length > echoLength ? `${text.slice(0, echoLength - 1)}…` : text
  return short.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escapeCharacter)
}

/** A character as JSON escapes it, one escape for each UTF-16 code unit. */
export function escapeCharacter(character: string): string {
  if (character === '\n') return '\\n'
  if (character === '\t') return '\\t'
  return Array.from({ length: character.length }, (_, at) => unitEscape(character.charCodeAt(at))).join('')
}

function unitEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}
