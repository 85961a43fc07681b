import type { NatsConnection } from '@nats-io/transport-node'
import { LuciliusError } from '../../lib/transport-kit.js'
import { openClient } from './client.js'
import type { Settings } from './settings.js'

/** Milliseconds that the last words on a connection may take. */
const GOODBYE_MS = 1_000

/** Whoever wants to know how the connection fares. */
export interface BrokerUser {
  /** The connection is lost: whatever was under way may be. */
  lost?(): void
  /** It is there again, and with it every subscription. */
  back?(): void
  /** The server does not permit to publish to a subject. */
  forbidden?(subject: string): void
}

/** A share in the connection. */
export interface Lease {
  readonly nats: NatsConnection
  /** Whether there is a connection now. */
  readonly isUp: boolean
  /** Resolves when there is a connection. Rejects with `LUC_UNREACHABLE` if there is none after so many ms. */
  up(limitMs: number): Promise<void>
  /** Gives the share back; with the last one the connection is closed, once what was sent has left. */
  release(): Promise<void>
}

/**
 * The broker, through one connection that everything of one transport shares: opened with the first share, found again for
 * ever when it is lost, closed with the last share.
 */
export class Broker {
  readonly settings: Settings
  readonly #shares = new Set<Share>()
  #connecting: Promise<NatsConnection> | undefined
  #isUp = false
  #lostAt = 0

  constructor(settings: Settings) {
    this.settings = settings
  }

  /** Takes a share. Rejects with `LUC_UNREACHABLE`, `LUC_UNAUTHENTICATED`, `LUC_OPTIONS_INVALID`. */
  async use(user: BrokerUser = {}): Promise<Lease> {
    const share = new Share(this, user)
    this.#shares.add(share)
    try {
      this.#connecting ??= this.#connect()
      share.connection = await this.#connecting
      return share
    } catch (error) {
      this.#shares.delete(share)
      throw error
    }
  }

  /** Whether there is a connection now. */
  get isUp(): boolean {
    return this.#isUp
  }

  /** Where it cannot be reached, as an error. */
  unreachable(): LuciliusError {
    return new LuciliusError('LUC_UNREACHABLE', `The connection to the NATS server ${this.settings.shown} is lost.`)
  }

  /** @internal */
  async leave(share: Share): Promise<void> {
    if (!this.#shares.delete(share) || this.#shares.size > 0) return
    const connecting = this.#connecting
    const wasUp = this.#isUp
    this.#connecting = undefined
    this.#isUp = false
    const nats = await connecting
    if (nats === undefined || nats.isClosed()) return
    if (wasUp) await inTime(nats.drain(), GOODBYE_MS)
    await nats.close()
  }

  async #connect(): Promise<NatsConnection> {
    this.#lostAt = performance.now()
    const connecting = openClient(this.settings, () => this.#lostAt)
    try {
      const nats = await connecting
      this.#isUp = true
      void this.#follow(nats)
      return nats
    } catch (error) {
      this.#connecting = undefined
      throw error
    }
  }

  /** The library tells what becomes of a connection; a loss is told to whoever has a share. */
  async #follow(nats: NatsConnection): Promise<void> {
    const connecting = this.#connecting
    for await (const status of nats.status()) {
      if (this.#connecting !== connecting) return
      if (status.type === 'disconnect') this.#lost()
      else if (status.type === 'reconnect') this.#back()
      else if (status.type === 'error') this.#refused(status.error)
    }
    // It closes by itself only if its own code fails: the next share opens another one.
    if (this.#connecting !== connecting) return
    this.#connecting = undefined
    this.#lost()
  }

  #lost(): void {
    if (!this.#isUp) return
    this.#isUp = false
    this.#lostAt = performance.now()
    for (const { user } of [...this.#shares]) user.lost?.()
  }

  #back(): void {
    this.#isUp = true
    for (const share of [...this.#shares]) share.back()
  }

  #refused(error: Error): void {
    const { name, operation, subject } = error as Error & { readonly operation?: string; readonly subject?: string }
    if (name !== 'PermissionViolationError' || operation !== 'publish' || subject === undefined) return
    for (const { user } of [...this.#shares]) user.forbidden?.(subject)
  }
}

class Share implements Lease {
  readonly user: BrokerUser
  readonly #broker: Broker
  #waiting: (() => void)[] = []
  /** Set before anybody is given the share. */
  connection: NatsConnection | undefined

  constructor(broker: Broker, user: BrokerUser) {
    this.#broker = broker
    this.user = user
  }

  get nats(): NatsConnection {
    return this.connection as NatsConnection
  }

  get isUp(): boolean {
    return this.#broker.isUp && this.connection?.isClosed() === false
  }

  up(limitMs: number): Promise<void> {
    if (this.isUp) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const wake = () => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting = this.#waiting.filter((one) => one !== wake)
        reject(this.#broker.unreachable())
      }, limitMs)
      this.#waiting.push(wake)
    })
  }

  back(): void {
    this.user.back?.()
    for (const wake of this.#waiting.splice(0)) wake()
  }

  release(): Promise<void> {
    return this.#broker.leave(this)
  }
}

/** Waits for something whose end does not matter, but not for ever. */
async function inTime(done: Promise<unknown>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, limitMs)
  })
  await Promise.race([done.catch(() => {}), late])
  clearTimeout(timer)
}
