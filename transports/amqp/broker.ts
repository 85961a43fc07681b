import type { Channel, ConfirmChannel } from 'amqplib'
import type { LuciliusError } from '../../lib/transport-kit.js'
import { againMs } from './again.js'
import { type BrokerLink, openBrokerLink } from './broker-link.js'
import { type ChannelUse, LastingChannel } from './lasting-channel.js'
import type { Settings } from './settings.js'
import { toTrouble } from './trouble.js'

/** What a broker needs to know of a channel, whatever it is for. */
type AnyChannel = Pick<LastingChannel<Channel>, 'attach' | 'detach' | 'fail'>

/**
 * The broker, through one connection that everything of one transport shares: opened when the first channel is held,
 * found again for ever when it is lost, closed when the last channel is.
 */
export class Broker {
  readonly #settings: Settings
  readonly #held = new Set<AnyChannel>()
  #link: BrokerLink | undefined
  #trying: Promise<void> | undefined
  #closing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #lostAt = 0
  #wasUp = false

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** Where it is, without credentials: for logs and messages. */
  get url(): string {
    return this.#settings.shown
  }

  /** Whether there is a connection now. */
  get isUp(): boolean {
    return this.#link !== undefined
  }

  /** Whether there has been one since the first channel was held: the options are right, and it will come back. */
  get wasUp(): boolean {
    return this.#wasUp
  }

  /** Opens a channel that comes back after each loss. Returns at once: see `whenUp`. It has to be closed. */
  hold<C extends Channel = ConfirmChannel>(use: ChannelUse<C>): LastingChannel<C> {
    const channel: LastingChannel<C> = new LastingChannel(use, this.url, () => this.#leave(channel))
    this.#held.add(channel)
    if (this.#link !== undefined) channel.attach(this.#link.model)
    else if (this.#held.size === 1) this.#lookFor()
    return channel
  }

  /**
   * Opens a channel for one piece of work and closes it: for what may fail in a way that closes the channel. Rejects with
   * what the work does (an error of amqplib has the reply of the broker as `code`: 404, 406, …), and with
   * `LUC_UNREACHABLE` if there is no connection now, or is none at the first attempt.
   */
  async once<T>(work: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
    const held = this.hold({ setUp: async () => {} })
    try {
      return await work(await held.whenUp())
    } finally {
      await held.close()
    }
  }

  #lookFor(): void {
    this.#lostAt = performance.now()
    void this.#try()
  }

  #try(): Promise<void> {
    this.#trying ??= this.#attempt().finally(() => {
      this.#trying = undefined
      if (this.#link === undefined) this.#again()
    })
    return this.#trying
  }

  async #attempt(): Promise<void> {
    await this.#closing
    try {
      const link = await openBrokerLink(this.#settings)
      if (this.#held.size === 0) {
        await link.close()
        return
      }
      this.#link = link
      this.#wasUp = true
      link.model.once('close', () => this.#lost(link))
      for (const channel of [...this.#held]) channel.attach(link.model)
    } catch (error) {
      this.#fail(toTrouble(this.url, error))
    }
  }

  #lost(link: BrokerLink): void {
    if (this.#link !== link) return
    this.#link = undefined
    for (const channel of [...this.#held]) channel.detach()
    this.#lostAt = performance.now()
    this.#again()
  }

  #fail(error: LuciliusError): void {
    for (const channel of [...this.#held]) channel.fail(error)
  }

  #again(): void {
    clearTimeout(this.#timer)
    if (this.#held.size > 0) this.#timer = setTimeout(() => void this.#try(), againMs(this.#lostAt))
  }

  async #leave(channel: AnyChannel): Promise<void> {
    this.#held.delete(channel)
    if (this.#held.size > 0) return
    clearTimeout(this.#timer)
    const link = this.#link
    this.#link = undefined
    this.#wasUp = false
    if (link !== undefined) this.#closing = link.close()
    await this.#closing
  }
}
