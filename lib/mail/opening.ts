import { unreachable } from '../acts/outgoing.js'
import { toOutcome } from '../codec.js'
import { LuciliusError } from '../errors.js'
import type { Announcement, Connection, Observer } from '../transport.js'
import { fromWireError } from '../wire-error.js'
import { trySend } from './acts.js'
import { Line, refusal } from './line.js'
import type { LinePlace } from './line-place.js'
import type { LineEnd } from './lines.js'
import type { Parcel } from './parcel.js'

/** Parcels that may come before the line is up. */
const MOST_EARLY = 1024

/** Opens a line. Rejects with what the other end, or the app, has against it, and with `LUC_UNREACHABLE`. */
export function openLine(place: LinePlace, observer: Observer): Promise<Connection> {
  return new Promise((resolve, reject) => new Opening(place, observer, resolve, reject).start())
}

/** The connecting end of a line until it is up. */
class Opening implements LineEnd {
  readonly id: string
  readonly to: string
  readonly #place: LinePlace
  readonly #observer: Observer
  readonly #resolve: (connection: Connection) => void
  readonly #reject: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  /** What we told when we asked for it. */
  #told!: Announcement // Set by `start`, before anything can come.
  /** What the other end sent as soon as it knew us: before it says that the line is up. */
  readonly #early: Parcel[] = []

  constructor(
    place: LinePlace,
    observer: Observer,
    resolve: (connection: Connection) => void,
    reject: (error: unknown) => void,
  ) {
    this.id = place.id
    this.to = place.to
    this.#place = place
    this.#observer = observer
    this.#resolve = resolve
    this.#reject = reject
  }

  start(): void {
    const { post, lines, limits } = this.#place
    const { authorization } = this.#observer
    const announcement = this.#observer.tell()
    this.#told = announcement
    const wish: Parcel = { kind: 'open', line: this.id, announcement }
    this.#timer = setTimeout(() => {
      this.#giveUp(`${this.to} gave no answer within ${limits.handshakeTimeoutMs} ms.`)
    }, limits.handshakeTimeoutMs)
    this.#observer.onGiveUp = () => void this.close()
    lines.set(this)
    try {
      post.send(this.to, authorization === undefined ? wish : { ...wish, authorization })
    } catch (error) {
      this.#fail(error)
    }
  }

  take(parcel: Parcel): void {
    if (parcel.kind === 'opened') this.#open(parcel.announcement)
    else if (parcel.kind === 'close') this.#fail(refusedWith(parcel.error))
    else if (this.#early.length < MOST_EARLY) this.#early.push(parcel)
    else this.#giveUp('The peer sends more than it should before the line is up.')
  }

  undelivered(): void {
    this.#fail(unreachable(`Nobody has the mailbox ${this.to}.`))
  }

  lost(): void {
    this.#fail(unreachable('The broker was lost.'))
  }

  beat(): void {}

  async close(): Promise<void> {
    this.#giveUp('The attempt to connect was given up.')
  }

  #open(announcement: unknown): void {
    this.#stop()
    const { lines, post } = this.#place
    try {
      this.#observer.hear(announcement)
    } catch (error) {
      trySend(post, this.to, refusal(this.id, error))
      this.#fail(error)
      return
    }
    const line = new Line(this.#place, () => this.#observer)
    lines.set(line)
    line.follow(this.#told)
    this.#resolve(line)
    for (const parcel of this.#early) line.take(parcel)
  }

  /** The other end may still open it, and has to be told that nobody wants it any more. */
  #giveUp(what: string): void {
    trySend(this.#place.post, this.to, { kind: 'close', line: this.id })
    this.#fail(unreachable(what))
  }

  #fail(error: unknown): void {
    this.#stop()
    this.#place.lines.remove(this)
    this.#reject(error)
  }

  #stop(): void {
    clearTimeout(this.#timer)
    this.#observer.onGiveUp = undefined
  }
}

/** The error that a line was refused with. */
function refusedWith(told: unknown): unknown {
  if (told === undefined) return unreachable('The peer closed the line before it was up.')
  try {
    const { error } = toOutcome({ error: told })
    if (error !== undefined) return fromWireError(error)
  } catch {
    // Said below.
  }
  return new LuciliusError('LUC_WIRE_INVALID', 'The peer refused the line, and why cannot be read.')
}
