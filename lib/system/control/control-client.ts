import { connect, type Socket } from 'node:net'
import { LuciliusError } from '../../errors.js'
import type { PatternLike } from '../../handler.js'
import type { StoreAdmin } from '../../store.js'
import { fromWireError } from '../../wire-error.js'
import { encodeJson } from '../../wire-json.js'
import type { PassedBatch } from '../passing.js'
import { adminOver } from '../store-questions.js'
import { LONGEST_LINE, readLines } from './bounded-lines.js'
import { type About, type ControlAnswer, type ControlReplies, type ControlRequest, toAnswer } from './protocol.js'

/** Milliseconds in which everything is answered but an act, and what is asked of a store. */
const ANSWER_MS = 5_000
/** The same for a store, which may have to be found again. */
const STORE_MS = 30_000
/** The longest that an act may take, and a while for its way: the app that runs it keeps its own time. */
const ACT_MS = 300_000
const WAY_MS = 1_000

/** How an act is to be sent. */
export interface ControlActOptions {
  readonly timeoutMs?: number | undefined
  /** Gives up when it aborts, and tells the handler. */
  readonly signal?: AbortSignal | undefined
  /** Hears, before the act settles, which process answered it, if any did, and within how many ms. */
  readonly answered?: ((by: string | undefined, ms: number) => void) | undefined
}

/** What passes is told. */
export interface Tracing {
  /** The ids of the processes that tell. */
  readonly of: readonly string[]
  /** Resolves when `signal` has aborted and all was told that passed before. Rejects with `LUC_REPLY_LOST`. */
  readonly ended: Promise<void>
}

/** The commands' end of a control socket. */
export interface ControlClient {
  readonly path: string
  /** What runs. */
  about(limitMs?: number): Promise<About>
  /** Sends a message there, as the app of what runs. Rejects as `app.act` does, and with `LUC_REPLY_LOST`. */
  act(message: PatternLike, options?: ControlActOptions): Promise<unknown>
  /** The actions that a pattern covers, or all. */
  list(pattern?: PatternLike): Promise<ControlReplies['list']>
  /** What would happen to a message there, and why. */
  explain(message: PatternLike): Promise<ControlReplies['explain']>
  /** The store of what runs there. Its questions are rejected with `LUC_STORE_REQUIRED` if there is none. */
  readonly store: StoreAdmin
  /** Tells what passes there from when it resolves, until `signal` aborts. Rejects with `LUC_REPLY_LOST`. */
  trace(hear: (batch: PassedBatch) => void, signal: AbortSignal): Promise<Tracing>
  /** Aborts when the socket is closed, from either end. */
  readonly closed: AbortSignal
  /** Closes the socket: what is still asked is given up, and cancelled there. */
  close(): void
}

/** Connects to a control socket. Rejects with `LUC_UNREACHABLE`. */
export async function connectControl(path: string): Promise<ControlClient> {
  const socket = await opened(path)
  const asked = new Asked(socket)
  return {
    path,
    about: (limitMs = ANSWER_MS) => asked.ask({ op: 'about' }, limitMs),
    act: (message, { timeoutMs, signal, answered } = {}) =>
      asked.ask(
        { op: 'act', message, ...(timeoutMs === undefined ? {} : { timeoutMs }) },
        (timeoutMs ?? ACT_MS) + WAY_MS,
        signal,
        ({ by, ms }) => ms !== undefined && answered?.(by, ms),
      ),
    list: (pattern) => asked.ask({ op: 'list', ...(pattern === undefined ? {} : { pattern }) }, ANSWER_MS),
    explain: (message) => asked.ask({ op: 'explain', message }, ANSWER_MS),
    store: adminOver((question) => asked.ask({ op: 'store', question }, STORE_MS)),
    trace: (hear, signal) => asked.trace(hear, signal),
    closed: asked.closed,
    close: () => void socket.destroy(),
  }
}

function opened(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    const failed = (cause: Error) => {
      clearTimeout(timer)
      socket.destroy()
      reject(new LuciliusError('LUC_UNREACHABLE', `Nobody answers at ${path}.`, { cause }))
    }
    const timer = setTimeout(() => failed(new Error('too slow')), ANSWER_MS)
    socket.once('error', failed)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', failed)
      resolve(socket)
    })
  })
}

