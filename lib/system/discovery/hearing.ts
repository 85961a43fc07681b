import { readAnnouncement } from './announcement-text.js'
import { Nonces } from './nonces.js'
import type { Looking } from './provider.js'
import type { Rejection } from './rejections.js'
import { Roster } from './roster.js'

/** What is needed to tell an announcement of this system from anything else. */
export interface HearingOptions {
  readonly space: string
  readonly secret: string
  readonly looking: Looking
  /** How long an address is known after it was heard, in ms. */
  readonly keepMs: number
  /** A datagram was ignored. */
  readonly reject: (reason: Rejection) => void
}

/** How far a clock may be from another, and a datagram on its way, in ms. */
const WINDOW_MS = 30_000
/** An announcement may be dated ahead by a window, and is fresh for one more. */
const NONCE_MS = 2 * WINDOW_MS
/** Nonces that are remembered: those of 1,500 processes. Only who knows the secret can have more of them remembered. */
const MOST_NONCES = 50_000
/** Processes of a group. */
const MOST_PROCESSES = 10_000

/** Reads what comes from the network, where anybody may send anything, and keeps the addresses that are announced. */
export class Hearing {
  readonly #options: HearingOptions
  readonly #nonces = new Nonces(NONCE_MS, MOST_NONCES)
  readonly #rosters: ReadonlyMap<string, Roster>

  constructor(options: HearingOptions) {
    const { looking, keepMs } = options
    this.#options = options
    this.#rosters = new Map(looking.groups.map((group) => [group, new Roster(keepMs, MOST_PROCESSES)]))
  }

  /** Takes a datagram, and tells whether it is one that asks for an answer. */
  hear(datagram: Buffer): boolean {
    const { space, secret, looking, reject } = this.#options
    const read = readAnnouncement(secret, datagram)
    if (typeof read === 'string') return refuse(reject, read)
    if (read.space !== space) return refuse(reject, 'foreign')
    // What this process sends comes back to it, as others of its machine hear it too.
    if (read.instance === looking.self.instance) return false
    if (Math.abs(Date.now() - read.at) > WINDOW_MS) return refuse(reject, 'stale')
    const now = performance.now()
    if (!this.#nonces.isNew(read.nonce, now)) return refuse(reject, 'replayed')
    // Of other groups this process wants nothing, but they may want something of it.
    const roster = this.#rosters.get(read.group)
    if (roster !== undefined) {
      if (read.gone === true) roster.remove(read.instance)
      else roster.note(read.instance, read.url, now)
      roster.forget(now)
      looking.found(read.group, roster.urls(), read.gone === true ? [] : [read.url])
    }
    return read.ask === true
  }

  /** Tells of the groups that have lost somebody by silence. */
  forget(): void {
    const now = performance.now()
    for (const [group, roster] of this.#rosters) {
      if (roster.forget(now)) this.#options.looking.found(group, roster.urls(), [])
    }
  }
}

function refuse(reject: (reason: Rejection) => void, reason: Rejection): false {
  reject(reason)
  return false
}
