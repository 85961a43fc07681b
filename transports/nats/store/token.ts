import { createHash } from 'node:crypto'

/** A longer token would be of no use to a reader, and subjects of 4 KiB end a connection. */
const longest = 200
const kept = 100

/**
 * A text as one token of a NATS subject, or as the name of a consumer. No two texts have the same.
 *
 * Letters, digits and most of ASCII stand for themselves (`event:created,role:order` does); white space, `.`, `*`, `>`, `~`,
 * `%`, `=`, a few others and what is not ASCII are `=` and the hexadecimal UTF-8, as in quoted-printable: a `%` in the
 * name of a consumer is taken for a format by nats-server 2.9. The empty text is `~`. What is longer than 200 characters
 * then is its first 100, `~`, and the SHA-256 of the whole: nobody has to read a text back from its token.
 */
export function token(text: string): string {
  if (/^[\w:,-]+$/.test(text) && text.length <= longest) return text
  if (text === '') return '~'
  if (isTorn(text)) return `~${hash(Buffer.from(text, 'utf16le'))}`
  const percents = encodeURIComponent(text).replaceAll(/%3A|%2C/g, decodeURIComponent)
  const escaped = percents.replaceAll('%', '=').replaceAll(/[.*~]/g, hex)
  return escaped.length <= longest ? escaped : `${escaped.slice(0, kept)}~${hash(text)}`
}

/** Half of a surrogate pair has no UTF-8. */
function isTorn(text: string): boolean {
  return /\p{Surrogate}/u.test(text)
}

function hex(character: string): string {
  return `=${character.charCodeAt(0).toString(16).toUpperCase()}`
}

function hash(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
