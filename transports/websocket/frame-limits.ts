import { ANNOUNCEMENT } from './frame-text.js'

/** Bytes of a frame beside its message: ids, trace, identity. */
export const ENVELOPE_BYTES = 16 * 1024

/** Bytes of an announcement of 10,000 patterns. */
export const ANNOUNCEMENT_BYTES = 16 * 1024 * 1024

/** Whether a text may be that of an announcement, for which there is another limit. */
export function mayAnnounce(text: string): boolean {
  return text.startsWith(ANNOUNCEMENT)
}
