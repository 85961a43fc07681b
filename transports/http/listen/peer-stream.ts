import { randomUUID, timingSafeEqual } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import {
  type Connection,
  type Credentials,
  type Envelope,
  encodeEnvelope,
  encodeJson,
  LuciliusError,
  type Observer,
  type Outcome,
  type Receiver,
} from '../../../lib/transport-kit.js'
import { status } from '../status.js'
import type { Load } from './load.js'

/** A peer is lost that has said nothing before so many heartbeats in a row: for two of the times between them. */
const MISSES = 3

/** Bytes that may wait for a slow reader before events to it are refused. */
const MOST_WAITING = 16 * 1024 * 1024

/**
 * The stream to one peer, as server-sent events (HTML Living Standard §9.2): what this app tells, and its events.
 *
 * Its id is how the peer's requests say whose they are, so it cannot be guessed.
 */
export class PeerStream implements Load {
  readonly id = randomUUID()
  readonly observer: Observer
  /** How many of the peer's messages run. */
  running = 0
  readonly #proof: Buffer | undefined
  readonly #response: ServerResponse
  readonly #heartbeat: NodeJS.Timeout
  readonly #stopTelling: () => void
  readonly #receiver: Receiver
  #told = ''
  #missed = 0
  #open = true

  /**
   * Opens the stream and introduces this app. `authorization` is what it was asked for with, `onGone` is called once when
   * it has ended, whoever ended it.
   */
  constructor(
    response: ServerResponse,
    authorization: string | undefined,
    receiver: Receiver,
    who: Credentials,
    heartbeatMs: number,
    onGone: (stream: PeerStream) => void,
  ) {
    this.#response = response
    this.#receiver = receiver
    this.#proof = isProof(authorization) ? Buffer.from(authorization) : undefined
    const connection: Connection = {
      carry: (envelope) => this.#carry(envelope),
      close: async () => this.end(),
    }
    this.observer = receiver.accept(connection, who)
    response.on('error', () => {}) // 'close' follows.
    response.once('close', () => {
      this.end()
      onGone(this)
      this.observer.lost()
    })
    response.writeHead(status.ok, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    this.#told = encodeJson(this.observer.tell())
    this.#write('hello', `{"connection":"${this.id}","heartbeatMs":${heartbeatMs},"announcement":${this.#told}}`)
    this.#stopTelling = this.observer.onTell(() => this.#tellNews())
    this.#heartbeat = setInterval(() => this.#beat(), heartbeatMs)
    this.#heartbeat.unref()
  }

  /**
   * Whether this is the proof with which the stream was opened. No other credentials are good for longer than one request:
   * whoever gave them may take them back.
   */
  wasOpenedWith(authorization: string | undefined): boolean {
    if (!this.#open || this.#proof === undefined || authorization === undefined) return false
    const given = Buffer.from(authorization)
    return given.length === this.#proof.length && timingSafeEqual(given, this.#proof)
  }

  /** There was a sign of life of the peer. */
  livesOn(): void {
    this.#missed = 0
  }

  /** Ends the stream, which tells the peer that no more will come. Harmless when it has ended. */
  end(): void {
    if (!this.#open) return
    this.#open = false
    clearInterval(this.#heartbeat)
    this.#stopTelling()
    this.#response.end()
  }

  /**
   * Says that this side lives, and looks whether the other one does. A peer may have no socket left to say so: while its acts
   * run on all of them, and once it was told to leave.
   */
  #beat(): void {
    if (this.running > 0 || this.#receiver.draining) this.#missed = 0
    else this.#missed++
    if (this.#missed < MISSES) this.#response.write(':\n\n')
    else this.#response.destroy() // 'close' follows.
  }

  #tellNews(): void {
    const news = encodeJson(this.observer.tell())
    if (!this.#open || news === this.#told) return
    this.#told = news
    this.#write('announcement', news)
  }

  #write(event: string, json: string): void {
    // JSON has no line breaks of its own.
    this.#response.write(`event: ${event}\ndata: ${json}\n\n`)
  }

  async #carry(envelope: Envelope): Promise<Outcome> {
    if (envelope.kind === 'act') throw unreachable('Over HTTP only the connecting side acts: let both sides listen.')
    if (!this.#open) throw unreachable('The stream has ended.')
    if (this.#response.writableLength > MOST_WAITING) {
      throw new LuciliusError('LUC_OVERLOADED', 'The peer does not read its events as fast as they come.')
    }
    this.#write('event', encodeEnvelope(envelope))
    return {}
  }
}

/** A value of `Authorization` that is taken once. */
function isProof(authorization: string | undefined): authorization is string {
  return authorization !== undefined && /^lucilius /i.test(authorization)
}

function unreachable(message: string): LuciliusError {
  return new LuciliusError('LUC_UNREACHABLE', message)
}
