import { type Message, type StoredEvent, scalarText, toPattern } from '../../../lib/transport-kit.js'

/**
 * Matching in the broker. A headers exchange ignores headers that a binding does not name, as patterns ignore properties:
 * so an event carries the scalars of its message as headers, and a subscription's queue is bound by the pairs of its
 * pattern. A topic exchange could not: a topic is a list in a fixed order, and a message has no fixed set of properties.
 *
 * The broker may let through more than the pattern matches (a glob is bound as "there is such a property"), never less;
 * whoever consumes applies the one rule of matching.
 */
export interface Headers {
  readonly [name: string]: unknown
}

/** The header that says that durable subscriptions get the event. */
const DURABLE = 'lucilius-durable'
/** The header that says that the event is retained. */
const RETAIN = 'lucilius-retain'
/** The header of an event with too many or too long properties: it goes to all subscriptions. */
const UNSORTED = 'lucilius-unsorted'
/** Before the name of a property, so that no property is taken for a header of ours, or begins with `x-`. */
const PROPERTY = 'message.'

/** The name of a header has at most 255 bytes (AMQP 0-9-1 §4.2.5.5). */
const KEY_BYTES = 200
/** Longer values are matched as globs are. */
const VALUE_BYTES = 256
/** All headers together have to fit into one frame, of 4 KiB where a server is set to the least. */
const MOST_BYTES = 3_000

/** The headers of an event. */
export function headersOf({ message, durable, retain }: StoredEvent): Headers {
  const kind = { ...(durable && { [DURABLE]: '1' }), ...(retain && { [RETAIN]: '1' }) }
  if (!durable) return kind // Only the stream of retained events gets it.
  const properties = propertiesOf(message)
  return { ...kind, ...(properties ?? { [UNSORTED]: '1' }) }
}

/** How the queue of a subscription is bound: an event that one of these lets through comes into the queue, once. */
export function bindingsOf(pattern: string): readonly Headers[] {
  const { keys, values } = toPattern(pattern)
  const asked: Record<string, unknown> = {}
  for (const [at, key] of keys.entries()) {
    if (Buffer.byteLength(key) > KEY_BYTES) continue
    const text = values[at] as string // as many as keys
    const isExact = !/[*?]/.test(text) && isShort(text)
    asked[PROPERTY + key] = isExact ? text : null // null: there is such a header
  }
  const durable = { 'x-match': 'all', [DURABLE]: '1' }
  return [
    { ...durable, ...asked },
    { ...durable, [UNSORTED]: '1' },
  ]
}

/** How the stream of retained events is bound. */
export const retainedBinding: Headers = { 'x-match': 'all', [RETAIN]: '1' }

function propertiesOf(message: Message): Headers | undefined {
  const properties: Record<string, string> = {}
  let left = MOST_BYTES
  for (const [key, value] of Object.entries(message)) {
    const text = scalarText(value)
    const keyBytes = Buffer.byteLength(key)
    if (text === undefined || keyBytes > KEY_BYTES) continue
    const given = isShort(text) ? text : ''
    left -= keyBytes + PROPERTY.length + Buffer.byteLength(given) + 6 // length and type of each
    if (left < 0) return undefined
    properties[PROPERTY + key] = given
  }
  return properties
}

function isShort(text: string): boolean {
  return text.length <= VALUE_BYTES && Buffer.byteLength(text) <= VALUE_BYTES
}