/** A question that waits for its answer. */
interface Waiting {
  /** Hears each answer, the last one before it is settled. */
  readonly hear: ((answer: ControlAnswer) => void) | undefined
  settle(answer: ControlAnswer): void
}

/** A request without its id. */
type Question = ControlRequest extends infer R ? (R extends unknown ? Omit<R, 'id'> : never) : never

/** The questions of one socket that have no answer yet. */
class Asked {
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  readonly #closed = new AbortController()
  #last = 0

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => {}) // 'close' follows
    socket.once('close', () => {
      this.#closed.abort()
      this.#lost()
    })
    readLines(socket, {
      line: (text) => this.#onLine(text),
      tooLong: () => socket.destroy(),
    })
  }

  get closed(): AbortSignal {
    return this.#closed.signal
  }

  /**
   * Asks. What comes back has the type of the question's reply: it is the same version of lucilius that answers. When
   * `signal` aborts, the question is cancelled there, and answered with what comes of that.
   */
  ask<Op extends Question['op']>(
    question: Extract<Question, { readonly op: Op }>,
    limitMs: number,
    signal?: AbortSignal,
    hear?: Waiting['hear'],
  ): Promise<ControlReplies[Op]> {
    const id = ++this.#last
    const line = `${encodeJson({ id, ...question })}\n`
    if (Buffer.byteLength(line) > LONGEST_LINE) {
      return Promise.reject(new LuciliusError('LUC_TOO_LARGE', 'The message has more than 4 MiB.'))
    }
    return new Promise((resolve, reject) => {
      const late = new LuciliusError('LUC_DEADLINE_EXCEEDED', `No answer within ${limitMs} ms.`)
      const timer = Number.isFinite(limitMs)
        ? setTimeout(() => this.#settle(id, { error: wire(late) }), Math.min(limitMs, 2 ** 31 - 1))
        : undefined
      const cancel = () => void this.#cancel(id)
      const settle = ({ reply, error }: ControlAnswer) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', cancel)
        if (error !== undefined) reject(fromWireError(error))
        else resolve(reply as ControlReplies[Op])
      }
      this.#waiting.set(id, { hear, settle })
      if (this.#socket.destroyed) return this.#lost()
      this.#socket.write(line)
      if (signal?.aborted === true) cancel()
      else signal?.addEventListener('abort', cancel, { once: true })
    })
  }

  /** Asks what passes, from when that is told by all. */
  trace(hear: (batch: PassedBatch) => void, signal: AbortSignal): Promise<Tracing> {
    return new Promise((resolve, reject) => {
      const tracing = this.ask({ op: 'trace' }, Number.POSITIVE_INFINITY, signal, ({ begun, passed }) => {
        if (begun !== undefined) resolve({ of: begun, ended })
        if (passed !== undefined) hear(passed)
      })
      const ended = tracing.then(() => {})
      ended.then(() => resolve({ of: [], ended }), reject) // before it had begun
    })
  }

  /** What runs answers the question itself; one that does not even answer to this is not waited for. */
  async #cancel(id: number): Promise<void> {
    const error = new LuciliusError('LUC_CANCELLED', 'It was cancelled, and nobody said what came of it.')
    await this.ask({ op: 'cancel', of: id }, WAY_MS).catch(() => this.#settle(id, { error: wire(error) }))
  }

  #onLine(text: string): void {
    try {
      const answer = toAnswer(text)
      if (answer.id === undefined) return
      this.#waiting.get(answer.id)?.hear?.(answer)
      if (answer.begun === undefined && answer.passed === undefined) this.#settle(answer.id, answer)
    } catch {
      this.#socket.destroy() // no control socket of ours: whoever waits is told that nothing came
    }
  }

  #settle(id: number, answer: ControlAnswer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    waiting?.settle(answer)
  }

  #lost(): void {
    const error = new LuciliusError('LUC_REPLY_LOST', 'The control socket was closed before there was an answer.')
    for (const id of [...this.#waiting.keys()]) this.#settle(id, { error: wire(error) })
  }
}

function wire({ code, message, handled }: LuciliusError): Required<Pick<ControlAnswer, 'error'>>['error'] {
  return { code, message, handled }
}
