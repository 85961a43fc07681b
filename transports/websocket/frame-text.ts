import {
  type ActEnvelope,
  type ActId,
  type Announcement,
  type EventEnvelope,
  encodeJson,
  type LuciliusError,
  type WireMeta,
} from '../../lib/transport-kit.js'
import { idText } from './id-text.js'

/** The longest text that is taken as an id. */
const LONGEST_ID = 64

/** Whether a value from outside can be an id: a whole number of at least 0, or a short text. */
export function isFrameId(id: unknown): id is ActId {
  if (typeof id === 'number') return Number.isSafeInteger(id) && id >= 0
  return typeof id === 'string' && id !== '' && id.length <= LONGEST_ID
}

/**
 * The part of an act behind its id, around the text of its message: it starts with {@link ACT}.
 *
 * Texts are put together by hand: half the time of `JSON.stringify` on the whole envelope.
 */
export function actBody(message: string, { meta, to, below, by }: ActEnvelope): string {
  let text = `,"message":${message}${metaProperty(meta)}`
  if (to !== undefined) text += `,"to":${quoted(to)}`
  if (below !== undefined) text += `,"below":${quoted(below)}`
  if (by !== undefined) text += `,"by":${quoted(by)}`
  return `${text}}`
}

/** How the text of an act starts: its id comes next, then its body. */
export const ACT = '{"kind":"act","id":'

let lastMeta: WireMeta | undefined
let lastHead = ''
let lastToAll = ''

/** An event, ready to be sent. What goes to several peers one after the other is written once, but for the services. */
export function eventText({ message, meta, services }: EventEnvelope): string {
  if (meta !== lastMeta) {
    lastHead = `{"kind":"event","message":${encodeJson(message)}${metaProperty(meta)},"services":`
    lastToAll = `${lastHead}[]}`
    lastMeta = meta
  }
  return services.length === 0 ? lastToAll : `${lastHead}${JSON.stringify(services)}}`
}

/** The answer to an act, ready to be sent, around the text of the reply: an empty one for `undefined`. */
export function replyText(id: ActId, reply: string): string {
  const end = reply === '' ? '' : `,"reply":${reply}`
  return `{"kind":"reply","id":${quotedId(id)}${end}}`
}

/** The same for an act that failed, around the text of the error. */
export function errorText(id: ActId, error: string): string {
  return `{"kind":"reply","id":${quotedId(id)},"error":${error}}`
}

/** Says why something could not be taken, or its reply not be carried. Without an id nobody knows what it was. */
export function refusalText(id: ActId | undefined, { code, message, handled }: LuciliusError): string {
  return JSON.stringify({ kind: 'reply', id, error: { code, message, handled } })
}

/** Asks the other end to give up an act. */
export function cancelText(id: number): string {
  return `{"kind":"cancel","id":${id}}`
}

/** What one end may be sent: told with each announcement, so that the other end keeps to it. */
export interface Room {
  readonly maxBytes: number
  readonly maxInFlight: number
  /** Whether it takes rows: see {@link Row}. */
  readonly rows: boolean
  /** Whether it takes tables of events: see {@link PlainEvent}. */
  readonly tables: boolean
}

/** What the limits of one end say of it. */
export type OwnRoom = Omit<Room, 'rows' | 'tables'>

/** What this app is, ready to be sent. It starts in the same way whatever it says. */
export function announcementText(announcement: Announcement, { maxBytes, maxInFlight }: OwnRoom): string {
  const told = { ...announcement, limits: { maxBytes, maxInFlight }, rows: true, tables: true }
  return `${ANNOUNCEMENT}${encodeJson(told).slice(1)}`
}

/** How the text of every announcement starts: it may be longer than other frames. */
export const ANNOUNCEMENT = '{"kind":"announcement",'

function metaProperty(meta: WireMeta): string {
  const text = metaText(meta)
  return text === '' ? '' : `,"meta":{${text}}`
}

/** The properties of a meta, without the braces. */
export function metaText({ id, traceparent, timeoutMs, hops, identity, retried }: WireMeta): string {
  let text = ''
  if (timeoutMs !== undefined) text = `,"timeoutMs":${timeoutMs}`
  if (id !== undefined) text += `,"id":${quoted(id)}`
  if (traceparent !== undefined) text += `,"traceparent":${quoted(traceparent)}`
  // One hop is what the receiver assumes.
  if (hops !== undefined && hops !== 1) text += `,"hops":${hops}`
  if (identity !== undefined) text += `,"identity":${encodeJson(identity)}`
  if (retried === true) text += ',"retried":true'
  return text.slice(1)
}

/** An id as JSON. */
export function quotedId(id: ActId): string {
  return typeof id === 'number' ? idText(id) : JSON.stringify(id)
}

const plain = /^[\w :,.*?-]*$/

/** A text as JSON. Nearly all are plain, which is faster seen than escaped. */
export function quoted(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text)
}
