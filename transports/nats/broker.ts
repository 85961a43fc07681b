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
  #link: Link | undefined

  constructor(settings: Settings) {
    this.settings = settings
  }

  /** Takes a share. Rejects with `LUC_UNREACHABLE`, `LUC_UNAUTHENTICATED`, `LUC_OPTIONS_INVALID`. */
  async use(user: BrokerUser = {}): Promise<Lease> {
    this.#link ??= this.#open()
    const share: Share = new Share(this.#link, user, () => this.#leave(share))
    this.#shares.add(share)
    try {
      share.connection = await share.link.opening
      return share
    } catch (error) {
      if (this.#link === share.link) this.#link = undefined
      this.#shares.delete(share)
      throw error
    }
  }

  /** The error that says that there is no connection now. */
  unreachable(): LuciliusError {
    return new LuciliusError('LUC_UNREACHABLE', `The connection to the NATS server ${this.settings.shown} is lost.`)
  }

  async #leave(share: Share): Promise<void> {
    if (!this.#shares.delete(share) || this.#sharesOf(share.link).length > 0) return
    const { link } = share
    const { isUp } = link
    link.isUp = false
    if (this.#link === link) this.#link = undefined
    const nats = await link.opening
    if (nats.isClosed()) return
    if (isUp) await inTime(nats.drain(), GOODBYE_MS)
    await nats.close()
  }

  #open(): Link {
    const link: Link = { isUp: false, lostAt: performance.now(), opening: openClient(this.settings, () => link.lostAt) }
    link.opening.then(
      (nats) => void this.#follow(nats, link),
      () => {}, // Whoever waits for it is told.
    )
    return link
  }

  /** The library tells what becomes of a connection; a loss is told to whoever has a share. */
  async #follow(nats: NatsConnection, link: Link): Promise<void> {
    if (this.#link !== link) return
    link.isUp = true
    for await (const status of nats.status()) {
      if (this.#link !== link) return
      if (status.type === 'disconnect') this.#lost(link)
      else if (status.type === 'reconnect') this.#back(link)
      else if (status.type === 'error') this.#refused(link, status.error)
    }
    // It closes by itself only if its own code fails: the next share opens another one.
    if (this.#link !== link) return
    this.#link = undefined
    this.#lost(link)
  }

  #lost(link: Link): void {
    if (!link.isUp) return
    link.isUp = false
    link.lostAt = performance.now()
    for (const { user } of this.#sharesOf(link)) user.lost?.()
  }

  #back(link: Link): void {
    link.isUp = true
    for (const share of this.#sharesOf(link)) share.back()
  }

  #refused(link: Link, error: Error): void {
    const { name, operation, subject } = error as Error & { readonly operation?: string; readonly subject?: string }
    if (name !== 'PermissionViolationError' || operation !== 'publish' || subject === undefined) return
    for (const { user } of this.#sharesOf(link)) user.forbidden?.(subject)
  }

  #sharesOf(link: Link): Share[] {
    return [...this.#shares].filter((share) => share.link === link)
  }
}

/** One connection, through all its losses. */
interface Link {
  readonly opening: Promise<NatsConnection>
  isUp: boolean
  lostAt: number
}

class Share implements Lease {
  readonly link: Link
  readonly user: BrokerUser
  readonly release: () => Promise<void>
  #waiting: (() => void)[] = []
  /** Set before anybody is given the share. */
  connection: NatsConnection | undefined

  constructor(link: Link, user: BrokerUser, release: () => Promise<void>) {
    this.link = link
    this.user = user
    this.release = release
  }

  get nats(): NatsConnection {
    return this.connection as NatsConnection
  }

  get isUp(): boolean {
    return this.link.isUp
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
        reject(new LuciliusError('LUC_UNREACHABLE', `The connection to NATS was not back within ${limitMs} ms.`))
      }, limitMs)
      this.#waiting.push(wake)
    })
  }

  back(): void {
    this.user.back?.()
    for (const wake of this.#waiting.splice(0)) wake()
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
