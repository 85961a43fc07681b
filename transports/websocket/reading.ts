import { decodeJson, isMessage, LuciliusError, type Message } from '../../lib/transport-kit.js'
import { type Row, rowHead } from './row.js'

/** What a frame is read into. */
export interface Reader {
  /** A message that is safe to look at. */
  take(message: Message): void
  /** The same, if it came as a row. */
  takeRow(row: Row): void
  /** One that is not, with what can be told of it. */
  refuse(kind: unknown, id: unknown, error: LuciliusError): void
}

/** How long and how deep a frame may be. */
export interface FrameLimits {
  readonly maxBytes: number
  readonly maxDepth: number
}

/**
 * Reads a frame: one message or an array of them. Throws `LUC_WIRE_INVALID` for what is not JSON, `LUC_TOO_LARGE`.
 *
 * It is decoded once for all its messages. Only if one of them is too deep or has a poisonous key they are looked at
 * one by one, so that the others do not suffer for it.
 */
export function readFrame(text: string, limits: FrameLimits, reader: Reader): void {
  let frame: unknown
  try {
    frame = decodeJson(text, { maxBytes: limits.maxBytes, maxDepth: limits.maxDepth + envelopes(text) })
  } catch (error) {
    if ((error as LuciliusError).code !== 'LUC_MESSAGE_INVALID') throw error
    salvage(text, limits, reader)
    return
  }
  if (Array.isArray(frame)) for (const one of frame) takeOne(one, reader)
  else takeMessage(frame, reader)
}

/** How many levels there are around a message: its envelope, and the array of those that were joined. */
function envelopes(text: string): number {
  return text.charCodeAt(0) === openBracket ? 2 : 1
}

const openBracket = 0x5b

function takeOne(value: unknown, reader: Reader): void {
  if (Array.isArray(value)) reader.takeRow(value)
  else takeMessage(value, reader)
}

function takeMessage(value: unknown, reader: Reader): void {
  if (isMessage(value)) reader.take(value)
  else reader.refuse(undefined, undefined, new LuciliusError('LUC_WIRE_INVALID', 'A frame holds objects.'))
}

function salvage(text: string, limits: FrameLimits, reader: Reader): void {
  const frame = parsed(text)
  for (const one of Array.isArray(frame) ? frame : [frame]) {
    let clean: unknown
    try {
      clean = decodeJson(JSON.stringify(one), { maxBytes: limits.maxBytes, maxDepth: limits.maxDepth + 1 })
    } catch (error) {
      // JSON.parse makes `__proto__` an own property like any other, so these two are what was sent.
      const { kind, id } = isMessage(one) ? one : Array.isArray(one) ? rowHead(one) : {}
      reader.refuse(kind, id, asOurs(error))
      continue
    }
    takeOne(clean, reader)
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new LuciliusError('LUC_WIRE_INVALID', 'The frame is not JSON.')
  }
}

/** What is deeper than the stack cannot even be written again. */
function asOurs(error: unknown): LuciliusError {
  if (error instanceof LuciliusError) return error
  return new LuciliusError('LUC_MESSAGE_INVALID', 'The JSON has too many objects and arrays inside each other.')
}
