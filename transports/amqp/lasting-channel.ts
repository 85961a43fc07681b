import type { Channel, ChannelModel, ConfirmChannel } from 'amqplib'
import type { LuciliusError } from '../../lib/transport-kit.js'
import { againMs } from './again.js'
import { isMistake, toTrouble } from './trouble.js'

/** How long the broker may take to close a channel, in ms. */
const CLOSE_MS = 2_000

/** What a channel is for. */
export interface ChannelUse<C extends Channel = ConfirmChannel> {
  /** Whether what is published is confirmed: the channel then is a `ConfirmChannel`, the default. */
  readonly confirms?: C extends ConfirmChannel ? true : false
  /**
   * Declares, binds and consumes, on a new channel: at first, and after each loss of the connection or of this channel
   * alone. What it rejects with, or a channel that the broker closes meanwhile, is a failure, and it is tried again.
   */
  setUp(channel: C): Promise<void>
  /** The channel is set up. */
  up?(channel: C): void
  /** The channel that was up is gone: what was unconfirmed or unacknowledged on it will not be any more. */
  lost?(): void
  /** It could not be set up. It is tried again in any case. */
  failed?(error: LuciliusError): void
}

/** Who waits for a channel. */
interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: LuciliusError) => void
  /** One failure is enough. */
  readonly once: boolean
}

/** A channel that comes back: after the loss of the connection, and after an error that closed only the channel. */
export class LastingChannel<C extends Channel = ConfirmChannel> {
  readonly #use: ChannelUse<C>
  readonly #where: string
  readonly #left: () => Promise<void>
  readonly #waiting = new Set<Waiting>()
  #model: ChannelModel | undefined
  #opening: Promise<void> | undefined
  #channel: C | undefined
  #isUp = false
  #isClosed = false
  #lostAt = performance.now()
  #timer: NodeJS.Timeout | undefined

  /** Made by the broker, which is told when nobody needs it any more. */
  constructor(use: ChannelUse<C>, where: string, left: () => Promise<void>) {
    this.#use = use
    this.#where = where
    this.#left = left
  }

  /** The channel, while it is up. */
  get channel(): C | undefined {
    return this.#isUp ? this.#channel : undefined
  }

  /**
   * Resolves once the channel is up. Rejects with a failure that no second try changes (`LUC_UNAUTHENTICATED`,
   * `LUC_FORBIDDEN`, `LUC_OPTIONS_INVALID`); without a signal with any failure, `LUC_UNREACHABLE` for instance; with one,
   * when it aborts, with its reason.
   */
  async whenUp(signal?: AbortSignal): Promise<C> {
    signal?.throwIfAborted()
    while (!this.#isUp) await this.#wait(signal)
    return this.#channel as C // Up: it has one.
  }

  /** Gives the channel back: what was published or acknowledged on it has left. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#reject(toTrouble(this.#where, new Error('the channel was closed')), true)
    const channel = this.#channel
    this.#channel = undefined
    this.#isUp = false
    if (channel !== undefined) await closeChannel(channel)
    await this.#left()
  }

  /** For the broker: there is a connection. */
  attach(model: ChannelModel): void {
    this.#model = model
    this.#lostAt = performance.now()
    this.#open()
  }

  /** For the broker: it is gone. Its channels were told before. */
  detach(): void {
    this.#model = undefined
    clearTimeout(this.#timer)
  }

  /** For the broker: there was no connection to be had. */
  fail(error: LuciliusError): void {
    this.#use.failed?.(error)
    this.#reject(error, isMistake(error))
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const over = () => {
        this.#waiting.delete(waiting)
        signal?.removeEventListener('abort', aborted)
      }
      const aborted = () => {
        over()
        reject(signal?.reason)
      }
      const waiting: Waiting = {
        once: signal === undefined,
        resolve: () => {
          over()
          resolve()
        },
        reject: (error) => {
          over()
          reject(error)
        },
      }
      this.#waiting.add(waiting)
      signal?.addEventListener('abort', aborted)
    })
  }

  #reject(error: LuciliusError, all: boolean): void {
    for (const { once, reject } of [...this.#waiting]) if (all || once) reject(error)
  }

  #open(): void {
    const model = this.#model
    if (model === undefined || this.#isClosed || this.#opening !== undefined) return
    this.#opening = this.#setUp(model).finally(() => {
      this.#opening = undefined
      if (!this.#isUp) this.#again()
    })
  }

  async #setUp(model: ChannelModel): Promise<void> {
    let error: unknown
    try {
      const channel = await this.#create(model)
      if (this.#isClosed) return await closeChannel(channel)
      channel.on('error', (one) => {
        error = one
      })
      channel.once('close', () => this.#gone(channel))
      this.#channel = channel
      await this.#use.setUp(channel)
      if (this.#channel !== channel || this.#isClosed) throw error ?? new Error('the channel was closed meanwhile')
      this.#isUp = true
      this.#use.up?.(channel)
      for (const { resolve } of [...this.#waiting]) resolve()
    } catch (cause) {
      if (this.#isClosed) return
      const failed = this.#channel
      this.#channel = undefined
      this.#isUp = false
      // The reason for which the broker closed the channel says more than a call that found it closed.
      this.fail(toTrouble(this.#where, error ?? cause))
      if (failed !== undefined) await closeChannel(failed)
    }
  }

  async #create(model: ChannelModel): Promise<C> {
    const wished = this.#use.confirms === false ? model.createChannel() : model.createConfirmChannel()
    return (await wished) as Channel as C // As `confirms` says, to the compiler too.
  }

  #gone(channel: C): void {
    if (this.#channel !== channel) return
    this.#channel = undefined
    if (!this.#isUp) return // Its set-up fails, and says so.
    this.#isUp = false
    this.#lostAt = performance.now()
    this.#use.lost?.()
    this.#again()
  }

  #again(): void {
    clearTimeout(this.#timer)
    if (this.#isClosed || this.#model === undefined) return
    this.#timer = setTimeout(() => this.#open(), againMs(this.#lostAt))
  }
}

/**
 * Gives up a channel on which the broker has cancelled a consumer, because its queue was deleted: a new one is set up in
 * its place.
 */
export function replaceChannel(channel: Channel): void {
  void closeChannel(channel)
}

/** Closes a channel; what was sent on it goes first. One that is closed already, or a broker that is gone, is no matter. */
async function closeChannel(channel: Channel): Promise<void> {
  let late: NodeJS.Timeout | undefined
  const enough = new Promise<void>((resolve) => {
    late = setTimeout(resolve, CLOSE_MS)
  })
  const lost = new Promise<void>((resolve) => channel.once('close', () => resolve()))
  // Where the channel is closed by now, `close` throws instead of rejecting.
  const closed = Promise.resolve()
    .then(() => channel.close())
    .catch(() => {})
  await Promise.race([closed, lost, enough])
  clearTimeout(late)
}
