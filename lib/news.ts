import { createHash } from 'node:crypto'

/** Characters of a text that is kept as it is: of a longer one its hash is shorter by far. */
const KEPT_CHARS = 4096

/** Tells what is said again from what is new. */
export class News {
  #last: string | undefined

  /** Whether a text is another one than the last that was asked about. */
  isNew(text: string): boolean {
    const kept = text.length > KEPT_CHARS ? createHash('sha256').update(text).digest('base64') : text
    if (kept === this.#last) return false
    this.#last = kept
    return true
  }
}
