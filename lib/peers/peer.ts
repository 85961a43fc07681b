import { promised } from '../direct.js'
import type { Origin } from '../dispatch/call.js'
import { LuciliusError } from '../errors.js'
import type { PeerInfo } from '../handler.js'
import type { Proof } from '../proof.js'
import type { Announcement, Audience, Call, Connection, DirectCall, Envelope, Observer, Outcome } from '../transport.js'
import { type Heard, readAnnouncement } from './announcement.js'
import type { Exposure } from './exposure.js'

/** What a peer needs of the app it talks to. */
export interface Host {
  tell(peer: Peer): Announcement
  onTell(changed: () => void): () => void
  /** The peer is known, or told something new. */
  heard(peer: Peer): void
  /** Answers an envelope: `call` is told the outcome, never a failure. */
  answer(peer: Peer, envelope: Envelope, call: DirectCall): void
  lost(peer: Peer): void
  /** Whether it may be talked to at all: throws what speaks against it. */
  check(heard: Heard): void
  /** Whether the services of this app are starting. */
  readonly starting: boolean
}

/** How whoever is at the other end of a connection is dealt with. */
export interface Terms {
  readonly audience: Audience
  readonly exposure: Exposure
  /** What was proved of a client. */
  readonly identity?: unknown
  /** What to prove with to the other end. */
  readonly authorization?: string | undefined
  /** Begins a proof at both ends, in place of `authorization`. */
  readonly prove?: ((authority: string) => Proof) | undefined
  /** The other end cannot tell what it is. */
  readonly silent?: boolean
}

/** Whoever is at the other end of one connection: what it is, what it answers, how busy it is. */
export class Peer implements Observer {
  readonly terms: Terms
  /** The connection, while there is one. */
  connection: Connection | undefined
  /** What it told last. */
  known: Heard | undefined = undefined
  /** Envelopes that have not been answered yet. */
  pending = 0
  /** A call to it expired, and nothing has been heard since. */
  suspect = false
  onGiveUp: (() => void) | undefined = undefined
  /** Called when the connection is gone. */
  onLost: (() => void) | undefined = undefined
  /** How often a connection was lost, also before it was up. */
  losses = 0
  /** Begins the proof of one attempt, where both ends have to prove. */
  readonly prove: ((authority: string) => Proof) | undefined
  readonly #host: Host
  #proved = false
  #info = stranger
  /** Where most of its calls come from. */
  origin: Origin = Object.freeze({ peer: stranger })
  #expired = 0

  constructor(host: Host, terms: Terms, connection: Connection | undefined) {
    this.#host = host
    this.terms = terms
    this.connection = connection
    const { prove } = terms
    this.prove = prove === undefined ? undefined : (authority) => this.#watched(prove(authority))
  }

  get authorization(): string | undefined {
    return this.terms.authorization
  }

  get silent(): boolean {
    return this.terms.silent === true
  }

  /** Who it is; a stranger until it has told. Made once for each time it tells. */
  get info(): PeerInfo {
    return this.#info
  }

  /** Whether events may be sent to it. */
  get reachable(): boolean {
    return this.connection !== undefined && this.known !== undefined && !this.known.draining
  }

  /**
   * Whether new work may be sent to it. While its services start, only work of others that start as well: they may need
   * each other, and everybody else may wait until they are ready.
   */
  get available(): boolean {
    return this.reachable && (this.known?.starting !== true || this.#host.starting)
  }

  /** How much it has to do; calls that expired may still be there until it shows a sign of life. */
  get busy(): number {
    return this.pending + this.#expired
  }

  /** A call to it expired: others are preferred until it shows a sign of life, which is asked for. */
  doubt(): void {
    this.#expired++
    if (this.suspect) return
    this.suspect = true
    this.connection?.ping?.().then(
      () => this.#alive(),
      () => {}, // The transport will say that the connection is lost.
    )
  }

  /** Throws `LUC_OPTIONS_INVALID` where the other end had to prove something and the transport did not ask it to. */
  checkProved(): void {
    if (this.prove === undefined || this.#proved) return
    throw new LuciliusError(
      'LUC_OPTIONS_INVALID',
      "This transport cannot prove a secret at both ends: give connect a sharedSecret('…') without 'mutual', or none where a broker knows who connects.",
    )
  }

  tell(): Announcement {
    this.checkProved()
    return this.#host.tell(this)
  }

  onTell(changed: () => void): () => void {
    return this.#host.onTell(changed)
  }

  hear(announcement: unknown): void {
    if (this.terms.audience === 'clients') {
      throw new LuciliusError(
        'LUC_FORBIDDEN',
        "This listener serves clients: open one with { audience: 'peers' } for apps.",
      )
    }
    const heard = readAnnouncement(announcement)
    this.#host.check(heard)
    this.know(heard)
  }

  /** Takes what is known of it. */
  know(heard: Heard): void {
    this.known = heard
    this.#info = Object.freeze({ name: heard.name, instance: heard.instance })
    this.origin = Object.freeze({ peer: this.#info })
    this.#alive()
    this.#host.heard(this)
  }

  receive(envelope: Envelope, call: Call): Promise<Outcome> {
    return promised(call, (direct) => this.receiveDirect(envelope, direct))
  }

  receiveDirect(envelope: Envelope, call: DirectCall): void {
    this.#host.answer(this, envelope, call)
  }

  /** It is connected (again); what it told may have come before. */
  up(connection: Connection): void {
    this.connection = connection
    if (this.known !== undefined) this.#host.heard(this)
  }

  lost(): void {
    this.losses++
    this.#proved = false
    // One that connects has nothing to lose before it is up. A client that cannot be sent to never has a connection.
    if (this.connection === undefined && (this.onLost !== undefined || this.known !== undefined)) return
    this.connection = undefined
    this.#host.lost(this)
    this.onLost?.()
  }

  /** Remembers that the other end has proved. */
  #watched(proof: Proof): Proof {
    this.#proved = false
    return {
      hello: proof.hello,
      answer: (challenge, said) => {
        const authorization = proof.answer(challenge, said)
        this.#proved = true
        return authorization
      },
    }
  }

  #alive(): void {
    this.suspect = false
    this.#expired = 0
  }
}

const stranger: PeerInfo = Object.freeze({ name: 'unknown', instance: 'unknown' })
