import { LuciliusError } from './errors.js'

// Visible ASCII but for the percent sign: what stands in a header field as it is (RFC 9110 §5.5, RFC 3986 §2.1).
const special = /[^\x21-\x24\x26-\x7e]/
const specials = /[^\x21-\x24\x26-\x7e]/gu

/** Writes any text as the value of a header field. Throws `LUC_MESSAGE_INVALID` for half a surrogate pair. */
export function toField(text: string): string {
  if (!special.test(text)) return text
  try {
    return text.replace(specials, encodeURIComponent)
  } catch (cause) {
    throw new LuciliusError('LUC_MESSAGE_INVALID', 'A pattern or an identity has half a surrogate pair.', { cause })
  }
}

/** Reads what {@link toField} wrote. Throws `LUC_WIRE_INVALID` for what is not percent-encoded UTF-8. */
export function fromField(name: string, value: string): string {
  if (!value.includes('%')) return value
  try {
    return decodeURIComponent(value)
  } catch {
    throw new LuciliusError('LUC_WIRE_INVALID', `The header ${name} is not percent-encoded UTF-8.`)
  }
}
