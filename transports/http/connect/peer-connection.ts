import type { Client } from 'undici'
import {
  type Call,
  type Connection,
  decodeEnvelope,
  decodeJson,
  type Envelope,
  encodeJson,
  envelopeLimits,
  LuciliusError,
  type Observer,
  type Outcome,
} from '../../../lib/transport-kit.js'
import { ANNOUNCEMENT_LIMITS } from '../limits.js'
import type { Settings } from '../options.js'
import { status } from '../status.js'
import { toActOutcome, toErrorBody } from './answer.js'
import { askChallenge } from './challenge.js'
import { Outbox } from './outbox.js'
import type { Sender } from './sender.js'
import type { ServerSentEvent } from './server-sent-events.js'
import { StreamReader, toLuciliusError } from './stream-reader.js'

/** Heartbeats that may be missed. */
const MISSES = 2.5

/** The longest that a timer can be set to. */
const LONGEST_MS = 2 ** 31 - 1

/** Milliseconds for the last events of a connection that is closed. */
const LAST_EVENTS_MS = 1000

/**
 * The connection to a listener for peers: one stream that brings what it tells and its events, and requests of their own
 * for everything that goes the other way.
 */
export class PeerConnection implements Connection {
  readonly #observer: Observer
  readonly #sender: Sender
  readonly #client: Client
  readonly #settings: Settings
  readonly #host: string
  readonly #outbox: Outbox
  #id = ''
  #told = ''
  #telling = false
  #draining = false
  #ended = false
  #up = false
  #silence: NodeJS.Timeout | undefined
  #heartbeat: NodeJS.Timeout | undefined
  #isBeating = false
  #stopTelling: (() => void) | undefined
  #onKnown: (() => void) | undefined
  #onFailed: ((error: Error) => void) | undefined

  /** `client` carries the stream and nothing else; `host` is how it names whom it dials. */
  constructor(observer: Observer, sender: Sender, client: Client, settings: Settings, host: string) {
    this.#observer = observer
    this.#sender = sender
    this.#client = client
    this.#settings = settings
    this.#host = host
    const post = async (list: string) => toActOutcome(await sender.ask('POST', `/stream/${this.#id}`, list), settings)
    this.#outbox = new Outbox(post, envelopeLimits(settings).maxBytes)
  }

