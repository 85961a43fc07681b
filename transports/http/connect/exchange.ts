import type { Dispatcher } from 'undici'
import { LuciliusError } from '../../../lib/transport-kit.js'

/** A response, whole. */
export interface Answer {
  readonly status: number
  readonly isJson: boolean
  readonly body: Buffer
}

/** One request. */
export interface Question {
  readonly method: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly headers: string[]
  readonly body?: string
}

/**
 * One request and its response, through undici's `dispatch`, which carries a quarter more than its `request`.
 *
 * Whether a request was ever started decides between `handled: 'no'` and `unknown`: undici calls `onRequestStart` just
 * before it writes the first byte, and no code of its errors proves as much.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly answer: Promise<Answer>
  #resolve!: (answer: Answer) => void
  #reject!: (error: LuciliusError) => void
  #controller: Dispatcher.DispatchController | undefined
  #given: LuciliusError | undefined
  #status = 0
  #isJson = false
  #first: Buffer | undefined
  #rest: Buffer[] | undefined

  constructor() {
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Gives up: nothing is sent that has not been sent yet, and the other side sees its socket close. */
  cancel(): void {
    const handled = this.#controller === undefined ? 'no' : 'unknown'
    const error = new LuciliusError('LUC_CANCELLED', 'The caller cancelled.', { handled })
    this.#given = error
    this.#controller?.abort(error)
    this.#reject(error)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // A request that waited for a socket cannot be taken out of the line: it ends here, before its first byte.
    if (this.#given !== undefined) controller.abort(this.#given)
    else this.#controller = controller
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: { 'content-type'?: string | string[] }): void {
    this.#status = status
    this.#isJson = isJson(headers['content-type'])
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#first === undefined) this.#first = chunk
    else if (this.#rest === undefined) this.#rest = [this.#first, chunk]
    else this.#rest.push(chunk)
  }

  onResponseEnd(): void {
    const body = this.#rest === undefined ? (this.#first ?? nothing) : Buffer.concat(this.#rest)
    this.#resolve({ status: this.#status, isJson: this.#isJson, body })
  }

  onResponseError(_: Dispatcher.DispatchController, cause: Error): void {
    this.#reject(this.#given ?? failure(cause, this.#controller !== undefined))
  }
}

const nothing = Buffer.alloc(0)

function isJson(type: string | string[] | undefined): boolean {
  return typeof type === 'string' && /^application\/json\s*(;|$)/i.test(type)
}

function failure(cause: Error, started: boolean): LuciliusError {
  if (!started) return new LuciliusError('LUC_UNREACHABLE', 'The listener cannot be reached.', { cause })
  if ((cause as { readonly code?: unknown }).code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return new LuciliusError('LUC_WIRE_INVALID', 'The answer has too many bytes.', { handled: 'unknown', cause })
  }
  return new LuciliusError('LUC_REPLY_LOST', 'The socket was closed before there was an answer.', { cause })
}
