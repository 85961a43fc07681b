import type { PeerInfo } from '../handler.js'
import type { Announcement, Call, Connection, Envelope, Observer, Outcome } from '../transport.js'
import { type Heard, readAnnouncement } from './announcement.js'
import type { Exposure } from './exposure.js'

/** What a peer needs of the app it talks to. */
export interface Host {
  tell(peer: Peer): Announcement
  onTell(changed: () => void): () => void
  /** The peer is known, or told something new. */
  heard(peer: Peer): void
  answer(peer: Peer, envelope: Envelope, call: Call): Promise<Outcome>
  lost(peer: Peer): void
  /** Whether it may be talked to at all: throws what speaks against it. */
  check(heard: Heard): void
}

/** Another app at the other end of one connection: what it is, what it answers, how busy it is. */
export class Peer implements Observer {
  readonly exposure: Exposure
  /** The connection, while there is one. */
  connection: Connection | undefined
  /** What it told last. */
  known: Heard | undefined = undefined
  /** Envelopes that have not been answered yet. */
  pending = 0
  /** Called when the connection is gone. */
  onLost: (() => void) | undefined = undefined
  /** A call to it expired, and nothing has been heard since. */
  suspect = false
  readonly #host: Host

  constructor(host: Host, exposure: Exposure, connection: Connection | undefined) {
    this.#host = host
    this.exposure = exposure
    this.connection = connection
  }

  /** Who it is; a stranger until it has told. */
  get info(): PeerInfo {
    return this.known === undefined ? stranger : { name: this.known.name, instance: this.known.instance }
  }

  /** Whether new work may be sent to it. */
  get available(): boolean {
    return this.connection !== undefined && this.known !== undefined && !this.known.draining
  }

  tell(): Announcement {
    return this.#host.tell(this)
  }

  onTell(changed: () => void): () => void {
    return this.#host.onTell(changed)
  }

  hear(announcement: unknown): void {
    const heard = readAnnouncement(announcement)
    this.#host.check(heard)
    this.known = heard
    this.suspect = false
    this.#host.heard(this)
  }

  receive(envelope: Envelope, call: Call): Promise<Outcome> {
    return this.#host.answer(this, envelope, call)
  }

  /** It is connected (again); what it told may have come before. */
  up(connection: Connection): void {
    this.connection = connection
    if (this.known !== undefined) this.#host.heard(this)
  }

  lost(): void {
    if (this.connection === undefined) return
    this.connection = undefined
    this.#host.lost(this)
    this.onLost?.()
  }
}

const stranger: PeerInfo = Object.freeze({ name: 'unknown', instance: 'unknown' })
