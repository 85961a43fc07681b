import { BoundedMemo } from './bounded-memo.js'
import { parseJsonicText, refusal } from './jsonic-text.js'
import type { Message } from './message.js'

const longest = 65_536 // characters
const longestRemembered = 4096 // so that the store stays below some MiB whatever is parsed
const remembered = new BoundedMemo<Message>(500)
const empty: Message = Object.freeze({})

/**
 * The message that a text says: `role:shop,cmd:order,items:[{sku:a1,qty:2}]`. Deep-frozen and remembered.
 *
 * Bare text is a number or boolean only if JSON prints it that way, `null` is null, and what is quoted is a string.
 * The empty text is the empty message. At most 65,536 characters and 64 levels. Throws `LUC_PATTERN_INVALID`.
 */
export function parseMessage(text: string): Message {
  if (text === '') return empty
  const known = remembered.get(text)
  if (known !== undefined) return known
  if (typeof text !== 'string') throw refusal('Message', String(text), 'it is no string. Pass the text of a message.')
  if (text.length > longest) {
    throw refusal('Message', text, `it has ${text.length} characters, and at most ${longest} are read. Pass an object.`)
  }
  const message = deepFreeze(parseJsonicText(text, 'Message')) as Message
  if (text.length <= longestRemembered) remembered.set(text, message)
  return message
}

/** Recursive: the parser has bounded the depth. */
function deepFreeze(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
