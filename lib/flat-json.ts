/** The longest text that is looked at character by character: beyond, `JSON.stringify` is faster. */
const LONGEST_TEXT = 40

/** Keys that could reach a prototype are left to those who look for them. */
const POISON: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

/**
 * What stands before a value: the key as JSON, and the quotes of texts. Every piece that a text is put together from costs
 * as much as the next one, so the quotes are part of this one: by whether the value before it is a text, and it itself is.
 */
interface Start {
  readonly plain: string
  readonly text: string
  readonly plainAfterText: string
  readonly textAfterText: string
}

/** The keys of the last object, and what stands before their values: most objects look like the one before. */
const lastKeys: string[] = []
const lastStarts: Start[] = []

/**
 * The JSON text of an object of short plain texts, numbers and booleans, and undefined for everything else.
 *
 * Most messages and replies are such. Written by hand they take half the time of `JSON.stringify`, and nobody has to
 * look whether they are too deep or have a forbidden key: they cannot (`npm run bench -- remote`).
 */
export function flatJson(value: object): string | undefined {
  if (Object.getPrototypeOf(value) !== Object.prototype) return undefined
  let text = ''
  let at = 0
  let isAfterText = false
  for (const key in value) {
    if (key !== lastKeys[at] && !learn(value, key, at)) return undefined
    const field: unknown = (value as { readonly [key: string]: unknown })[key]
    // A key that is known has a start.
    const start = lastStarts[at] as Start
    if (typeof field === 'string') {
      if (!isPlain(field)) return undefined
      text += (isAfterText ? start.textAfterText : start.text) + field
      isAfterText = true
    } else if ((typeof field === 'number' && Number.isFinite(field)) || typeof field === 'boolean') {
      text += isAfterText ? start.plainAfterText : start.plain
      text += field
      isAfterText = false
    } else {
      return undefined
    }
    at++
  }
  if (at === 0) return '{}'
  return text + (isAfterText ? '"}' : '}')
}

function learn(value: object, key: string, at: number): boolean {
  if (at >= MOST_KEYS || POISON.has(key) || !Object.hasOwn(value, key)) return false
  const plain = `${at === 0 ? '{' : ','}${JSON.stringify(key)}:`
  lastKeys[at] = key
  lastStarts[at] = { plain, text: `${plain}"`, plainAfterText: `"${plain}`, textAfterText: `"${plain}"` }
  return true
}

/** An object with more keys is not remembered. */
const MOST_KEYS = 32

/** Whether a text stands in JSON as it is: ASCII without quotes, backslashes and control characters. */
function isPlain(text: string): boolean {
  const { length } = text
  if (length > LONGEST_TEXT) return false
  for (let at = 0; at < length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return false
  }
  return true
}
