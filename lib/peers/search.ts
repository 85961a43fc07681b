import { LuciliusError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { Discovery, Transport } from '../transport.js'
import type { Keeper } from './connector.js'
import { LeftAlone } from './left-alone.js'
import { pauseMs } from './pace.js'
import { Turns } from './turns.js'

/** A connection to somebody who was found. */
export interface Joined {
  /** Resolves when the peer is known, or the connection was given up. Rejects with what no second try changes. */
  readonly known: Promise<void>
  /** Who is at the other end; undefined while nobody is. */
  readonly instance: string | undefined
  /** There is a sign that somebody is there: tries to connect now if it is not. */
  hurry(): void
  /** Closes the connection; what was learned over it is kept for as long as after a loss. */
  leave(): Promise<void>
  /** Closes the connection and forgets what was learned over it. */
  close(): Promise<void>
}

/** What a connection tells the search that it came of. */
export type Seeker = Omit<Keeper, 'patienceMs'>

/** Connects to somebody who was found. */
export type Join = (transport: Transport, seeker: Seeker) => Joined

/** What no second try changes. */
const MISTAKES: ReadonlySet<string> = new Set(['LUC_OPTIONS_INVALID', 'LUC_FORBIDDEN', 'LUC_UNAUTHENTICATED'])

/** How many addresses are kept at most. */
const MOST = 10_000

/** How long an address is left alone where somebody was found with whom this app cannot talk, in ms. */
const REFUSED_MS = 5000

/** The same for one that leads to this app itself, or to somebody to whom another one leads. */
const NEEDLESS_MS = 30_000

/** How many are tried at a time that were never met: each takes a file handle, and anything may have been found. */
const MOST_TRIES = 64

/** Finds those who listen on a medium where many do, and keeps a connection to each for as long as it is there. */
export class Search {
  readonly #transport: Transport
  readonly #join: Join
  readonly #log: Logger
  readonly #joined = new Map<string, Joined>()
  /** The addresses of those that are connected, by instance. */
  readonly #met = new Map<string, string>()
  readonly #leftAlone = new LeftAlone()
  readonly #turns = new Turns(MOST_TRIES)
  readonly #given = new AbortController()
  #discovery: Discovery | undefined
  #warned = ''
  #isFull = false

  constructor(transport: Transport, join: Join, log: Logger) {
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
    this.#leftAlone.clear()
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
    if (this.#leftAlone.has(address) || !this.#hasRoom()) return
    const joined = this.#join(to, {
      turns: this.#turns,
      met: ({ instance }) => this.#isFirst(instance, address),
      lost: ({ instance }) => this.#lost(instance, address),
      ended: (why) => {
        this.#joined.delete(address)
        if (why === 'itself') this.#leftAlone.add(address, NEEDLESS_MS)
      },
    })
    this.#joined.set(address, joined)
    joined.known.catch((error) => {
      this.#log.warn({ err: error, address }, 'found a peer that this app cannot talk to')
      if (this.#joined.get(address) === joined) this.#joined.delete(address)
      void joined.close()
      this.#leftAlone.add(address, REFUSED_MS)
    })
  }

  /** Whether no other address leads to an instance; else this one is left alone while the other does. */
  #isFirst(instance: string, address: string): boolean {
    const other = this.#met.get(instance) ?? address
    if (other === address) this.#met.set(instance, address)
    else this.#leftAlone.add(address, NEEDLESS_MS, instance)
    return other === address
  }

  #lost(instance: string, address: string): void {
    if (this.#met.get(instance) !== address) return
    this.#met.delete(instance)
    this.#leftAlone.free(instance)
  }

  #hasRoom(): boolean {
    if (this.#joined.size + this.#leftAlone.size < MOST) return true
    if (!this.#isFull) {
      const facts = { transport: this.#transport.name, most: MOST }
      this.#log.warn(facts, 'found more addresses than this app keeps: the others are left out')
    }
    this.#isFull = true
    return false
  }

  #gone(address: string): void {
    const known = this.#joined.get(address)
    if (known === undefined) return
    this.#joined.delete(address)
    if (known.instance !== undefined) this.#lost(known.instance, address)
    void known.leave()
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
