import { receiveDirect } from '../direct.js'
import { LuciliusError } from '../errors.js'
import type { Logger } from '../logger.js'
import { pauseMs } from '../peers/pace.js'
import type { Connection, Observer, Transport } from '../transport.js'
import type { AddressBook } from './address-book.js'

/** What it is told of a process that is not there yet, or ends. */
const ABSENT: ReadonlySet<string> = new Set(['LUC_UNREACHABLE', 'LUC_SERVICE_CLOSED'])

/** Milliseconds after which it is a warning that nobody is where a process should be. */
const WARN_MS = 10_000

/** What a late transport needs. */
export interface LateOptions {
  /** The process to connect to. */
  readonly id: string
  /** The name of the transport that is made. In logs the process stands behind it. */
  readonly name: string
  /** Where it is by now. */
  readonly addresses: AddressBook
  /** Makes the transport that connects to an address. Throws what is wrong with the address. */
  readonly to: (url: string) => Transport
  readonly log: Logger
  /** Called each time that the process has told what it is. */
  readonly onFound?: () => void
}

/**
 * A transport to a process whose address may come late and may change. `connect` waits while there is none, and goes on
 * at once when another one is noted: a process that was started again on another port is found again.
 *
 * Tries to one address follow each other as those of a connection do. That nobody listens there is how processes start and
 * end: it is told once, and again as a warning after 10 s. Each other kind of trouble is a warning, told once.
 */
export function late(options: LateOptions): Transport {
  return {
    name: `${options.name} to ${options.id}`,
    listen: async () => {
      throw new LuciliusError('LUC_OPTIONS_INVALID', `The transport to '${options.id}' only connects.`)
    },
    connect: (observer) => new Search(options, observer).run(),
  }
}

/** One `connect`: it lasts until the process is reached or nobody wants it any more. */
class Search {
  readonly #options: LateOptions
  readonly #observer: Observer
  readonly #given = new AbortController()
  /** What was told last: the address where nobody is, or the code of what else is wrong. */
  #told = ''
  #hasWarned = false

  constructor(options: LateOptions, observer: Observer) {
    this.#options = options
    this.#observer = observer
  }

  async run(): Promise<Connection> {
    const { id, addresses } = this.#options
    const attempt = attemptOf(this.#observer)
    this.#observer.onGiveUp = () => {
      this.#given.abort()
      attempt.onGiveUp?.()
    }
    let since = performance.now()
    for (;;) {
      const url = addresses.urlOf(id)
      if (this.#given.signal.aborted) throw givenUp(id)
      if (url !== undefined) {
        try {
          const connection = await this.#options.to(url).connect(attempt)
          this.#options.onFound?.()
          return connection
        } catch (error) {
          if (this.#given.signal.aborted || !(error instanceof LuciliusError)) throw error
          this.#tell(error, url, since)
        }
        attempt.onGiveUp = undefined
      }
      if (addresses.urlOf(id) === url) await this.#pause(since, url !== undefined)
      if (addresses.urlOf(id) !== url) since = performance.now()
    }
  }

  /** Until there is another address, until it is time for another try of this one, or until it is given up. */
  async #pause(since: number, hasAddress: boolean): Promise<void> {
    const { id, addresses } = this.#options
    const over = new AbortController()
    const end = () => over.abort()
    this.#given.signal.addEventListener('abort', end)
    const timer = hasAddress ? setTimeout(end, pauseMs(since)) : undefined
    await addresses.changed(id, over.signal)
    clearTimeout(timer)
    this.#given.signal.removeEventListener('abort', end)
  }

  #tell(error: LuciliusError, url: string, since: number): void {
    const { id, log } = this.#options
    log.debug({ err: error, process: id }, `could not connect to ${id}, trying again`)
    if (ABSENT.has(error.code)) {
      this.#tellWaiting(url, performance.now() - since)
    } else if (error.code !== this.#told) {
      this.#told = error.code
      log.warn({ code: error.code, why: error.message }, `could not connect to ${id}, trying again`)
    }
  }

  #tellWaiting(url: string, waitedMs: number): void {
    const { id, log } = this.#options
    if (this.#told !== url) {
      this.#told = url
      log.info(`waiting for '${id}' at ${url}: nobody listens there yet`)
    }
    if (this.#hasWarned || waitedMs < WARN_MS) return
    this.#hasWarned = true
    const seconds = Math.round(waitedMs / 1000)
    log.warn(`still waiting for '${id}' at ${url}: nobody has listened there for ${seconds} s`)
  }
}

/** The same observer, but that giving up an attempt is not giving up the search. */
function attemptOf(observer: Observer): Observer {
  const { authorization, prove, silent } = observer
  return {
    tell: () => observer.tell(),
    onTell: (changed) => observer.onTell(changed),
    hear: (announcement) => observer.hear(announcement),
    receive: (envelope, call) => observer.receive(envelope, call),
    receiveDirect: (envelope, call) => receiveDirect(observer, envelope, call),
    lost: () => observer.lost(),
    onGiveUp: undefined,
    authorization,
    prove,
    ...(silent === undefined ? {} : { silent }),
  }
}

function givenUp(id: string): LuciliusError {
  return new LuciliusError('LUC_UNREACHABLE', `The search for '${id}' was given up.`)
}
