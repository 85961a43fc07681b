import type { Channel } from 'amqplib'
import { LuciliusError } from '../../lib/transport-kit.js'

/**
 * Bounds what waits in this process to be sent. RabbitMQ does not refuse what it has no memory or disk for: it reads no
 * more, and amqplib would keep everything.
 */
export class Outflow {
  readonly #most: number
  #waiting = 0

  /** At most so many bytes. */
  constructor(most: number) {
    this.#most = most
  }

  /** Counts what is about to be sent. Throws `LUC_OVERLOADED`. */
  add(channel: Channel, bytes: number): void {
    if (!isStuck(channel)) this.#waiting = 0
    else if (this.#waiting + bytes > this.#most) {
      throw new LuciliusError('LUC_OVERLOADED', 'The broker does not read as fast as it is sent to.')
    }
    this.#waiting += bytes
  }
}

/** Whether the socket has more than it can write. amqplib writes to it only as long as it has not. */
function isStuck({ connection }: Channel): boolean {
  const { stream } = connection as { readonly stream?: { readonly writableNeedDrain?: boolean } }
  return stream?.writableNeedDrain === true
}
