import {
  decodeJson,
  LuciliusError,
  type Outcome,
  type PortableLimits,
  toOutcome,
  type WireError,
} from '../../../lib/transport-kit.js'
import { answerLimits } from '../limits.js'
import { status as known } from '../status.js'
import type { Answer } from './exchange.js'

/**
 * Reads what an action ended in.
 *
 * Only an error body of ours says whether the work was done. Any other answer, a redirect or a proxy's error page,
 * throws `handled: 'unknown'`: `LUC_REPLY_LOST` where a gateway speaks for itself, else `LUC_WIRE_INVALID`.
 */
export function toActOutcome(answer: Answer, limits: Required<PortableLimits>): Outcome {
  const { status, isJson, body } = answer
  if (status === known.noContent) return {}
  if (status === known.ok && isJson) return { reply: read(body, limits) }
  const error = toErrorBody(answer, limits)
  if (error !== undefined) return { error }
  if (status >= 500) throw new LuciliusError('LUC_REPLY_LOST', `Something in between answered with status ${status}.`)
  throw unreadable(`The answer has status ${status} and is none of the wire format.`)
}

/** The error that an answer holds, if it holds one of ours. Throws `LUC_WIRE_INVALID` for one that cannot be read. */
export function toErrorBody({ status, isJson, body }: Answer, limits: Required<PortableLimits>): WireError | undefined {
  if (status < 400 || !isJson) return undefined
  const value = read(body, limits)
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, 'error')) return undefined
  const { error } = toOutcome({ error: (value as { readonly error: unknown }).error })
  return error
}

function read(body: Buffer, limits: Required<PortableLimits>): unknown {
  try {
    return decodeJson(body, answerLimits(limits))
  } catch (cause) {
    throw unreadable('The answer cannot be read.', cause)
  }
}

function unreadable(message: string, cause?: unknown): LuciliusError {
  return new LuciliusError('LUC_WIRE_INVALID', message, { handled: 'unknown', cause })
}
