import { Incoming } from '../acts/incoming.js'
import { type Outgoing, unreachable } from '../acts/outgoing.js'
import { promised, receiveDirect } from '../direct.js'
import { LuciliusError } from '../errors.js'
import { Hearing } from '../hearing.js'
import { News } from '../news.js'
import type {
  ActEnvelope,
  Announcement,
  Call,
  Connection,
  DirectCall,
  Envelope,
  Observer,
  Outcome,
} from '../transport.js'
import { toWireError } from '../wire-error.js'
import { encodeJson } from '../wire-json.js'
import { outgoingOver, trySend } from './acts.js'
import type { LinePlace } from './line-place.js'
import type { LineEnd } from './lines.js'
import type { Parcel, Post } from './parcel.js'
import { Pulse } from './pulse.js'

/** Milliseconds that a goodbye may take. */
const GOODBYE_MS = 2000

/** A line that is up: acts, replies and events in both directions. */
export class Line implements Connection, LineEnd {
  readonly id: string
  readonly to: string
  readonly #post: Post
  readonly #place: LinePlace
  readonly #observer: Observer
  readonly #outgoing: Outgoing<ActEnvelope>
  readonly #incoming: Incoming
  readonly #pulse: Pulse
  readonly #news = new News()
  readonly #hearing: Hearing
  #stopTelling: (() => void) | undefined
  #state: 'open' | 'closing' | 'closed' = 'open'
  /** An act found nobody: whoever was there has gone. */
  #deserted = false
  readonly #closed: Promise<void>
  #onClosed!: () => void // Set by the promise at once.

