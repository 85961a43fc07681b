import type { WebSocket } from 'ws'
import type { Flow } from './flow.js'

/** Signs of life in a row that may be missing. */
const MISSES = 2

/** What the ping of a goodbye says, and so its pong. */
const CROSSING = Buffer.from('crossing')

/** Asks for signs of life, and cuts a connection that gives none. */
export class Heartbeat {
  readonly #socket: WebSocket
  readonly #flow: Flow
  readonly #timer: NodeJS.Timeout
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  #crossing: (() => void) | undefined
  #heard = true
  #missed = 0

  constructor(socket: WebSocket, flow: Flow, pingMs: number) {
    this.#socket = socket
    this.#flow = flow
    this.#timer = setInterval(() => this.#beat(), pingMs)
    this.#timer.unref()
  }

  /** Something came from the other end. */
  heard(): void {
    this.#heard = true
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const { resolve } of waiting) resolve()
  }

  /** Asks now. Resolves with the next sign of life, rejects when there can be none any more. */
  ask(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== this.#socket.OPEN) {
        reject(new Error('The connection is closed.'))
        return
      }
      this.#waiting.push({ resolve, reject })
      this.#socket.ping()
    })
  }

  /** A pong came. */
  pong(data: Buffer): void {
    this.heard()
    if (data.equals(CROSSING)) this.#crossing?.()
  }

  /**
   * Resolves when the other end has read all that was written so far, and what it had written by then is here; or when
   * the connection is gone. Any frame is a sign of life, but only the answer to this very ping says that.
   */
  crossed(): Promise<void> {
    return new Promise((resolve) => {
      this.#crossing = resolve
      this.#socket.ping(CROSSING)
    })
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#crossing?.()
    for (const { reject } of this.#waiting) reject(new Error('The connection was lost.'))
    this.#waiting = []
  }

  #beat(): void {
    // Asked in any case, for it compares with the last time.
    const moved = this.#flow.moved()
    this.#missed = moved || this.#heard ? 0 : this.#missed + 1
    this.#heard = false
    if (this.#missed >= MISSES) this.#socket.terminate()
    else if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping()
  }
}