  /**
   * Opens the stream, hears the listener and tells it what this app is; where the listener has to prove something, it does
   * so first. Rejects with what stands in the way.
   */
  async open(path: string): Promise<void> {
    const { connectTimeoutMs } = this.#settings
    const late = () =>
      this.#end(new LuciliusError('LUC_UNREACHABLE', `The listener did not answer within ${connectTimeoutMs} ms.`))
    const timer = setTimeout(late, connectTimeoutMs)
    try {
      await new Promise<void>((resolve, reject) => {
        this.#onKnown = resolve
        this.#onFailed = reject
        this.#authorization(path)
          .then((authorization) => this.#read(path, authorization))
          .catch((error: Error) => this.#end(error))
      })
    } finally {
      clearTimeout(timer)
      this.#onFailed = undefined
    }
  }

  async #authorization(path: string): Promise<string | undefined> {
    const { authorization, prove } = this.#observer
    if (prove === undefined) return authorization
    const proof = prove(this.#host)
    const headers = streamFields(proof.hello)
    return proof.answer(...(await askChallenge(this.#client, { method: 'GET', path, headers }, this.#settings)))
  }

  #read(path: string, authorization: string | undefined): void {
    if (this.#ended) return
    this.#sender.authorize(authorization)
    const reader = new StreamReader(
      {
        onEvent: (event) => this.#onEvent(event),
        onBytes: () => this.#silence?.refresh(),
        onEnd: (error) => this.#end(error),
      },
      this.#settings,
    )
    this.#client.dispatch({ method: 'GET', path, headers: streamFields(authorization) }, reader)
  }

  carry = (envelope: Envelope, call: Call): Promise<Outcome> => {
    if (this.#ended) return Promise.reject(new LuciliusError('LUC_UNREACHABLE', 'The connection is closed.'))
    return envelope.kind === 'act' ? this.#sender.act(envelope, call, true) : this.#outbox.send(envelope)
  }

  async ping(): Promise<void> {
    await this.#sender.ask('GET', '/health')
  }

  async close(): Promise<void> {
    if (!this.#ended) await this.#outbox.idle(LAST_EVENTS_MS)
    this.#end(new LuciliusError('LUC_UNREACHABLE', 'The connection is closed.'))
  }

  #onEvent({ event, data }: ServerSentEvent): void {
    if (event === 'hello') this.#onHello(decodeJson(data, ANNOUNCEMENT_LIMITS))
    else if (event === 'announcement') this.#hear(decodeJson(data, ANNOUNCEMENT_LIMITS))
    else if (event === 'event') this.#receive(data)
  }

  #onHello(hello: unknown): void {
    const { connection, heartbeatMs, announcement } = (hello ?? {}) as { readonly [key: string]: unknown }
    if (typeof connection !== 'string' || !/^[\w-]{1,100}$/.test(connection)) throw invalid('has no id for this stream')
    if (typeof heartbeatMs !== 'number' || !(heartbeatMs > 0)) throw invalid('says no time between signs of life')
    if (this.#id !== '') throw invalid('said hello twice')
    this.#id = connection
    this.#sender.belongTo(connection)
    this.#hear(announcement)
    const tooQuiet = () => this.#end(new LuciliusError('LUC_UNREACHABLE', 'The listener gives no sign of life.'))
    this.#silence = setTimeout(tooQuiet, Math.min(heartbeatMs * MISSES, LONGEST_MS)).unref()
    this.#heartbeat = setInterval(() => void this.#beat(), Math.min(heartbeatMs, LONGEST_MS)).unref()
    this.#stopTelling = this.#observer.onTell(() => this.#tellNews())
    this.#tellNews()
  }

  /** Says that this side lives. What comes of it the stream shows. */
  async #beat(): Promise<void> {
    if (this.#isBeating || this.#draining) return
    this.#isBeating = true
    await this.#sender.ask('POST', `/stream/${this.#id}`, '[]').catch(() => {})
    this.#isBeating = false
  }

  #hear(announcement: unknown): void {
    this.#observer.hear(announcement)
    if ((announcement as { readonly draining?: unknown }).draining !== true || this.#draining) return
    // Told to leave: what was sent is answered, idle sockets are closed, by this side first.
    this.#draining = true
    this.#sender.finish()
  }

  #receive(data: string): void {
    let envelope: Envelope
    try {
      envelope = decodeEnvelope(data, this.#settings)
    } catch {
      return // One event that is too deep or too large for this side is no reason to part.
    }
    if (envelope.kind !== 'event') throw invalid('acts over a stream')
    void this.#observer.receive(envelope, { onCancel: undefined })
  }

  /** Tells what has changed, one announcement after another, the newest last. */
  #tellNews(): void {
    if (!this.#telling) void this.#tell().catch((error: Error) => this.#end(error, true))
  }

  async #tell(): Promise<void> {
    this.#telling = true
    try {
      while (!this.#ended && !this.#draining) {
        // The listener cannot act on this app: it would have to connect itself.
        const news = encodeJson({ ...this.#observer.tell(), actions: [] })
        if (news === this.#told) break
        const answer = await this.#sender.ask('PUT', `/stream/${this.#id}`, news)
        this.#told = news
        if (answer.status !== status.noContent && !this.#draining) throw refusalOf(answer, this.#settings)
      }
    } finally {
      this.#telling = false
    }
    if (this.#ended) return
    this.#up = true
    this.#onKnown?.()
  }

  /** `gently`: what was sent may still be answered. Without an error the listener ended the stream itself, and does so. */
  #end(error: Error | undefined, gently = error === undefined): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#silence)
    clearInterval(this.#heartbeat)
    this.#stopTelling?.()
    void this.#client.destroy().catch(() => {}) // It was destroyed already.
    if (gently) this.#sender.finish()
    else void this.#sender.destroy()
    this.#onFailed?.(error ?? new LuciliusError('LUC_UNREACHABLE', 'The listener ended the stream.'))
    if (this.#up) this.#observer.lost()
  }
}

function streamFields(authorization: string | undefined): string[] {
  const fields = ['accept', 'text/event-stream']
  return authorization === undefined ? fields : [...fields, 'authorization', authorization]
}

function refusalOf(answer: Parameters<typeof toErrorBody>[0], settings: Settings): Error {
  const error = toErrorBody(answer, settings)
  return (error && toLuciliusError(error)) ?? invalid(`answered with status ${answer.status}`)
}

function invalid(what: string): LuciliusError {
  return new LuciliusError('LUC_WIRE_INVALID', `The listener ${what}.`)
}
