import {
  type ActEnvelope,
  type Announcement,
  type EventEnvelope,
  encodeJson,
  type WireMeta,
} from '../../lib/transport-kit.js'

/** What an act is called on its connection until it is answered: its sender's choice. */
export type FrameId = number | string

/** The longest text that is taken as an id. */
const LONGEST_ID = 64

/** Whether a value from outside can be an id: a whole number of at least 0, or a short text. */
export function isFrameId(id: unknown): id is FrameId {
  if (typeof id === 'number') return Number.isSafeInteger(id) && id >= 0
  return typeof id === 'string' && id !== '' && id.length <= LONGEST_ID
}

/**
 * The part of an act that does not depend on its id, around the text of its message: to be closed by {@link actText}.
 *
 * Texts are put together by hand: half the time of `JSON.stringify` on the whole envelope.
 */
export function actBody(message: string, { meta, to, below, by }: ActEnvelope): string {
  let text = `,"message":${message}${metaText(meta)}`
  if (to !== undefined) text += toText(to)
  if (below !== undefined) text += `,"below":${quoted(below)}`
  if (by !== undefined) text += `,"by":${quoted(by)}`
  return text
}

/** An act, ready to be sent. */
export function actText(id: number, body: string): string {
  return `{"kind":"act","id":${id}${body}}`
}

let lastMeta: WireMeta | undefined
let lastHead = ''
let lastToAll = ''

/** An event, ready to be sent. What goes to several peers one after the other is written once, but for the services. */
export function eventText({ message, meta, services }: EventEnvelope): string {
  if (meta !== lastMeta) {
    lastHead = `{"kind":"event","message":${encodeJson(message)}${metaText(meta)},"services":`
    lastToAll = `${lastHead}[]}`
    lastMeta = meta
  }
  return services.length === 0 ? lastToAll : `${lastHead}${JSON.stringify(services)}}`
}

/** The answer to an act, ready to be sent, around the text of its outcome. */
export function replyText(id: FrameId | undefined, outcome: string): string {
  const head = id === undefined ? '{"kind":"reply"' : `{"kind":"reply","id":${quotedId(id)}`
  return outcome === '{}' ? `${head}}` : `${head},${outcome.slice(1)}`
}

/** Asks the other end to give up an act. */
export function cancelText(id: number): string {
  return `{"kind":"cancel","id":${id}}`
}

/** What one end may be sent: told with each announcement, so that the other end keeps to it. */
export interface Room {
  readonly maxBytes: number
  readonly maxInFlight: number
}

/** What this app is, ready to be sent. It starts in the same way whatever it says. */
export function announcementText(announcement: Announcement, { maxBytes, maxInFlight }: Room): string {
  return `${ANNOUNCEMENT}${encodeJson({ ...announcement, limits: { maxBytes, maxInFlight } }).slice(1)}`
}

/** How the text of every announcement starts: it may be longer than other frames. */
export const ANNOUNCEMENT = '{"kind":"announcement",'

function metaText({ id, traceparent, timeoutMs, hops, identity, retried }: WireMeta): string {
  let text = ''
  if (timeoutMs !== undefined) text = `,"timeoutMs":${timeoutMs}`
  if (id !== undefined) text += `,"id":${quoted(id)}`
  if (traceparent !== undefined) text += `,"traceparent":${quoted(traceparent)}`
  // One hop is what the receiver assumes.
  if (hops !== undefined && hops !== 1) text += `,"hops":${hops}`
  if (identity !== undefined) text += `,"identity":${encodeJson(identity)}`
  if (retried === true) text += ',"retried":true'
  return text === '' ? '' : `,"meta":{${text.slice(1)}}`
}

function quotedId(id: FrameId): string {
  return typeof id === 'number' ? `${id}` : JSON.stringify(id)
}

let lastTo: string | undefined
let lastToText = ''

/** Patterns are the same text again and again: the last one is remembered. */
function toText(to: string): string {
  if (to !== lastTo) {
    lastTo = to
    lastToText = `,"to":${quoted(to)}`
  }
  return lastToText
}

const plain = /^[\w :,.*?-]*$/

/** A text as JSON. Nearly all are plain, which is faster seen than escaped. */
function quoted(text: string): string {
  return plain.test(text) ? `"${text}"` : JSON.stringify(text)
}
