import { connect } from 'node:net'
import {
  type Call,
  type Connection,
  type Envelope,
  LuciliusError,
  type Observer,
  type Outcome,
} from '../../../lib/transport-kit.js'
import type { Target } from '../target.js'
import type { Sender } from './sender.js'

/** Codes after which whoever is there has to be looked for again. */
const GONE: ReadonlySet<string> = new Set(['LUC_UNREACHABLE', 'LUC_SERVICE_CLOSED'])

/**
 * The connection to a service that only speaks the wire format: it tells nothing, so a call that cannot be sent is how one
 * learns that it is gone.
 */
export class SilentConnection implements Connection {
  readonly #observer: Observer
  readonly #sender: Sender
  #ended = false

  constructor(observer: Observer, sender: Sender) {
    this.#observer = observer
    this.#sender = sender
  }

  carry = async (envelope: Envelope, call: Call): Promise<Outcome> => {
    if (this.#ended) throw new LuciliusError('LUC_UNREACHABLE', 'The connection is closed.')
    if (envelope.kind === 'event') throw new LuciliusError('LUC_UNREACHABLE', 'This service has not asked for events.')
    try {
      const outcome = await this.#sender.act(envelope, call, false)
      if (outcome.error !== undefined && GONE.has(outcome.error.code)) this.#lose()
      return outcome
    } catch (error) {
      if (error instanceof LuciliusError && GONE.has(error.code)) this.#lose()
      throw error
    }
  }

  async ping(): Promise<void> {
    await this.#sender.ask('GET', '/health')
  }

  async close(): Promise<void> {
    if (this.#ended) return
    this.#ended = true
    await this.#sender.destroy()
    this.#observer.lost()
  }

  /** What else was sent may still be answered. */
  #lose(): void {
    if (this.#ended) return
    this.#ended = true
    this.#sender.finish()
    this.#observer.lost()
  }
}

/** Resolves if something takes connections at an address, and sends nothing. Rejects with `LUC_UNREACHABLE`. */
export function probe({ origin }: Target, limitMs: number, observer: Observer): Promise<void> {
  const { hostname, port, protocol } = new URL(origin)
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown) => {
      socket.destroy()
      reject(new LuciliusError('LUC_UNREACHABLE', `Nobody can be reached at ${origin}.`, { cause }))
    }
    const host = hostname.replace(/^\[|\]$/g, '')
    const socket = connect(port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port), host)
    observer.onGiveUp = fail
    socket.setTimeout(limitMs, fail)
    socket.once('error', fail)
    socket.once('connect', () => {
      socket.destroy()
      resolve()
    })
  })
}
