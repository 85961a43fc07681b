import {
  type ActEnvelope,
  type ActId,
  type EventEnvelope,
  encodeJson,
  flatJson,
  isMessage,
  LuciliusError,
  type Message,
  toEnvelope,
  type WireMeta,
} from '../../lib/transport-kit.js'
import { metaText, quoted, quotedId } from './frame-text.js'
import type { PlainEvent } from './table.js'

/**
 * A message of a frame as a list: what most of them have in common goes unsaid. It is read in two thirds of the time of
 * an object, and half as long (`npm run bench -- remote`). Only a peer that has said that it takes rows is sent one.
 *
 * - `[id, message, to, meta]` is an act; instead of the meta may stand its `timeoutMs`, if there is nothing else in it;
 * - `[id, reply]` answers an act that came as a row;
 * - `[message]`, `[message, services]` and `[message, services, meta]` are events.
 */
export type Row = readonly unknown[]

/** Whether a row is an event: the others start with an id. */
export function isEventRow(row: Row): boolean {
  return typeof row[0] === 'object'
}

/** Whether a row is the answer to an act. */
export function isReplyRow(row: Row): boolean {
  return row.length === 2
}

/** What a row would say of itself as an object. */
export function rowHead(row: Row): { readonly kind?: string; readonly id?: unknown } {
  if (isEventRow(row)) return { kind: 'event' }
  return { kind: isReplyRow(row) ? 'reply' : 'act', id: row[0] }
}

/** The act that a row stands for. Throws as `toEnvelope` does. */
export function actOf(row: Row): ActEnvelope {
  const [, message, to, meta] = row
  if (row.length !== 4) throw new LuciliusError('LUC_WIRE_INVALID', 'There is no row of this length.')
  if (typeof meta !== 'number') return toEnvelope({ kind: 'act', message, to, meta }) as ActEnvelope
  if (isMessage(message) && typeof to === 'string' && meta >= 0) {
    return { kind: 'act', message, meta: { timeoutMs: meta }, to }
  }
  return toEnvelope({ kind: 'act', message, to, meta: { timeoutMs: meta } }) as ActEnvelope
}

/** The event that a row stands for. Throws as `toEnvelope` does. */
export function eventOf(row: Row): EventEnvelope {
  const [message, services = NONE, meta = NO_META] = row
  if (services === NONE && meta === NO_META && isMessage(message)) return plainEvent(message)
  return toEnvelope({ kind: 'event', message, services, meta }) as EventEnvelope
}

/** An event of which nothing is told but its message. */
export function plainEvent(message: Message): EventEnvelope {
  return { kind: 'event', message, meta: NO_META, services: NONE }
}

const NONE: readonly string[] = Object.freeze([])
const NO_META: WireMeta = Object.freeze({})

/** An act as a row, around the text of its message, without its start; undefined if it is none that a row can be. */
export function actRowBody(message: string, { meta, to, below, by }: ActEnvelope): string | undefined {
  if (to === undefined || below !== undefined || by !== undefined) return undefined
  return `,${message}${toText(to)}${rowMetaText(meta)}]`
}

/** The answer to an act that came as a row, around the text of the reply. */
export function replyRow(id: ActId, reply: string): string {
  return `[${quotedId(id)},${reply}]`
}

function rowMetaText(meta: WireMeta): string {
  const { timeoutMs, id, traceparent, hops, identity, retried } = meta
  const isPlain = id === undefined && traceparent === undefined && identity === undefined && retried !== true
  if (isPlain && timeoutMs !== undefined && (hops === undefined || hops === 1)) return `${timeoutMs}`
  return `{${metaText(meta)}}`
}

let lastEvent: EventEnvelope | undefined
let lastMeta: WireMeta | undefined
let lastFlat: string | undefined
let lastMessage = ''
let lastRow: string | PlainEvent = ''

/** An event as a row; one that may stand in a table with its message. What goes to several peers is written once. */
export function eventRow(event: EventEnvelope): string | PlainEvent {
  if (event === lastEvent) return lastRow
  const { message, meta, services } = event
  if (meta !== lastMeta) {
    lastFlat = flatJson(message)
    lastMessage = lastFlat ?? encodeJson(message)
  }
  const told = metaText(meta)
  const list = services.length === 0 && told === '' ? '' : `,${JSON.stringify(services)}`
  const text = `[${lastMessage}${list}${told === '' ? '' : `,{${told}}`}]`
  lastEvent = event
  lastMeta = meta
  lastRow = list === '' && lastFlat !== undefined ? { message, text } : text
  return lastRow
}

let lastTo: string | undefined
let lastToText = ''

/** A pattern with the commas around it. They are the same text again and again: the last one is remembered. */
function toText(to: string): string {
  if (to !== lastTo) {
    lastTo = to
    lastToText = `,${quoted(to)},`
  }
  return lastToText
}
