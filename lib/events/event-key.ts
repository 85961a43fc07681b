import { LuciliusError } from '../errors.js'
import type { Message } from '../message.js'
import { quoted, scalarText } from '../scalars.js'

/**
 * What an event is about, as text: the value of the property that makes the key, or a JSON list of several. `''` if none
 * does. Throws `LUC_MESSAGE_INVALID` if one is missing or no scalar.
 */
export function eventKey(message: Message, names: readonly string[], declared: string): string {
  const texts = names.map((name) => {
    const text = textOf(message, name)
    if (text !== undefined) return text
    throw new LuciliusError(
      'LUC_MESSAGE_INVALID',
      `An event of ${quoted(declared)} is kept by its ${quoted(name)}: give a text, a finite number or a boolean.`,
      { details: { path: name } },
    )
  })
  return texts.length > 1 ? JSON.stringify(texts) : (texts[0] ?? '')
}

/** What the events have in common that a subscription wants one after the other; what lacks a property has that in common. */
export function orderKey(message: Message, names: readonly string[]): string {
  return JSON.stringify(names.map((name) => textOf(message, name) ?? null))
}

function textOf(message: Message, name: string): string | undefined {
  return Object.hasOwn(message, name) ? scalarText(message[name]) : undefined
}
