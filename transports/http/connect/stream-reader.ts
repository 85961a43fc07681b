import type { Dispatcher } from 'undici'
import { type LuciliusCode, LuciliusError, type PortableLimits, type WireError } from '../../../lib/transport-kit.js'
import { ANNOUNCEMENT_LIMITS } from '../limits.js'
import { status, statusByCode } from '../status.js'
import { toErrorBody } from './answer.js'
import type { Answer } from './exchange.js'
import { type ServerSentEvent, ServerSentEvents } from './server-sent-events.js'

/** What comes out of a stream. */
export interface StreamEvents {
  /** An event. What it throws ends the stream. */
  onEvent(event: ServerSentEvent): void
  /** There was a sign of life. */
  onBytes(): void
  /** The stream has ended: `error` is absent if the listener ended it itself. Called once. */
  onEnd(error: Error | undefined): void
}

/** The response to `GET /stream`, which lasts as long as the connection. */
export class StreamReader implements Dispatcher.DispatchHandler {
  readonly #to: StreamEvents
  readonly #limits: Required<PortableLimits>
  readonly #events = new ServerSentEvents(ANNOUNCEMENT_LIMITS.maxBytes)
  readonly #body: Buffer[] = []
  #status = 0
  #isStream = false
  #isJson = false
  #ended = false

  constructor(to: StreamEvents, limits: Required<PortableLimits>) {
    this.#to = to
    this.#limits = limits
  }

  onRequestStart(): void {}

  onResponseStart(
    _: Dispatcher.DispatchController,
    code: number,
    headers: { 'content-type'?: string | string[] },
  ): void {
    const type = String(headers['content-type'])
    this.#status = code
    this.#isStream = code === status.ok && type.startsWith('text/event-stream')
    this.#isJson = type.startsWith('application/json')
  }

  onResponseData(controller: Dispatcher.DispatchController, bytes: Buffer): void {
    if (!this.#isStream) {
      if (this.#body.push(bytes) > 1000) controller.abort(new Error('The answer is no stream.'))
      return
    }
    try {
      this.#to.onBytes()
      for (const event of this.#events.push(bytes)) this.#to.onEvent(event)
    } catch (error) {
      // What the core says of a peer is told as it is.
      this.#end(error as Error)
      controller.abort(error as Error)
    }
  }

  onResponseEnd(): void {
    this.#end(this.#isStream ? undefined : this.#refusal())
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, cause: Error): void {
    this.#end(new LuciliusError('LUC_UNREACHABLE', 'The stream to the listener is broken.', { cause }))
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return
    this.#ended = true
    this.#to.onEnd(error)
  }

  #refusal(): Error {
    return noStream({ status: this.#status, isJson: this.#isJson, body: Buffer.concat(this.#body) }, this.#limits)
  }
}

/** What an answer to `GET /stream` says that is no stream. */
export function noStream(answer: Answer, limits: Required<PortableLimits>): Error {
  // RFC 9110 §15.5.5: it is not there, or not for us to see.
  if (answer.status === status.notFound) return forClients()
  try {
    const error = toErrorBody(answer, limits)
    const known = error && toLuciliusError(error)
    if (known !== undefined) return known
  } catch (error) {
    return error as Error
  }
  return new LuciliusError('LUC_WIRE_INVALID', `The listener answered with status ${answer.status}, not with a stream.`)
}

/**
 * The error that a listener answered to a request that is no act. Undefined for a code that answers no request: the core
 * would take some for mistakes of its own user, and try no more.
 */
export function toLuciliusError({ code, message, handled }: WireError): LuciliusError | undefined {
  if (!Object.hasOwn(statusByCode, code)) return undefined
  return new LuciliusError(code as LuciliusCode, message, { handled })
}

function forClients(): LuciliusError {
  return new LuciliusError(
    'LUC_FORBIDDEN',
    "This listener is for clients and tells nothing of what it answers. Open it with { audience: 'peers' }, or name what it answers: connect(transport, { patterns: ['role:convert,cmd:rate'] }).",
  )
}
