import { randomUUID } from 'node:crypto'
import type { ConfirmChannel, ConsumeMessage } from 'amqplib'
import { againMs } from '../again.js'
import type { Broker } from '../broker.js'
import type { LastingChannel } from '../lasting-channel.js'
import { unlessAborted } from '../unless-aborted.js'
import { pause } from './patiently.js'
import { confirmed, publication } from './publishing.js'
import { inRounds } from './rounds.js'
import { KEY, ORDER, Table } from './table.js'
import { isRefused } from './trouble.js'

/** After so long without a sign of the end, in ms, what was read is forgotten and read anew: the stream is another one. */
const LOST_MS = 5_000

/** Where a ledger is kept. */
export interface LedgerPlace {
  /** A stream that `queues`, a direct exchange, leads to by its name. */
  readonly stream: string
  readonly queues: string
  /** After how many bytes the broker forgets the oldest part of the stream. */
  readonly bytes: number
}

/**
 * A table in the broker: the last body of each key, for everybody who asks. AMQP has no such thing (a queue hands out each
 * message once, and cannot be asked which queues there are), so it is a log that is read from its beginning: a stream.
 *
 * The broker forgets the oldest part of a stream that has grown too long. Before that happens, those who read write what
 * still counts again at its end, with its first place as its order, so that a late copy never wins over a later body. So
 * what counts may have half as many bytes as the stream; what is beyond that is lost, oldest first.
 */
export class Ledger {
  readonly #broker: Broker
  readonly #place: LedgerPlace
  #held: LastingChannel<ConfirmChannel> | undefined
  #table: Table
  readonly #read = inRounds(() => this.#readNow())

  constructor(broker: Broker, place: LedgerPlace) {
    this.#broker = broker
    this.#place = place
    this.#table = new Table(place.bytes)
  }

  /**
   * The table, with everything that was confirmed before this call. Tries again while the broker is lost. Rejects with what
   * the broker refused, and with the signal's reason when it aborts.
   */
  async read(signal: AbortSignal): Promise<Table> {
    const from = performance.now()
    for (;;) {
      try {
        return await unlessAborted(this.#read(), signal)
      } catch (error) {
        if (isRefused(error)) throw error
        await pause(againMs(from), signal)
      }
    }
  }

  /** Writes a body. One without content removes the key. Rejects if the broker is lost. */
  async write(key: string, body: Buffer): Promise<void> {
    await confirmed(await this.#channel(), this.#entry(body, { [KEY]: key }))
  }

  /**
   * Tells that somebody has put so many bytes into the stream. Now and then one who does so reads all of it, which writes
   * again what would be forgotten: at random, so that it happens as often however many write.
   */
  grew(bytes: number): void {
    if (Math.random() >= (bytes * 8) / this.#place.bytes) return
    this.#read().catch(() => {}) // The broker is lost: somebody else does it, or we do later.
  }

  async close(): Promise<void> {
    await this.#held?.close()
  }

  async #readNow(): Promise<Table> {
    const channel = await this.#channel()
    const table = this.#table
    const isWhole = await this.#readTo(channel, table)
    if (!isWhole) {
      this.#forget()
      return this.#readNow()
    }
    for (const { key, order, body } of table.ageing()) {
      await confirmed(channel, this.#entry(body, { [KEY]: key, [ORDER]: String(order) }))
    }
    return table
  }

  /** Reads from where the last reading ended to a mark that it sets. False if the mark never comes. */
  async #readTo(channel: ConfirmChannel, table: Table): Promise<boolean> {
    const mark = randomUUID()
    let found: (isThere: boolean) => void = () => {}
    let alive = performance.now()
    const end = new Promise<boolean>((resolve) => {
      found = resolve
    })
    const gone = () => found(false)
    channel.once('close', gone)
    const timer = setInterval(() => performance.now() - alive > LOST_MS && found(false), LOST_MS / 5)
    const take = (message: ConsumeMessage | null) => {
      if (message === null) return found(false)
      alive = performance.now()
      channel.ack(message)
      table.take(message)
      if (message.properties.messageId === mark) found(true)
    }
    try {
      const offset = table.nextOffset ?? 'first'
      const { consumerTag } = await channel.consume(this.#place.stream, take, {
        arguments: { 'x-stream-offset': offset },
      })
      await confirmed(
        channel,
        publication({ exchange: this.#place.queues, key: this.#place.stream }, empty, { id: mark }),
      )
      const isThere = await end
      if (channel === this.#held?.channel) await channel.cancel(consumerTag)
      return isThere
    } finally {
      clearInterval(timer)
      channel.off('close', gone)
    }
  }

  #entry(body: Buffer, headers: Readonly<Record<string, string>>) {
    return publication({ exchange: this.#place.queues, key: this.#place.stream }, body, { headers })
  }

  #channel(): Promise<ConfirmChannel> {
    this.#held ??= this.#broker.hold({
      setUp: async (channel) => {
        await channel.prefetch(500) // A stream has to have one.
      },
      lost: () => this.#forget(),
    })
    return this.#held.whenUp()
  }

  #forget(): void {
    this.#table = new Table(this.#place.bytes)
  }
}

const empty = Buffer.alloc(0)
