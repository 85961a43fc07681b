import type { Duplex } from 'node:stream'
import type { Channel } from 'amqplib'
import { LuciliusError } from '../../lib/transport-kit.js'
import { unlessAborted } from './unless-aborted.js'

/**
 * Bounds what waits in this process to be sent. RabbitMQ does not refuse what it has no memory or disk for: it reads no
 * more, and amqplib would keep everything.
 */
export class Outflow {
  readonly #most: number
  /** Bytes given to amqplib since the socket took everything. */
  #waiting = 0
  /** Bytes of those who wait for room. */
  #queued = 0
  #drained: Promise<void> | undefined

  /** At most so many bytes. */
  constructor(most: number) {
    this.#most = most
  }

  /** Counts what is about to be sent. Throws `LUC_OVERLOADED`. */
  add(channel: Channel, bytes: number): void {
    if (!this.#fits(channel, bytes)) throw overloaded()
    this.#waiting += bytes
  }

  /**
   * Waits until there is room, or the channel is lost, and counts what is about to be sent. Rejects with `LUC_OVERLOADED`
   * if as much as may be sent waits for room already, and with the signal's reason when it aborts.
   */
  async enter(channel: Channel, bytes: number, signal: AbortSignal): Promise<void> {
    while (!this.#fits(channel, bytes)) {
      if (this.#queued + bytes > this.#most) throw overloaded()
      this.#queued += bytes
      try {
        await unlessAborted(this.#drain(channel), signal)
      } finally {
        this.#queued -= bytes
      }
    }
    this.#waiting += bytes
  }

  #fits(channel: Channel, bytes: number): boolean {
    if (isStuck(channel)) return this.#waiting + bytes <= this.#most
    this.#waiting = 0
    return true
  }

  /** Resolves when the socket takes more, or is lost. One for all who wait. */
  #drain(channel: Channel): Promise<void> {
    this.#drained ??= new Promise<void>((resolve) => {
      const stream = streamOf(channel)
      const over = () => {
        stream?.off('drain', over)
        stream?.off('close', over)
        this.#drained = undefined
        resolve()
      }
      stream?.on('drain', over)
      stream?.on('close', over)
    })
    return this.#drained
  }
}

/** Whether the socket has more than it can write. amqplib writes to it only as long as it has not. */
function isStuck(channel: Channel): boolean {
  const stream = streamOf(channel)
  return stream?.writableNeedDrain === true && !stream.destroyed
}

function streamOf({ connection }: Channel): Duplex | undefined {
  return (connection as { readonly stream?: Duplex }).stream
}

function overloaded(): LuciliusError {
  return new LuciliusError('LUC_OVERLOADED', 'The broker does not read as fast as it is sent to.')
}
