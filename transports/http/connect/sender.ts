import type { Pool } from 'undici'
import {
  type ActEnvelope,
  type Call,
  encodeJson,
  type FieldList,
  LuciliusError,
  type Outcome,
  writeClientMeta,
  writePeerAct,
} from '../../../lib/transport-kit.js'
import { CONNECTION } from '../fields.js'
import { answerLimits } from '../limits.js'
import type { Settings } from '../options.js'
import type { Target } from '../target.js'
import { toActOutcome } from './answer.js'
import { type Answer, Exchange } from './exchange.js'

/** Milliseconds for the answer to what an app tells and to its events: no call's deadline ends their wait. */
const ANSWER_MS = 30_000

const JSON_FIELDS = ['content-type', 'application/json'] as const

/** No time limits of undici for acts, which have a deadline of their own, and for the stream, which lasts. */
export const lasting = { headersTimeout: 0, bodyTimeout: 0 } as const

/** How undici opens a socket. */
export function socketOptions({ connectTimeoutMs, tls }: Settings): { readonly timeout: number } {
  return { ...tls, timeout: connectTimeoutMs }
}

/** How undici sends what is not the stream. */
export function poolOptions(settings: Settings): Pool.Options {
  return {
    ...lasting,
    connections: settings.connections,
    pipelining: 1,
    // Whoever closes an idle socket must not be the listener: a message might just be on its way. So it is closed here,
    // in less than the time in which an app drains.
    keepAliveTimeout: 4000,
    keepAliveMaxTimeout: 4000,
    maxResponseSize: answerLimits(settings).maxBytes,
    connect: socketOptions(settings),
  }
}

/** Sends requests to one listener. */
export class Sender {
  readonly #pool: Pool
  readonly #target: Target
  readonly #settings: Settings
  readonly #path: string
  readonly #readAct: (answer: Answer) => Outcome
  #fields: FieldList = []
  #actFields: FieldList = [...JSON_FIELDS]

  constructor(pool: Pool, target: Target, settings: Settings) {
    this.#pool = pool
    this.#target = target
    this.#settings = settings
    this.#path = `${target.prefix}/act`
    this.#readAct = (answer) => toActOutcome(answer, settings)
  }

  /** From now on each request says who this side is. */
  authorize(authorization: string | undefined): void {
    this.#fields = authorization === undefined ? [] : ['authorization', authorization]
    this.#actFields = [...JSON_FIELDS, ...this.#fields]
  }

  /** From now on the listener is told whose acts these are: those of the stream with this id. */
  belongTo(stream: string): void {
    this.#actFields = [...JSON_FIELDS, ...this.#fields, CONNECTION, stream]
  }

  /** Sends an act; `isPeer` says whether the listener may see more than its message. */
  act(envelope: ActEnvelope, call: Call, isPeer: boolean): Promise<Outcome> {
    let body: string
    const headers = [...this.#actFields]
    try {
      body = encodeJson(envelope.message)
      if (isLonger(body, this.#settings.maxBytes)) throw tooLarge(this.#settings.maxBytes)
      if (isPeer) writePeerAct(headers, envelope)
      else writeClientMeta(headers, envelope.meta)
    } catch (error) {
      return Promise.reject(error)
    }
    const exchange = new Exchange(this.#readAct)
    call.onCancel = () => exchange.cancel()
    this.#pool.dispatch({ method: 'POST', path: this.#path, headers, body }, exchange)
    return exchange.done
  }

  /** Sends any other request. */
  ask(method: 'GET' | 'POST' | 'PUT', path: string, body?: string): Promise<Answer> {
    const exchange = new Exchange((answer) => answer)
    const whole = `${this.#target.prefix}${path}`
    if (body === undefined) this.#pool.dispatch({ method, path: whole, headers: this.#fields }, exchange)
    else {
      const headers = [...JSON_FIELDS, ...this.#fields]
      this.#pool.dispatch(
        { method, path: whole, headers, body, headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS },
        exchange,
      )
    }
    return exchange.done
  }

  /** Lets what was sent be answered, and sends nothing more: idle sockets are closed at once. */
  finish(): void {
    if (!this.#pool.closed) this.#pool.close().catch(() => {}) // It was destroyed meanwhile.
  }

  /** Rejects what was not answered, at once. */
  async destroy(): Promise<void> {
    if (!this.#pool.destroyed) await this.#pool.destroy().catch(() => {}) // It was destroyed already.
  }
}

function isLonger(text: string, maxBytes: number): boolean {
  return text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes
}

function tooLarge(maxBytes: number): LuciliusError {
  return new LuciliusError('LUC_TOO_LARGE', `The message has more than ${maxBytes} bytes.`)
}
