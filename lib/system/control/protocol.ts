import { LuciliusError } from '../../errors.js'
import type { ActionInfo, Explanation } from '../../explain.js'
import { isMessage, type Message } from '../../message.js'
import type { WireError } from '../../transport.js'
import { decodeJson, encodeJson } from '../../wire-json.js'
import { type PassedBatch, toPassedBatch } from '../passing.js'
import { type StoreQuestion, toStoreQuestion } from '../store-questions.js'
import { LONGEST_LINE } from './bounded-lines.js'

/** A process of what runs, as far as it is known. */
export interface AboutProcess {
  readonly id: string
  readonly pid?: number | undefined
  /** Where its peers reach it. */
  readonly url?: string | undefined
  /** Its doors to the outside. */
  readonly doors?: readonly { readonly transport: string; readonly url: string }[]
}

/** What runs behind a control socket. */
export interface About {
  /** The name of the system. */
  readonly name: string
  /** What opened the socket: `dev`, `up-split`, `start-split-convert.1`. */
  readonly what: string
  readonly pid: number
  /** The name of the deployment that runs. */
  readonly deployment: string
  readonly processes: readonly AboutProcess[]
}

/** What a control socket is asked, one JSON text a line. */
export type ControlRequest = { readonly id: number } & (
  | { readonly op: 'act'; readonly message: Message | string; readonly timeoutMs?: number }
  | { readonly op: 'list'; readonly pattern?: Message | string }
  | { readonly op: 'explain'; readonly message: Message | string }
  | { readonly op: 'about' }
  | { readonly op: 'store'; readonly question: StoreQuestion }
  /** Tells what passes, in answers with `begun` and `passed`, until it is cancelled: that is when it is replied to. */
  | { readonly op: 'trace' }
  /** Gives up the question of this id, which is answered all the same. The reply: whether it was still open. */
  | { readonly op: 'cancel'; readonly of: number }
)

/** What is answered, one JSON text a line. Without an id: the line was no request. */
export interface ControlAnswer {
  readonly id?: number
  readonly reply?: unknown
  readonly error?: WireError
  /** To `act`: which process answered, or was asked last. Absent if none was. */
  readonly by?: string
  /** To `act`: how long it took, as what runs sees it. */
  readonly ms?: number
  /** To `trace`: the ids of the processes that tell. What passes there from here on is told. Another answer follows. */
  readonly begun?: readonly string[]
  /** To `trace`: something passed. Another answer follows. */
  readonly passed?: PassedBatch
}

/** What is answered to each question. */
export interface ControlReplies {
  readonly act: unknown
  readonly list: readonly ActionInfo[]
  readonly explain: Explanation
  readonly about: About
  readonly store: unknown
  readonly trace: unknown
  readonly cancel: boolean
}

/** A message that is as deep as one may be stands within a request. */
const LIMITS = { maxBytes: LONGEST_LINE, maxDepth: 66 }

/** The id of a line that may be no request, so that whoever asked can be told. */
export interface Broken {
  readonly id: number | undefined
  readonly error: LuciliusError
}

/** Reads a line. Never throws. */
export function toRequest(line: string): ControlRequest | Broken {
  let value: unknown
  try {
    value = decodeJson(line, LIMITS)
  } catch (error) {
    return broken(undefined, (error as LuciliusError).message) // decodeJson throws no other
  }
  if (!isMessage(value) || !Number.isSafeInteger(value.id)) return broken(undefined, "A request has an 'id', a number.")
  const { op, message, pattern, timeoutMs, question, of } = value
  const id = value.id as number // a safe integer, as was just seen
  switch (op) {
    case 'about':
      return { id, op }
    case 'list':
      if (pattern !== undefined && !isText(pattern)) return broken(id, "'pattern' is a text or an object.")
      return pattern === undefined ? { id, op } : { id, op, pattern }
    case 'explain':
      return isText(message) ? { id, op, message } : broken(id, "'message' is a text or an object.")
    case 'act':
      if (!isText(message)) return broken(id, "'message' is a text or an object.")
      if (timeoutMs !== undefined && typeof timeoutMs !== 'number') return broken(id, "'timeoutMs' is a number.")
      return { id, op, message, ...(timeoutMs === undefined ? {} : { timeoutMs }) }
    case 'store': {
      const asked = toStoreQuestion(question)
      return asked === undefined ? broken(id, "'question' is one for a store.") : { id, op, question: asked }
    }
    case 'trace':
      return { id, op }
    case 'cancel':
      return typeof of === 'number' ? { id, op, of } : broken(id, "'of' is the id of a question.")
    default:
      return broken(id, "'op' is act, list, explain, about, store, trace or cancel.")
  }
}

/** Tells a request from what is none. */
export function isBroken(read: ControlRequest | Broken): read is Broken {
  return 'error' in read
}

/** Writes an answer as a line. What cannot be carried becomes an error, so that there is always an answer. */
export function toLine(answer: ControlAnswer): string {
  const line = `${encodeJson(answer, 'reply')}\n`
  if (Buffer.byteLength(line) <= LONGEST_LINE) return line
  throw new LuciliusError('LUC_REPLY_INVALID', `The reply has more than ${LONGEST_LINE} bytes, which is too much here.`)
}

/** Reads an answer. Throws `LUC_WIRE_INVALID` for what is none. */
export function toAnswer(line: string): ControlAnswer {
  const value = decodeJson(line, { ...LIMITS, maxBytes: LONGEST_LINE + 1 })
  if (!isMessage(value)) throw new LuciliusError('LUC_WIRE_INVALID', 'What answers is no control socket of lucilius.')
  const { id, reply, error, by, ms, begun } = value
  const passed = toPassedBatch(value.passed)
  const answer = {
    ...(typeof id === 'number' ? { id } : {}),
    ...(reply === undefined ? {} : { reply }),
    ...(typeof by === 'string' ? { by } : {}),
    ...(typeof ms === 'number' ? { ms } : {}),
    ...(Array.isArray(begun) ? { begun: begun.map(String) } : {}),
    ...(passed === undefined ? {} : { passed }),
  }
  if (error === undefined) return answer
  if (isWireError(error)) return { ...answer, error }
  throw new LuciliusError('LUC_WIRE_INVALID', 'What answers is no control socket of lucilius.')
}

function isText(value: unknown): value is Message | string {
  return typeof value === 'string' || isMessage(value)
}

function isWireError(value: unknown): value is WireError {
  if (!isMessage(value)) return false
  const { code, message, handled } = value
  return typeof code === 'string' && typeof message === 'string' && isHandled(handled)
}

function isHandled(value: unknown): boolean {
  return value === 'no' || value === 'yes' || value === 'unknown'
}

function broken(id: number | undefined, message: string): Broken {
  return { id, error: new LuciliusError('LUC_WIRE_INVALID', message) }
}
