import type { Dispatcher } from 'undici'
import { LuciliusError } from '../../../lib/transport-kit.js'

/** A response, whole. */
export interface Answer {
  readonly status: number
  readonly isJson: boolean
  readonly body: Buffer
}

/**
 * One request and its response, through undici's `dispatch`, which carries a quarter more than its `request`.
 *
 * Whether a request was ever started decides between `handled: 'no'` and `unknown`: undici calls `onConnect` just before it
 * writes the first byte, and no code of its errors proves as much.
 *
 * These are the hooks that undici itself calls. It translates newer ones into them, which costs 1 µs a request; both
 * forms are in its documentation (`npm run bench -- remote --only B:lucilius#http`).
 */
export class Exchange<T> implements Dispatcher.DispatchHandler {
  readonly done: Promise<T>
  readonly #read: (answer: Answer) => T
  #resolve!: (value: T) => void
  #reject!: (error: unknown) => void
  #abort: ((error: Error) => void) | undefined
  #given: LuciliusError | undefined
  #status = 0
  #isJson = false
  #first: Buffer | undefined
  #rest: Buffer[] | undefined

  /** `read` makes something of the response; what it throws rejects `done`. */
  constructor(read: (answer: Answer) => T) {
    this.#read = read
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Gives up: nothing is sent that has not been sent yet, and the other side sees its socket close. */
  cancel(): void {
    const handled = this.#abort === undefined ? 'no' : 'unknown'
    const error = new LuciliusError('LUC_CANCELLED', 'The caller cancelled.', { handled })
    this.#given = error
    this.#abort?.(error)
    this.#reject(error)
  }

  onConnect(abort: (error?: Error) => void): void {
    // A request that waited for a socket cannot be taken out of the line: it ends here, before its first byte.
    if (this.#given !== undefined) abort(this.#given)
    else this.#abort = abort
  }

  onHeaders(status: number, headers: Buffer[]): boolean {
    this.#status = status
    this.#isJson = isJson(headers)
    return true
  }

  onData(chunk: Buffer): boolean {
    if (this.#first === undefined) this.#first = chunk
    else if (this.#rest === undefined) this.#rest = [this.#first, chunk]
    else this.#rest.push(chunk)
    return true
  }

  onComplete(): void {
    const body = this.#rest === undefined ? (this.#first ?? nothing) : Buffer.concat(this.#rest)
    try {
      this.#resolve(this.#read({ status: this.#status, isJson: this.#isJson, body }))
    } catch (error) {
      this.#reject(error)
    }
  }

  onError(cause: Error): void {
    this.#reject(this.#given ?? failure(cause, this.#abort !== undefined))
  }
}

const nothing = Buffer.alloc(0)

/** Names and values in turn, as they came. */
function isJson(headers: Buffer[]): boolean {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    if (headers[at]?.length !== 12 || headers[at]?.toString('latin1').toLowerCase() !== 'content-type') continue
    return /^application\/json\s*(;|$)/i.test(headers[at + 1]?.toString('latin1') ?? '')
  }
  return false
}

function failure(cause: Error, started: boolean): LuciliusError {
  if (!started) return new LuciliusError('LUC_UNREACHABLE', 'The listener cannot be reached.', { cause })
  if ((cause as { readonly code?: unknown }).code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return new LuciliusError('LUC_WIRE_INVALID', 'The answer has too many bytes.', { handled: 'unknown', cause })
  }
  return new LuciliusError('LUC_REPLY_LOST', 'The socket was closed before there was an answer.', { cause })
}
