import { isUtf8 } from 'node:buffer'
import sjson from 'secure-json-parse'
import { type Handled, LuciliusError } from './errors.js'
import { fieldPath } from './field-path.js'
import { isDeeper } from './json-depth.js'
import { type Carried, defaultMaxBytes, defaultMaxDepth, type PortableLimits } from './portable.js'
import { StringifyTrail } from './stringify-trail.js'

/**
 * Reads JSON that came from outside, where anything may come from.
 *
 * Throws `LUC_TOO_LARGE` beyond `maxBytes`, `LUC_MESSAGE_INVALID` for more than `maxDepth` containers inside each other
 * and for keys that could reach a prototype (escaped ones too), `LUC_WIRE_INVALID` for what is not JSON in UTF-8, a
 * byte order mark included (RFC 8259 §8.1). No error repeats what was sent.
 */
export function decodeJson(text: string | Uint8Array, limits: PortableLimits = {}): unknown {
  const { maxDepth = defaultMaxDepth, maxBytes = defaultMaxBytes } = limits
  refuseLonger(text, maxBytes)
  const json = typeof text === 'string' ? text : decodeUtf8(text)
  if (json.charCodeAt(0) === 0xfeff) throw invalid('The JSON starts with a byte order mark. Send it without.')
  refuseDeeper(json, maxDepth)
  return parse(json)
}

/** Throws what {@link decodeJson} would throw for a text that {@link encodeJson} wrote, nearly always without reading it. */
export function checkJson(
  json: string,
  { maxDepth = defaultMaxDepth, maxBytes = defaultMaxBytes }: PortableLimits,
): void {
  refuseLonger(json, maxBytes)
  refuseDeeper(json, maxDepth)
  if (isSuspect(json)) parse(json)
}

/**
 * Writes a value as JSON text for the wire.
 *
 * Throws `LUC_NOT_PORTABLE`, with the path of the field, for a bigint and for a cycle, and for what has no JSON text at
 * all (undefined, a function or a symbol alone): nothing is sent in their place. `at` says whose error it is.
 */
export function encodeJson(value: unknown, at: Carried = 'message'): string {
  let text: string | undefined
  try {
    text = JSON.stringify(value)
  } catch (cause) {
    throw refusal(value, at, cause)
  }
  // The types of TypeScript forget that there may be none.
  if (text !== undefined) return text
  throw notPortable(at, [], `${value === undefined ? 'is undefined' : `is a ${typeof value}`}, which JSON has not`)
}

function refuseLonger(text: string | Uint8Array, maxBytes: number): void {
  if (!isLonger(text, maxBytes)) return
  throw new LuciliusError('LUC_TOO_LARGE', `The JSON has more than ${maxBytes} bytes. Send less, or send it in parts.`)
}

function refuseDeeper(json: string, maxDepth: number): void {
  if (!isDeeper(json, maxDepth)) return
  const what = `The JSON has more than ${maxDepth} objects and arrays inside each other.`
  throw new LuciliusError('LUC_MESSAGE_INVALID', `${what} Make it flatter.`)
}

function isLonger(text: string | Uint8Array, maxBytes: number): boolean {
  if (text.length > maxBytes) return true
  return typeof text === 'string' && text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes
}

function decodeUtf8(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw invalid('The bytes are not UTF-8.')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
}

/**
 * Whether a text may have a key that could reach a prototype. Nearly all have neither of the words nor an escape that
 * could spell one: seen five times as fast as by a search that knows escapes (`npm run bench -- remote`).
 */
function isSuspect(json: string): boolean {
  return json.includes('__proto__') || json.includes('constructor') || json.includes('\\')
}

function parse(json: string): unknown {
  return isSuspect(json) ? parseWarily(json) : parseTrusted(json)
}

function parseTrusted(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    throw invalid('The text is not JSON.')
  }
}

function parseWarily(json: string): unknown {
  // Gives undefined for what is no JSON and null for poison; no JSON text gives undefined, and null only `null`.
  const value: unknown = sjson.safeParse(json)
  if (value === undefined) throw invalid('The text is not JSON.')
  if (value !== null || json.trim() === 'null') return value
  const what = 'The JSON has a forbidden key (__proto__, or constructor with prototype).'
  throw new LuciliusError('LUC_MESSAGE_INVALID', `${what} Choose another name.`)
}

function invalid(message: string): LuciliusError {
  return new LuciliusError('LUC_WIRE_INVALID', message)
}

/** Goes through the value once more, after it has failed, to name the place. */
function refusal(value: unknown, at: Carried, cause: unknown): LuciliusError {
  const trail = new StringifyTrail()
  let found: LuciliusError | undefined
  try {
    JSON.stringify(value, function (this: unknown, key: string, field: unknown) {
      const isCycle = trail.enter(this, key, field)
      if (!isCycle && typeof field !== 'bigint') return field
      const what = isCycle ? 'is an object that stands inside itself' : 'is a bigint'
      found ??= notPortable(at, trail.path(), what, isCycle ? 'Send its id.' : 'Send it as a string.')
      return undefined
    })
  } catch {
    // It failed in another way than these two, as it did the first time: `cause` has it.
  }
  return found ?? notPortable(at, [], 'cannot be written as JSON', 'Send plain data.', cause)
}

function notPortable(
  at: Carried,
  keys: readonly (string | number)[],
  what: string,
  cure = 'Send null, or nothing.',
  cause?: unknown,
): LuciliusError {
  const path = fieldPath(keys)
  const handled: Handled = at === 'message' ? 'no' : 'yes'
  const name = at === 'message' ? 'Message' : 'Reply'
  const message = `${name} cannot be carried: ${path === '' ? 'it' : `'${path}'`} ${what}. ${cure}`
  return new LuciliusError('LUC_NOT_PORTABLE', message, { handled, details: { path }, cause })
}
