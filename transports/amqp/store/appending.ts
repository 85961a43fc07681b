import { createHash } from 'node:crypto'
import type { ConfirmChannel } from 'amqplib'
import { encodeStoredEvent, LuciliusError, type StoredEvent, type StoreHost } from '../../../lib/transport-kit.js'
import { againMs } from '../again.js'
import type { Broker } from '../broker.js'
import type { LastingChannel } from '../lasting-channel.js'
import { Outflow } from '../outflow.js'
import { unlessAborted } from '../unless-aborted.js'
import { headersOf } from './headers.js'
import type { Names } from './names.js'
import { pause } from './patiently.js'
import { confirmed, type Publication, publication } from './publishing.js'
import { EVENT } from './record.js'
import { KEY } from './table.js'
import { declareEvents, declareSpace, isSpaceMissing } from './topology.js'
import { storeFailed } from './trouble.js'

/** Limits of an {@link Appender}. */
export interface AppenderSettings {
  /** Bytes of an event. */
  readonly maxBytes: number
  /** Bytes that may wait to be sent to the broker. */
  readonly maxBuffered: number
  /** How long a new stream is left alone, in ms: see `SETTLE_MS`. */
  readonly settleMs: number
}

/** Puts events into the store, and says so only when the broker has each in writing. */
export class Appender {
  readonly #broker: Broker
  readonly #names: Names
  readonly #held: LastingChannel<ConfirmChannel>
  readonly #closing = new AbortController()
  readonly #outflow: Outflow
  #mostBytes: number

  constructor(broker: Broker, names: Names, { maxBytes, maxBuffered, settleMs }: AppenderSettings, host: StoreHost) {
    this.#broker = broker
    this.#names = names
    this.#mostBytes = maxBytes
    this.#outflow = new Outflow(maxBuffered)
    const facts = { store: `rabbitmq ${broker.url}` }
    let wasLost = false
    this.#held = broker.hold({
      setUp: async (channel) => {
        channel.on('error', (error: Error) => this.#learn(error))
        const isNew = await isSpaceMissing(broker, names)
        await declareSpace(channel, names)
        if (isNew) await pause(settleMs, this.#closing.signal)
        await declareEvents(channel, names)
      },
      up: () => {
        if (wasLost) host.log('info', facts, 'The store is there again.')
        wasLost = false
      },
      lost: () => {
        wasLost = true
        if (!this.#closing.signal.aborted)
          host.log('warn', facts, 'The store is lost. What is emitted waits until it is there again.')
      },
      failed: (error) => host.log('debug', { ...facts, error: error.message }, 'The store cannot be opened yet.'),
    })
  }

  /** Resolves once the broker is there and has the exchanges and streams of the space. Rejects with `LUC_STORE_FAILED`. */
  async ready(signal: AbortSignal): Promise<void> {
    await this.#channel(signal, 'no')
  }

  /** As `OpenStore.append` says. Gives the bytes that were stored. */
  async append(event: StoredEvent, signal: AbortSignal): Promise<number> {
    const wanted = this.#publication(event)
    const from = performance.now()
    let handled: 'no' | 'unknown' = 'no'
    for (;;) {
      this.#checkSize(event, wanted.body.length)
      const channel = await this.#channel(signal, handled)
      await this.#room(channel, wanted.body.length, signal, handled)
      handled = 'unknown'
      try {
        await unlessAborted(confirmed(channel, wanted), signal)
        return wanted.body.length
      } catch {
        if (signal.aborted) throw this.#failed('the broker did not say in time that it has the event', handled)
      }
      // Lost before it was confirmed, or refused, which a queue does that has no leader at present.
      await pause(againMs(from), signal).catch(() => {})
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the store is closed'))
    await this.#held.close()
  }

  async #channel(signal: AbortSignal, handled: 'no' | 'unknown'): Promise<ConfirmChannel> {
    if (this.#closing.signal.aborted) throw this.#failed('it is closed', handled)
    try {
      return await this.#held.whenUp(signal)
    } catch (error) {
      if (signal.aborted) throw this.#failed('the broker was not there in time', handled)
      throw storeFailed(this.#broker.url, error, handled)
    }
  }

  /** Waits while the broker reads nothing: nothing is sent that would only fill the memory of this process. */
  async #room(channel: ConfirmChannel, bytes: number, signal: AbortSignal, handled: 'no' | 'unknown'): Promise<void> {
    try {
      await this.#outflow.enter(channel, bytes, signal)
    } catch {
      throw this.#failed('the broker does not read as fast as it is sent to', handled)
    }
  }

  #failed(what: string, handled: 'no' | 'unknown'): LuciliusError {
    return new LuciliusError('LUC_STORE_FAILED', `The store rabbitmq ${this.#broker.url}: ${what}.`, { handled })
  }

  #publication(event: StoredEvent): Publication {
    const { retain, declared, key, id, at } = event
    const ledger = retain && { [KEY]: createHash('sha256').update(`${declared}\n${key}`).digest('base64url') }
    const seconds = Math.floor(at / 1000)
    return publication({ exchange: this.#names.events, key: '' }, Buffer.from(encodeStoredEvent(event)), {
      id,
      type: EVENT,
      headers: { ...headersOf(event), ...ledger },
      ...(seconds > 0 && Number.isSafeInteger(seconds) && { timestamp: seconds }),
    })
  }

  #checkSize({ id }: StoredEvent, bytes: number): void {
    if (bytes <= this.#mostBytes) return
    const limit = `${this.#mostBytes} bytes: 'maxBytes' of amqp(), or 'max_message_size' of the broker`
    throw new LuciliusError('LUC_TOO_LARGE', `The event ${id} has ${bytes} bytes, more than ${limit}.`)
  }

  /** The broker closes the channel on a message that is too long for it, and tells how long one may be. */
  #learn({ message }: Error): void {
    const most = /larger than configured max size (\d+)/.exec(message)?.[1]
    if (most !== undefined) this.#mostBytes = Math.min(this.#mostBytes, Number(most))
  }
}
