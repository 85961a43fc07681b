import { createHmac } from 'node:crypto'
import { isSameText } from '../../proof-text.js'
import { decodeJson } from '../../wire-json.js'
import { addressProblem, directSchemes } from '../checks/address.js'
import type { Self } from './provider.js'
import type { Rejection } from './rejections.js'

/** Bytes of the longest announcement: with the headers of IPv6 and UDP it still fits into the smallest usual frame. */
export const MOST_BYTES = 1200

/** What a datagram says of the process that sent it. */
export interface Announcement extends Self {
  /** The system that the process belongs to. */
  readonly space: string
  /** When it was sent: ms of the wall clock. */
  readonly at: number
  /** No other announcement has it. */
  readonly nonce: string
  /** Whether those who hear it should tell where they are. */
  readonly ask?: boolean
  /** Whether the process is about to end. */
  readonly gone?: boolean
}

/** What the first line begins with: name and version of the format. */
const MARK = Buffer.from('lucilius1 ')
/** Characters of a signature in base64url. */
const SIGNATURE = 43
const LINE_END = 0x0a
const NONCE = /^[\w-]{16,64}$/
/** An announcement is flat. */
const LIMITS = { maxDepth: 2, maxBytes: MOST_BYTES }

/** Writes an announcement as docs/wire.md has it, signed. */
export function announcementText(secret: string, announcement: Announcement): Buffer {
  const body = Buffer.from(JSON.stringify(announcement))
  return Buffer.concat([MARK, Buffer.from(`${signatureOf(secret, body)}\n`), body])
}

/** Reads an announcement, or says why a datagram is none. Nothing is parsed that is not signed. */
export function readAnnouncement(secret: string, datagram: Buffer): Announcement | Rejection {
  if (datagram.length > MOST_BYTES) return 'oversized'
  const end = MARK.length + SIGNATURE
  if (datagram[end] !== LINE_END || !datagram.subarray(0, MARK.length).equals(MARK)) return 'unsigned'
  const body = datagram.subarray(end + 1)
  if (!isSameText(datagram.toString('latin1', MARK.length, end), signatureOf(secret, body))) return 'forged'
  return announcementIn(body) ?? 'malformed'
}

/** HMAC-SHA256. The words before the body keep it from being a signature of anything else that the secret signs. */
function signatureOf(secret: string, body: Buffer): string {
  return createHmac('sha256', secret).update('lucilius.v1 announcement\n').update(body).digest('base64url')
}

function announcementIn(body: Buffer): Announcement | undefined {
  const value = jsonIn(body)
  if (typeof value !== 'object' || value === null) return undefined
  const { space, group, instance, url, at, nonce, ask, gone } = value as { readonly [name: string]: unknown }
  if (!isName(space) || !isName(group) || !isName(instance) || !isAddress(url) || !Number.isSafeInteger(at)) {
    return undefined
  }
  if (typeof nonce !== 'string' || !NONCE.test(nonce)) return undefined
  return { space, group, instance, url, at: at as number, nonce, ask: ask === true, gone: gone === true }
}

function jsonIn(body: Buffer): unknown {
  try {
    return decodeJson(body, LIMITS)
  } catch {
    return undefined // it is counted, and not worth a word more
  }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 200
}

function isAddress(value: unknown): value is string {
  return addressProblem(value, directSchemes) === undefined
}
