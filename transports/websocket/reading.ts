import { decodeJson, isMessage, LuciliusError, type Message, type PortableLimits } from '../../lib/transport-kit.js'
import { ANNOUNCEMENT_BYTES, ENVELOPE_BYTES, mayAnnounce } from './frame-limits.js'
import { isLonger } from './length.js'
import { type Row, rowHead } from './row.js'

/** What a frame is read into. */
export interface Reader {
  /** Whoever sent the frame is not listened to any more: what is left of it is not read. */
  readonly done: boolean
  /** A message that is safe to look at. */
  take(message: Message): void
  /** The same, if it came as a row. */
  takeRow(row: Row): void
  /** One that is not, with what can be told of it. */
  refuse(kind: unknown, id: unknown, error: LuciliusError): void
}

/** How long and how deep a message may be. */
export interface MessageLimits {
  readonly maxBytes: number
  readonly maxDepth: number
}

/**
 * Reads a frame: one message or an array of them. Throws `LUC_WIRE_INVALID` for what is not JSON, and `LUC_TOO_LARGE`: an
 * announcement alone may be longer than a message with what stands around it.
 *
 * It is decoded once for all its messages. Only if one of them is too deep or has a poisonous key they are looked at
 * one by one, so that the others do not suffer for it.
 */
export function readFrame(text: string, { maxBytes, maxDepth }: MessageLimits, reader: Reader): void {
  const most = maxBytes + ENVELOPE_BYTES
  if (mayAnnounce(text) && isLonger(text, most)) {
    takeLong(text, most, maxDepth, reader)
    return
  }
  let frame: unknown
  try {
    frame = decodeJson(text, { maxBytes: most, maxDepth: maxDepth + envelopes(text) })
  } catch (error) {
    if ((error as LuciliusError).code !== 'LUC_MESSAGE_INVALID') throw error
    salvage(text, { maxBytes: most, maxDepth: maxDepth + 1 }, reader)
    return
  }
  if (Array.isArray(frame)) takeAll(frame, reader)
  else takeMessage(frame, reader)
}

/** What begins as an announcement does has to be one: of two properties with the same name the last one counts. */
function takeLong(text: string, most: number, maxDepth: number, reader: Reader): void {
  const frame = decodeJson(text, { maxBytes: ANNOUNCEMENT_BYTES, maxDepth })
  if (isMessage(frame) && frame.kind === 'announcement') reader.take(frame)
  else throw new LuciliusError('LUC_TOO_LARGE', `A frame has at most ${most} bytes.`)
}

/** How many levels there are around a message: its envelope, and the array of those that were joined. */
function envelopes(text: string): number {
  return text.charCodeAt(0) === openBracket ? 2 : 1
}

const openBracket = 0x5b

function takeAll(frame: readonly unknown[], reader: Reader): void {
  for (const one of frame) {
    if (reader.done) return
    takeOne(one, reader)
  }
}

function takeOne(value: unknown, reader: Reader): void {
  if (Array.isArray(value)) reader.takeRow(value)
  else takeMessage(value, reader)
}

function takeMessage(value: unknown, reader: Reader): void {
  if (isMessage(value)) reader.take(value)
  else reader.refuse(undefined, undefined, new LuciliusError('LUC_WIRE_INVALID', 'A frame holds objects.'))
}

function salvage(text: string, limits: PortableLimits, reader: Reader): void {
  const frame = parsed(text)
  for (const one of Array.isArray(frame) ? frame : [frame]) {
    if (reader.done) return
    let clean: unknown
    try {
      clean = decodeJson(JSON.stringify(one), limits)
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