  /** `attach` gives the app's half of the connection, to which this is the other. */
  constructor(place: LinePlace, attach: (connection: Connection) => Observer) {
    const { id, to, post, limits } = place
    this.id = id
    this.to = to
    this.#post = post
    this.#place = place
    this.#closed = new Promise((resolve) => {
      this.#onClosed = resolve
    })
    this.#observer = attach(this)
    this.#outgoing = outgoingOver(place)
    this.#incoming = new Incoming(this.#observer, limits.maxInFlight, (act, outcome) => {
      trySend(post, to, { kind: 'reply', line: id, id: act, outcome })
    })
    this.#hearing = new Hearing((announcement) => this.#hear(announcement))
    this.#pulse = new Pulse((ping) => trySend(post, to, { kind: 'ping', line: id, id: ping }), limits.pingMs)
  }

  /** The listening end: hears who connects, and tells what we are. Refuses whom the app will not have. */
  open(announcement: unknown): void {
    let told: Announcement
    try {
      const refused = this.#refusedBy(announcement)
      if (refused instanceof LuciliusError) throw refused
      // What is no refusal of ours the other end sees by itself: that it is this very app.
      told = this.#opened()
      if (refused !== undefined) throw refused
    } catch (error) {
      this.#part(error)
      return
    }
    this.follow(told)
  }

  /** Tells what we are, whenever that is something else than what was told before. */
  follow(told: Announcement): void {
    this.#news.isNew(encodeJson(told))
    this.#stopTelling = this.#observer.onTell(() => this.#tell(this.#observer.tell()))
    this.#tell(this.#observer.tell())
  }

  #tell(announcement: Announcement): void {
    try {
      if (!this.#news.isNew(encodeJson(announcement))) return
      this.#post.send(this.to, { kind: 'tell', line: this.id, announcement })
    } catch (error) {
      // It is larger than the broker takes: what the other end knows would be wrong from now on.
      this.#part(error)
    }
  }

  carry(envelope: Envelope, call: Call): Promise<Outcome> {
    return promised(call, (direct) => this.carryDirect(envelope, direct))
  }

  carryDirect(envelope: Envelope, call: DirectCall): void {
    try {
      if (this.#state !== 'open' || this.#deserted) throw unreachable()
      if (envelope.kind === 'act') {
        this.#outgoing.act(envelope, call)
        return
      }
      this.#post.send(this.to, { kind: 'event', line: this.id, envelope })
    } catch (error) {
      // What speaks against it names the reason.
      call.fail(error)
      return
    }
    call.settle(HANDED_OVER)
  }

  ping(): Promise<void> {
    if (this.#state === 'closed') return Promise.reject(unreachable())
    return this.#pulse.ask()
  }

  /**
   * Says goodbye and closes. The other end is first told to send nothing more; once it has heard that, all it had sent
   * before is here, and is answered.
   */
  async close(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'closing'
      const timer = setTimeout(() => this.#part(), GOODBYE_MS)
      void this.#sayGoodbye().then(() => this.#part())
      await this.#closed
      clearTimeout(timer)
    }
    await this.#closed
    await this.#place.closed?.()
  }

  take(parcel: Parcel): void {
    this.#pulse.heard()
    switch (parcel.kind) {
      case 'reply':
        this.#outgoing.settle(parcel.id, parcel.outcome)
        return
      case 'act':
        if (this.#incoming.has(parcel.id)) this.#part(idInUse())
        else this.#incoming.take(parcel.id, parcel.envelope, undefined)
        return
      case 'cancel':
        this.#incoming.cancel(parcel.id)
        return
      case 'event':
        receiveDirect(this.#observer, parcel.envelope, UNWATCHED)
        return
      case 'ping':
        trySend(this.#post, this.to, { kind: 'pong', line: this.id, id: parcel.id })
        return
      case 'pong':
        // Somebody is there again; the act that found nobody is lost to the line all the same.
        if (this.#deserted) this.#part()
        else this.#pulse.pong(parcel.id)
        return
      case 'tell':
        this.#hearing.hear(parcel.announcement)
        return
      case 'close':
        this.#end()
    }
  }

  undelivered(id?: number): void {
    if (id === undefined) {
      this.#end()
      return
    }
    const isFirst = !this.#deserted
    this.#deserted = true
    this.#outgoing.refuseHeld(unreachable())
    this.#outgoing.fail(id, unreachable())
    // What else was sent comes back as well, and before this ping does: each of these acts is known to be unhandled.
    if (isFirst) void this.#pulse.ask().catch(() => {})
  }

  lost(): void {
    this.#end()
  }

  beat(): void {
    if (!this.#pulse.beat(this.#outgoing.waiting > 0)) this.#part()
  }

  /** What the app has against whoever connects. */
  #refusedBy(announcement: unknown): unknown {
    try {
      this.#observer.hear(announcement)
      return undefined
    } catch (error) {
      return error
    }
  }

  #opened(): Announcement {
    const announcement = this.#observer.tell()
    this.#post.send(this.to, { kind: 'opened', line: this.id, announcement })
    return announcement
  }

  #hear(announcement: unknown): void {
    try {
      this.#observer.hear(announcement)
    } catch (error) {
      // What it tells now is refused, such as too many patterns: as at the start, they part.
      this.#part(error)
      return
    }
    if ((announcement as Partial<Announcement> | null)?.draining !== true) return
    this.#outgoing.refuseHeld(new LuciliusError('LUC_SERVICE_CLOSED', 'The peer is closing and takes no new work.'))
  }

  async #sayGoodbye(): Promise<void> {
    this.#stopTelling?.()
    this.#tell({ ...this.#observer.tell(), draining: true })
    await this.#pulse.crossed()
    await this.#incoming.idle()
  }

  /** Ends the line and lets the other end know. */
  #part(error?: unknown): void {
    if (this.#state === 'closed') return
    trySend(this.#post, this.to, refusal(this.id, error))
    this.#end()
  }

  #end(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#stopTelling?.()
    this.#pulse.stop()
    this.#hearing.stop()
    this.#place.lines.remove(this)
    this.#outgoing.lost()
    this.#incoming.lost()
    this.#observer.lost()
    this.#onClosed()
  }
}

/** The parcel that ends a line, with the reason if it is one that may be told. */
export function refusal(line: string, error: unknown): Parcel {
  return error instanceof LuciliusError ? { kind: 'close', line, error: toWireError(error) } : { kind: 'close', line }
}

function idInUse(): LuciliusError {
  return new LuciliusError('LUC_WIRE_INVALID', 'The id of an act is in use.')
}

const HANDED_OVER: Outcome = Object.freeze({})

/** Nobody waits for what becomes of an event. */
const UNWATCHED: DirectCall = { onCancel: undefined, settle: () => {}, fail: () => {} }
