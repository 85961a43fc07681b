import { LuciliusError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { Discovery, Transport } from '../transport.js'
import { pauseMs } from './pace.js'

/** A connection to somebody who was found. */
export interface Joined {
  /** Resolves when the peer is known, or the connection was given up. Rejects with what no second try changes. */
  readonly known: Promise<void>
  /** It is there (again): tries to connect at once. */
  hurry(): void
  /** Closes the connection; what was learned over it is kept for as long as after a loss. */
  leave(): Promise<void>
  /** Closes the connection and forgets what was learned over it. */
  close(): Promise<void>
}

/** What no second try changes. */
const MISTAKES: ReadonlySet<string> = new Set(['LUC_OPTIONS_INVALID', 'LUC_FORBIDDEN', 'LUC_UNAUTHENTICATED'])

/** How many addresses are kept at most. */
const MOST = 10_000

/** How long an address is left alone where somebody was found with whom this app cannot talk, in ms. */
const REFUSED_MS = 5000

/** Finds those who listen on a medium where many do, and keeps a connection to each for as long as it is there. */
export class Search {
  readonly #transport: Transport
  readonly #join: (transport: Transport, ended: () => void) => Joined
  readonly #log: Logger
  readonly #joined = new Map<string, Joined>()
  /** Addresses that are left alone for a while. */
  readonly #refused = new Set<string>()
  readonly #given = new AbortController()
  #discovery: Discovery | undefined
  #warned = ''
  #isFull = false

  constructor(transport: Transport, join: (transport: Transport, ended: () => void) => Joined, log: Logger) {
    this.#transport = transport
    this.#join = join
    this.#log = log
  }

  /**
   * Resolves once those that are there now are known, or the search is closed. If somebody waits it rejects with what no
   * second try changes; else that is logged and tried again like anything else that keeps it from starting.
   */
  async start(wait: boolean): Promise<void> {
    const began = performance.now()
    for (;;) {
      try {
        const discovery = await this.#discover()
        if (this.#given.signal.aborted) await discovery.close()
        else this.#discovery = discovery
        await Promise.allSettled([...this.#joined.values()].map(({ known }) => known))
        return
      } catch (error) {
        if (this.#given.signal.aborted) return
        const code = error instanceof LuciliusError ? error.code : ''
        if (code === 'LUC_OPTIONS_INVALID' || (wait && MISTAKES.has(code))) throw error
        const level = code === this.#warned ? 'debug' : 'warn'
        this.#warned = code
        this.#log[level]({ err: error, transport: this.#transport.name }, 'could not look for peers, trying again')
        await this.#pause(pauseMs(began))
        if (this.#given.signal.aborted) return
      }
    }
  }

  /** Ends the search and the connections that came of it. */
  async close(): Promise<void> {
    this.#given.abort()
    const all = [...this.#joined.values()]
    this.#joined.clear()
    await Promise.all([this.#discovery?.close(), ...all.map((one) => one.close())])
  }

  async #discover(): Promise<Discovery> {
    // It was asked for because it is there.
    const discover = this.#transport.discover as NonNullable<Transport['discover']>
    return discover.call(this.#transport, {
      found: (address, to) => this.#found(address, to),
      gone: (address) => this.#gone(address),
    })
  }

  #found(address: string, to: Transport): void {
    if (this.#given.signal.aborted) return
    const known = this.#joined.get(address)
    if (known !== undefined) {
      known.hurry()
      return
    }
    if (this.#refused.has(address) || !this.#hasRoom()) return
    const ended = () => {
      if (this.#joined.get(address) === joined) this.#joined.delete(address)
    }
    const joined = this.#join(to, ended)
    this.#joined.set(address, joined)
    joined.known.catch((error) => {
      this.#log.warn({ err: error, address }, 'found a peer that this app cannot talk to')
      ended()
      void joined.close()
      this.#refused.add(address)
      setTimeout(() => this.#refused.delete(address), REFUSED_MS).unref()
    })
  }

  #hasRoom(): boolean {
    if (this.#joined.size + this.#refused.size < MOST) return true
    if (!this.#isFull) {
      const facts = { transport: this.#transport.name, most: MOST }
      this.#log.warn(facts, 'found more addresses than this app keeps: the others are left out')
    }
    this.#isFull = true
    return false
  }

  #gone(address: string): void {
    const known = this.#joined.get(address)
    this.#joined.delete(address)
    void known?.leave()
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#given
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, ms)
      signal.addEventListener('abort', end)
    })
  }
}
