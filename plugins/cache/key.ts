import type { Message } from '../../lib/index.js'

/** The text under which a reply is remembered. Absent and `null` differ, and so do `1` and `'1'`. */
export function keyOf(action: number, keys: readonly string[], message: Message, identity: unknown): string {
  const chosen = keys.map((key) => (Object.hasOwn(message, key) ? [message[key]] : []))
  return JSON.stringify([action, identity === undefined ? [] : [identity], chosen])
}
