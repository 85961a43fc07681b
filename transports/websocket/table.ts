import { isMessage, LuciliusError, type Message } from '../../lib/transport-kit.js'

/** An event of which nothing is told but its message, where that holds nothing but short texts, numbers and booleans. */
export interface PlainEvent {
  readonly message: Message
  /** The same as a row. */
  readonly text: string
}

/** With fewer events a table is hardly shorter than rows. */
const FEWEST = 4

/** The row of an event without a key, which nothing could tell apart in a table. */
const EMPTY = '[{}]'

/**
 * The texts of events that follow each other: those with the same keys as one table, which has the first in full and of
 * the others what differs from it. Events of one kind have much in common, their pattern to begin with: a table is a
 * fraction as long as rows, and read in a third of their time (`npm run bench -- remote --only E:lucilius#websocket`).
 */
export function eventTexts(events: readonly PlainEvent[]): string[] {
  const texts: string[] = []
  for (let at = 0; at < events.length; ) {
    const alike = alikeFrom(events, at)
    if (alike.length < FEWEST || alike[0]?.text === EMPTY) texts.push(...alike.map(({ text }) => text))
    else texts.push(tableText(alike))
    at += alike.length
  }
  return texts
}

/** The events from one on that have its keys, in its order. */
function alikeFrom(events: readonly PlainEvent[], at: number): readonly PlainEvent[] {
  // There is one at each place that is asked for.
  const keys = Object.keys((events[at] as PlainEvent).message)
  let end = at + 1
  while (end < events.length && hasKeys((events[end] as PlainEvent).message, keys)) end++
  return events.slice(at, end)
}

function hasKeys(message: Message, keys: readonly string[]): boolean {
  let at = 0
  for (const key in message) if (key !== keys[at++]) return false
  return at === keys.length
}

function tableText(events: readonly PlainEvent[]): string {
  const messages = events.map(({ message }) => message)
  const first = messages[0] as Message
  const keys = Object.keys(first)
  const differing = keys.filter((key) => messages.some((message) => message[key] !== first[key]))
  // Equal events are told by what does not differ: how many there are shows in the number of values.
  const told = differing.length > 0 ? differing : keys.slice(0, 1)
  const values: string[] = []
  for (let at = 1; at < messages.length; at++) {
    const message = messages[at] as Message
    for (const key of told) values.push(plainText(message[key]))
  }
  return `{"kind":"events","message":${JSON.stringify(first)},"keys":${JSON.stringify(told)},"values":[${values.join()}]}`
}

/** A value of a plain event as JSON: its texts have nothing to escape. */
function plainText(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : `${value}`
}

/** What each message counts, and each property of it, beside its name and text. */
const COUNT_EACH = 16

/** How much the messages of a table may be longer than the rows that they could have come as. */
export const MOST_LONGER = 4

/** The messages of a table. */
export interface Unfolded {
  readonly messages: readonly Message[]
  /** How much they count. */
  readonly count: number
}

/**
 * The messages that a table stands for. They share nothing that could be changed, so only scalars stand in a table.
 *
 * Throws `LUC_WIRE_INVALID` for what is no table, `LUC_TOO_LARGE` for one whose messages would count more than `most`: a
 * few bytes must not make many messages of a long one.
 */
export function messagesOf({ message: first, keys, values }: Message, most: number): Unfolded {
  if (!isMessage(first) || !isListOf(keys, isText) || !isListOf(values, isScalar)) throw invalid()
  const isWhole = keys.length > 0 && values.length % keys.length === 0
  if (!isWhole || !Object.values(first).every(isScalar) || !keys.every((key) => Object.hasOwn(first, key))) {
    throw invalid()
  }
  const count = (values.length / keys.length + 1) * countOf(first, keys)
  if (count > most) throw new LuciliusError('LUC_TOO_LARGE', 'The tables of a frame stand for too much.')
  const messages: Message[] = [first]
  for (let at = 0; at < values.length; at += keys.length) {
    const message: Record<string, unknown> = { ...first }
    for (let i = 0; i < keys.length; i++) message[keys[i] as string] = values[at + i]
    messages.push(message)
  }
  return { messages, count }
}

/** How much each message of a table counts. What differs from one to the other stands in the frame as it is. */
function countOf(first: Message, keys: readonly string[]): number {
  let count = COUNT_EACH
  for (const [key, value] of Object.entries(first))
    count += COUNT_EACH + key.length + (isText(value) ? value.length : 1)
  for (const key of new Set(keys)) count -= isText(first[key]) ? first[key].length : 1
  return count
}

function isListOf<T>(value: unknown, isOne: (one: unknown) => one is T): value is readonly T[] {
  return Array.isArray(value) && value.every(isOne)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return typeof value !== 'object' || value === null
}

function invalid(): LuciliusError {
  return new LuciliusError(
    'LUC_WIRE_INVALID',
    "A table has a flat 'message', 'keys' of it, and as many 'values' for each further event.",
  )
}
