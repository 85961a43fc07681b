import { LuciliusError } from '../errors.js'
import type { PeerInfo } from '../handler.js'
import type { Logger } from '../logger.js'
import type { Connection, Transport } from '../transport.js'
import { pauseMs, slowPauseMs } from './pace.js'
import type { Peer } from './peer.js'
import { SelfConnection } from './peers.js'
import type { Turns } from './turns.js'

/** What no second try changes: whoever runs the system has to. */
const MISTAKES: ReadonlySet<string> = new Set(['LUC_FORBIDDEN', 'LUC_UNAUTHENTICATED', 'LUC_WIRE_INVALID'])

/** How processes end that somebody else finds. */
const GONE: ReadonlySet<string> = new Set(['LUC_UNREACHABLE', 'LUC_SERVICE_CLOSED'])

/** Milliseconds between two tries, at least, that are made because there was a sign of the peer. */
const HURRY_MS = 1000

/** Milliseconds of a connection after whose loss tries follow each other fast again: one that comes and goes is not chased. */
const STEADY_MS = 1000

/** Who keeps a connector, where that is not the user: whoever has found the peer. */
export interface Keeper {
  /** Milliseconds after the first try, and after a loss, in which it tries to connect again. */
  readonly patienceMs: number
  /** As long as the peer was never met, a try waits for its turn. */
  readonly turns: Turns
  /** It is connected to the peer. Tells whether that is wanted: another connection may lead there. */
  met(peer: PeerInfo): boolean
  /** It is not any more. */
  lost(peer: PeerInfo): void
  /** It has given up: the peer did not come back, is this app itself, or is connected by another connection. */
  ended(why: 'lost' | 'itself' | 'known'): void
}

/** Keeps one connection to a peer: connects, and after a loss connects again. */
export class Connector {
  readonly #transport: Transport
  readonly #peer: Peer
  readonly #log: Logger
  readonly #keeper: Keeper | undefined
  #closed = false
  #known: (() => void) | undefined
  #failed: ((error: Error) => void) | undefined
  #waited = false
  #warned = ''
  /** When the peer was lost; until it is met, when it was tried first. */
  #since: number | undefined
  /** Since when it tries in vain, or for connections that do not last. */
  #paceSince: number | undefined
  #upAt = 0
  #triedAt = 0
  #isMet = false
  #timer: NodeJS.Timeout | undefined
  /** When the timer is due. */
  #dueAt = 0

  constructor(transport: Transport, peer: Peer, log: Logger, keeper?: Keeper) {
    this.#transport = transport
    this.#peer = peer
    this.#log = log
    this.#keeper = keeper
    peer.onLost = () => this.#again()
  }

  /**
   * Starts, and resolves once the peer is known or the connector is closed. Rejects with what no second try changes:
   * `LUC_OPTIONS_INVALID`, and if somebody waits, also a refusal (`LUC_FORBIDDEN`, `LUC_UNAUTHENTICATED`) or another
   * version of the wire format (`LUC_WIRE_INVALID`). Where nobody waits, or the peer was known before, these are logged
   * and tried again: whoever runs the other side may put them right.
   */
  start(waited: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waited = waited
      this.#known = resolve
      this.#failed = reject
      this.#begin()
    })
  }

  /** There is a sign that the peer is there: the next try is made now, but not within a second after the last one. */
  hurry(): void {
    if (this.#timer === undefined) return
    const dueAt = Math.min(this.#dueAt, this.#triedAt + HURRY_MS)
    this.#wait(Math.max(0, dueAt - performance.now()))
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#keeper?.turns.giveUp(this.#turn)
    this.#known?.()
    this.#peer.onGiveUp?.()
    const { connection } = this.#peer
    this.#peer.onLost = undefined
    await connection?.close()
  }

  #begin(): void {
    this.#timer = undefined
    if (this.#keeper === undefined || this.#isMet) void this.#try()
    else this.#keeper.turns.take(this.#turn)
  }

  readonly #turn = async (): Promise<void> => {
    await this.#try()
    this.#keeper?.turns.end()
  }

  async #try(): Promise<void> {
    this.#triedAt = performance.now()
    this.#since ??= this.#triedAt
    this.#paceSince ??= this.#triedAt
    try {
      const { losses } = this.#peer
      const connection = await this.#proved(await this.#transport.connect(this.#peer))
      this.#peer.onGiveUp = undefined
      if (this.#closed) {
        await connection.close()
        return
      }
      // Lost in the very turn in which it came about: nobody will tell it again.
      if (this.#peer.losses > losses) return this.#again()
      if (this.#keeper?.met(this.#peer.info) === false) {
        this.#end('known')
        await connection.close()
        return
      }
      this.#upAt = performance.now()
      this.#peer.up(connection)
      this.#isMet = true
      this.#waited = false
      this.#known?.()
      this.#log.info({ peer: this.#peer.info.name, transport: this.#transport.name }, 'connected')
    } catch (error) {
      if (this.#closed) return // the attempt was given up
      if (error instanceof SelfConnection) return this.#giveUp()
      const code = error instanceof LuciliusError ? error.code : ''
      const isMistake = code === 'LUC_OPTIONS_INVALID' || (this.#waited && MISTAKES.has(code))
      if (isMistake && !this.#isMet) {
        this.#closed = true
        this.#failed?.(error as LuciliusError)
        return
      }
      // Each kind of trouble is told once, then only to those who look for it; of one who was found and has gone, to nobody
      // else: that is how processes end.
      const isGone = this.#keeper !== undefined && GONE.has(code)
      const level = isGone || code === this.#warned ? 'debug' : 'warn'
      this.#warned = code
      this.#log[level]({ err: error, transport: this.#transport.name }, 'could not connect, trying again')
      this.#retry()
    }
  }

  /** Nothing goes over a connection whose other end should have proved something, and did not. */
  async #proved(connection: Connection): Promise<Connection> {
    try {
      this.#peer.checkProved()
      return connection
    } catch (error) {
      await connection.close()
      throw error
    }
  }

  #again(): void {
    this.#log.info({ peer: this.#peer.info.name, transport: this.#transport.name }, 'connection lost')
    this.#since = performance.now()
    if (this.#since - this.#upAt >= STEADY_MS) this.#paceSince = this.#since
    this.#keeper?.lost(this.#peer.info)
    this.#retry()
  }

  #retry(): void {
    if (this.#closed) return
    const now = performance.now()
    const { patienceMs = Number.POSITIVE_INFINITY } = this.#keeper ?? {}
    const isPatient = now - (this.#since ?? now) <= patienceMs
    // Nobody misses whom nobody has met: that somebody is there may be an old story.
    if (isPatient)
      this.#wait(this.#keeper === undefined || this.#isMet ? pauseMs(this.#paceSince ?? now) : slowPauseMs())
    else this.#end('lost')
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer)
    this.#dueAt = performance.now() + ms
    this.#timer = setTimeout(() => this.#begin(), ms)
  }

  #giveUp(): void {
    // Who looks for everybody finds itself, too.
    const level = this.#keeper === undefined ? 'warn' : 'debug'
    this.#log[level]({ transport: this.#transport.name }, 'connected to itself: closed')
    this.#end('itself')
  }

  #end(why: Parameters<Keeper['ended']>[0]): void {
    this.#closed = true
    this.#known?.()
    this.#keeper?.ended(why)
  }
}
