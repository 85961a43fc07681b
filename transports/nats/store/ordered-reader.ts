import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream'
import type { Msg } from '@nats-io/transport-node'
import type { Link } from './link.js'
import { pause } from './on-abort.js'
import { type PlaceInStream, placeOf } from './place-in-stream.js'
import { Puller } from './puller.js'
import { toNanos } from './streams.js'

/** What is read, and who takes it. */
export interface OrderedReading {
  readonly stream: string
  /** The first sequence. */
  readonly from: number
  /** How many more messages may be taken now. */
  room(): number
  /** The next message. Never throws. */
  take(place: PlaceInStream, message: Msg): void
}

const idleMs = 30_000
const requestMs = 5_000
const pauseMs = 200

/** Reads a stream in its order, without a gap, no faster than there is room, over lost connections too. */
export class OrderedReader {
  readonly #link: Link
  readonly #reading: OrderedReading
  #next: number
  #puller: Puller | undefined
  #consumer = ''
  #isStopped = false

  constructor(link: Link, reading: OrderedReading) {
    this.#link = link
    this.#reading = reading
    this.#next = reading.from
    void this.#begin()
  }

  /** There may be room again. */
  refill(): void {
    this.#puller?.refill()
  }

  /** Takes nothing more. */
  stop(): void {
    if (this.#isStopped) return
    this.#isStopped = true
    void this.#puller?.stop()
    this.#discard()
  }

  async #begin(): Promise<void> {
    const { stream } = this.#reading
    while (!this.#isStopped && !this.#link.isClosed) {
      try {
        await this.#link.whenUp()
        await this.#checkNext()
        const { name } = await this.#link.manage(stream, (manager) => manager.consumers.add(stream, this.#config()))
        this.#consumer = name
        if (this.#isStopped) this.#discard()
        else this.#pull(name)
        return
      } catch {
        await pause(pauseMs)
      }
    }
  }

  /** A server that lost its last messages gives their sequences to others: those are not behind us. */
  async #checkNext(): Promise<void> {
    const { stream } = this.#reading
    const { state } = await this.#link.manage(stream, (manager) => manager.streams.info(stream))
    this.#next = Math.min(this.#next, state.last_seq + 1)
  }

  #config() {
    return {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#next,
      inactive_threshold: toNanos(idleMs),
      mem_storage: true,
      num_replicas: 1,
    }
  }

  #pull(consumer: string): void {
    const puller = new Puller(this.#link, {
      stream: this.#reading.stream,
      consumer,
      room: () => this.#reading.room(),
      isForgetful: true,
      requestMs,
      take: (message) => {
        const place = placeOf(message)
        if (place === undefined || this.#puller !== puller || this.#isStopped) return
        this.#next = place.sequence + 1
        this.#reading.take(place, message)
      },
      gone: () => {
        if (this.#puller === puller) this.#beginAnew()
      },
    })
    this.#puller = puller
  }

  #beginAnew(): void {
    this.#puller = undefined
    this.#discard()
    void this.#begin()
  }

  /** If this is not heard, the consumer goes when it was idle for a while. */
  #discard(): void {
    const { stream } = this.#reading
    const name = this.#consumer
    this.#consumer = ''
    if (name !== '') this.#link.manage(stream, (manager) => manager.consumers.delete(stream, name)).catch(() => {})
  }
}
