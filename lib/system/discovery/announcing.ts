import { randomBytes } from 'node:crypto'
import { invalid } from '../invalid.js'
import type { MulticastDiscovery } from '../system.js'
import { announcementText, MOST_BYTES } from './announcement-text.js'
import { Hearing } from './hearing.js'
import { interfaceOf, machineAddresses } from './interface-of.js'
import { MulticastSocket } from './multicast-socket.js'
import type { Looking } from './provider.js'
import type { RejectionCount } from './rejections.js'

/** Where to announce, of which system, and what proves that a process belongs to it. */
export type MulticastSettings = MulticastDiscovery & { readonly space: string; readonly secret: string }

/** How often things happen, in ms. */
export interface Rhythm {
  /** Between two announcements. Whoever is silent for three of them is left out. */
  readonly everyMs: number
  /** Between two warnings of datagrams that were ignored. */
  readonly warnMs: number
}

/** A process that comes asks more than once, as datagrams get lost. */
const ASK_AFTER_MS = [0, 100, 300]
/** Those who hear it answer at any moment of this time, not all at once, and each at most once in twice the time. */
const ANSWER_WITHIN_MS = 100
/** How long the last word may take. */
const LAST_WORD_MS = 200

/** Says again and again where a process is, asks where the others are, and hears what they say. */
export class Announcing {
  readonly #settings: MulticastSettings
  readonly #rhythm: Rhythm
  readonly #looking: Looking
  readonly #rejections: RejectionCount
  readonly #hearing: Hearing
  readonly #timers = new Set<NodeJS.Timeout>()
  #socket: MulticastSocket | undefined
  /** The addresses of this machine when the socket was opened. */
  #machine = ''
  #isOpening = false
  #isClosed = false
  #isTroubled = false
  #answer: NodeJS.Timeout | undefined
  #answeredAt = Number.NEGATIVE_INFINITY

  constructor(settings: MulticastSettings, rhythm: Rhythm, looking: Looking, rejections: RejectionCount) {
    this.#settings = settings
    this.#rhythm = rhythm
    this.#looking = looking
    this.#rejections = rejections
    this.#hearing = new Hearing({
      space: settings.space,
      secret: settings.secret,
      looking,
      keepMs: 3 * rhythm.everyMs,
      reject: (reason) => rejections.add(reason),
    })
  }

  /** Resolves once it has asked, or has tried to. Throws `LUC_OPTIONS_INVALID` for what is too long to be said. */
  async start(): Promise<void> {
    if (this.#text({ ask: true, gone: true }).length > MOST_BYTES) {
      const cure = 'Give space and group shorter names, or this process a shorter address.'
      throw invalid(`multicast: an announcement has at most ${MOST_BYTES} bytes. ${cure}`)
    }
    this.#goOn()
    await this.#open()
  }

  /** Tells the others that nobody needs to try this address any more. Never rejects. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    await this.#sayGone()
    this.#leave()
  }

  async #open(): Promise<void> {
    if (this.#isOpening) return
    this.#isOpening = true
    this.#machine = machineAddresses().join()
    const { group, port } = this.#settings
    try {
      const socket = await MulticastSocket.open({
        group,
        port,
        interface: interfaceOf(this.#looking.self.url),
        onDatagram: (datagram) => this.#heard(datagram),
        onError: (error) => this.#trouble(error),
      })
      if (this.#isClosed) return socket.close()
      this.#socket = socket
      for (const ms of ASK_AFTER_MS) this.#later(ms, () => this.#announce({ ask: true }))
    } catch (error) {
      this.#trouble(error)
    } finally {
      this.#isOpening = false
    }
  }

  /** From time to time, never quite regularly: processes that started together do not go on together. */
  #goOn(): void {
    const { everyMs, warnMs } = this.#rhythm
    this.#later(everyMs * (0.9 + 0.2 * Math.random()), () => {
      this.#goOn()
      this.#hearing.forget()
      this.#rejections.warn(this.#looking.log, warnMs)
      // Another network: who joined a group on the old one has not joined it here.
      if (this.#machine !== machineAddresses().join()) this.#leave()
      if (this.#socket === undefined) void this.#open()
      else this.#announce()
    })
  }

  #heard(datagram: Buffer): void {
    if (this.#isClosed || !this.#hearing.hear(datagram) || this.#answer !== undefined) return
    const rest = this.#answeredAt + 2 * ANSWER_WITHIN_MS - performance.now()
    this.#answer = this.#later(Math.max(rest, Math.random() * ANSWER_WITHIN_MS), () => {
      this.#answer = undefined
      this.#answeredAt = performance.now()
      this.#announce()
    })
  }

  #announce(more: { readonly ask?: true } = {}): void {
    const socket = this.#socket
    socket?.send(this.#text(more), (error) => {
      if (this.#socket !== socket) return
      if (error) return this.#trouble(error)
      if (this.#isTroubled) this.#looking.log.info(this.#place(), 'multicast works again')
      this.#isTroubled = false
    })
  }

  #sayGone(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#socket === undefined) return resolve()
      const timer = setTimeout(resolve, LAST_WORD_MS)
      this.#socket.send(this.#text({ gone: true }), () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  #text(more: { readonly ask?: true; readonly gone?: true }): Buffer {
    const { space, secret } = this.#settings
    const { group, instance, url } = this.#looking.self
    const nonce = randomBytes(18).toString('base64url')
    return announcementText(secret, { space, group, instance, url, at: Date.now(), nonce, ...more })
  }

  /** Said once, until it works again. The next announcement tries anew. */
  #trouble(error: unknown): void {
    this.#leave()
    if (this.#isTroubled || this.#isClosed) return
    this.#isTroubled = true
    const facts = { err: error, ...this.#place() }
    this.#looking.log.warn(facts, 'no multicast: processes are not found by it and not told of this one. Trying again')
  }

  #leave(): void {
    this.#socket?.close()
    this.#socket = undefined
  }

  #place() {
    const { group, port } = this.#settings
    return { multicast: `${group}:${port}` }
  }

  /** No timer keeps the process alive, and none outlives `close`. */
  #later(ms: number, act: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms).unref()
    this.#timers.add(timer)
    return timer
  }
}
