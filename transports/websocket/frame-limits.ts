import { ANNOUNCEMENT } from './frame-text.js'

/** Bytes of a frame beside its message: ids, trace, identity. */
export const ENVELOPE_BYTES = 16 * 1024

/** Bytes of an announcement of 10,000 patterns. */
export const ANNOUNCEMENT_BYTES = 16 * 1024 * 1024

/** The most bytes that a frame with this text may have, where a message has at most `maxBytes`. */
export function mostBytes(text: string, maxBytes: number): number {
  return text.startsWith(ANNOUNCEMENT) ? ANNOUNCEMENT_BYTES : maxBytes + ENVELOPE_BYTES
}
