import type { Logger } from '../../logger.js'

/** Datagrams that were ignored, by what was wrong with them. */
export interface Rejections {
  /** More than 1,200 bytes. */
  readonly oversized: number
  /** No announcement: the first line is no signature. */
  readonly unsigned: number
  /** The signature is wrong: somebody has another secret, or none. */
  readonly forged: number
  /** Signed, but not as an announcement has to be. */
  readonly malformed: number
  /** Of another system with the same secret. */
  readonly foreign: number
  /** Its time is more than 30 s from now. */
  readonly stale: number
  /** It came before. */
  readonly replayed: number
}

/** Why a datagram is ignored. */
export type Rejection = keyof Rejections

const none: Rejections = Object.freeze({
  oversized: 0,
  unsigned: 0,
  forged: 0,
  malformed: 0,
  foreign: 0,
  stale: 0,
  replayed: 0,
})

/** What it comes of, and what to do about it. */
const noise = 'somebody else uses this group and port, so set LUCILIUS_MULTICAST to another'
const advice: { readonly [R in Rejection]: string } = {
  oversized: noise,
  unsigned: noise,
  forged: 'somebody has another secret, so give all processes of a system the same, and each system a port of its own',
  malformed: 'somebody with the same secret runs another version',
  foreign: 'another system has the same secret, so give each a secret and a port of its own',
  stale: 'a clock is wrong by more than 30 s',
  replayed: 'announcements come twice',
}

/** Counts the datagrams that were ignored, and warns of them now and then. */
export class RejectionCount {
  #all = none
  /** Those that a warning has told of. */
  #told = none
  #toldAt = Number.NEGATIVE_INFINITY

  add(reason: Rejection): void {
    this.#all = { ...this.#all, [reason]: this.#all[reason] + 1 }
  }

  all(): Rejections {
    return this.#all
  }

  /** Warns of those that came since the last warning, at most once in so many milliseconds. */
  warn(log: Logger, everyMs: number): void {
    const now = performance.now()
    if (this.#all === this.#told || now - this.#toldAt < everyMs) return
    const fresh = (Object.keys(none) as Rejection[]).map((reason) => [reason, this.#all[reason] - this.#told[reason]])
    this.#told = this.#all
    this.#toldAt = now
    const ignored = Object.fromEntries(fresh.filter(([, count]) => count !== 0))
    const reasons = [...new Set(Object.keys(ignored).map((reason) => advice[reason as Rejection]))]
    log.warn({ ignored }, `datagrams were ignored: ${reasons.join('; ')}`)
  }
}
