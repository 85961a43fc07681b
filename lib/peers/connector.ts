import { LuciliusError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { Connection, Transport } from '../transport.js'
import { pauseMs } from './pace.js'
import type { Peer } from './peer.js'
import { SelfConnection } from './peers.js'

/** What no second try changes: whoever runs the system has to. */
const MISTAKES: ReadonlySet<string> = new Set(['LUC_FORBIDDEN', 'LUC_UNAUTHENTICATED', 'LUC_WIRE_INVALID'])

/** Who keeps a connector, where that is not the user. */
export interface Keeper {
  /** Milliseconds after a loss in which it tries to connect again. */
  readonly patienceMs: number
  /** It has given up: the peer did not come back, or is this app itself. */
  ended(why: 'lost' | 'itself'): void
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
  #lostAt = 0
  #timer: NodeJS.Timeout | undefined

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
      this.#lostAt = performance.now()
      void this.#try()
    })
  }

  /** There is reason to believe that the peer is there: the next try is soon again. */
  hurry(): void {
    if (this.#timer === undefined) return
    clearTimeout(this.#timer)
    this.#lostAt = performance.now()
    this.#retry()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#known?.()
    this.#peer.onGiveUp?.()
    const { connection } = this.#peer
    this.#peer.onLost = undefined
    await connection?.close()
  }

  async #try(): Promise<void> {
    this.#timer = undefined
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
      this.#peer.up(connection)
      this.#waited = false
      this.#known?.()
      this.#log.info({ peer: this.#peer.info.name, transport: this.#transport.name }, 'connected')
    } catch (error) {
      if (this.#closed) return // the attempt was given up
      if (error instanceof SelfConnection) return this.#giveUp()
      const code = error instanceof LuciliusError ? error.code : ''
      if (code === 'LUC_OPTIONS_INVALID' || (this.#waited && MISTAKES.has(code))) {
        this.#closed = true
        this.#failed?.(error as LuciliusError)
        return
      }
      // Each kind of trouble is told once, then only to those who look for it; of one who was found and has gone, to nobody
      // else: that is how processes end.
      const isGone = this.#keeper !== undefined && code === 'LUC_UNREACHABLE'
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
    this.#lostAt = performance.now()
    this.#retry()
  }

  #retry(): void {
    if (this.#closed) return
    if (this.#keeper !== undefined && performance.now() - this.#lostAt > this.#keeper.patienceMs) this.#end('lost')
    else this.#timer = setTimeout(() => void this.#try(), pauseMs(this.#lostAt))
  }

  #giveUp(): void {
    // Who looks for everybody finds itself, too.
    const level = this.#keeper === undefined ? 'warn' : 'debug'
    this.#log[level]({ transport: this.#transport.name }, 'connected to itself: closed')
    this.#end('itself')
  }

  #end(why: 'lost' | 'itself'): void {
    this.#closed = true
    this.#known?.()
    this.#keeper?.ended(why)
  }
}
