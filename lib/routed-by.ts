import { LuciliusError } from './errors.js'
import { isMessage, type Message } from './message.js'
import { decodeJson } from './wire-json.js'

/**
 * Reads what an act is to be routed by instead of its message: the text of a JSON object of scalars. Throws
 * `LUC_WIRE_INVALID` for anything else, without repeating it.
 */
export function readRoutedBy(text: string): Message {
  const pairs = parsed(text)
  if (isMessage(pairs) && Object.values(pairs).every(isScalar)) return pairs
  throw new LuciliusError('LUC_WIRE_INVALID', "'by' of the envelope is no JSON object of texts, numbers and booleans.")
}

function parsed(text: string): unknown {
  try {
    return decodeJson(text)
  } catch {
    return undefined // Said by whoever asked.
  }
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object'
}
