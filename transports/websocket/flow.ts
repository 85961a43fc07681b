import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** The end of a socket in the system. */
interface Handle {
  readonly writeQueueSize?: number
}

/**
 * A stream, and what it counts if it is a socket. All that waits leaves it in one write of many megabytes: how much of that
 * has left only the handle knows, below that of TLS, where node itself looks at it for the time-out of a socket.
 */
type Counted = Duplex &
  Partial<Pick<Socket, 'bytesRead' | 'bytesWritten'>> & {
    readonly _handle?: (Handle & { readonly _parent?: Handle }) | null
  }

/**
 * Sees whether bytes move on a stream. A frame that takes long to come or to leave is a sign of life as a whole one is, and
 * while nothing is read because too much waits to be written, it is the only one.
 */
export class Flow {
  readonly #stream: Counted
  #came = 0
  #left = 0
  #queued = 0
  #waited = false

  constructor(stream: Duplex) {
    this.#stream = stream
  }

  /**
   * Whether, since the last time that it was asked, bytes have come, or some have left of those that had to wait: the
   * system takes a few megabytes even for somebody who is not there any more.
   */
  moved(): boolean {
    const { bytesRead: came = 0, bytesWritten = 0, writableLength, _handle: handle } = this.#stream
    const left = bytesWritten - writableLength
    const queued = (handle?._parent ?? handle)?.writeQueueSize ?? 0
    const moved = came > this.#came || (this.#waited && (left > this.#left || queued < this.#queued))
    this.#came = came
    this.#left = left
    this.#queued = queued
    this.#waited = writableLength > 0
    return moved
  }
}
