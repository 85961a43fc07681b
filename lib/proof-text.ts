import { createHmac, timingSafeEqual } from 'node:crypto'

/** Whose proof it is: one is no good as the other, so that nobody proves with what it was told. */
type Side = 'listener' | 'connector'

/** The names and values of a header field of the scheme `Lucilius` (RFC 9110 §11.4). */
type ProofFields = ReadonlyMap<string, string>

/** Characters of a header field that are looked at. */
const MOST = 4096

const SCHEME = /(?:^|, *)lucilius +/i
const FIELD = /([a-z]+) ?= ?"([\w-]{0,200})" *(?:, *|$)/iy

/** Reads a header field, which may name other schemes before and after. Undefined if it has none of ours. */
export function readProofFields(text: string): ProofFields | undefined {
  const part = text.slice(0, MOST)
  const start = SCHEME.exec(part)
  if (start === null) return undefined
  const fields = new Map<string, string>()
  FIELD.lastIndex = start.index + start[0].length
  for (let found = FIELD.exec(part); found !== null; found = FIELD.exec(part)) {
    const [, name = '', value = ''] = found
    if (fields.has(name.toLowerCase())) return undefined
    fields.set(name.toLowerCase(), value)
  }
  return fields
}

/** Writes a header field. */
export function writeProofFields(fields: { readonly [name: string]: string }): string {
  const pairs = Object.entries(fields).map(([name, value]) => `${name}="${value}"`)
  return `Lucilius ${pairs.join(', ')}`
}

/**
 * What one who knows the secret says to two nonces: both, so that neither end alone chooses what is answered. The authority is
 * the `Host` that was dialled: a proof of one listener is none of another address.
 */
export function proofOf(secret: string, side: Side, hello: string, nonce: string, authority: string): string {
  const signed = [`lucilius.v1 ${side}`, hello, nonce, authority].join('\n')
  return createHmac('sha256', secret).update(signed).digest('base64url')
}

/** Whether two texts are the same. Takes the same time wherever they differ. */
export function isSameText(given: string, expected: string): boolean {
  const bytes = Buffer.from(given)
  const others = Buffer.from(expected)
  return bytes.length === others.length && timingSafeEqual(bytes, others)
}
