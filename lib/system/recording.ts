import { createWriteStream, type WriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { LuciliusError } from '../errors.js'
import type { Sending } from '../host.js'
import type { Logger } from '../logger.js'
import { isMessage, type Scalar } from '../message.js'
import { decodeJson } from '../wire-json.js'
import { scalarPairs } from './scalar-pairs.js'

/**
 * One line of a recorded run: a service sent such a message. A recording is a file of JSON lines (NDJSON), each kind of
 * message once, in the order in which they came first:
 *
 * `{"service":"convert","kind":"act","message":{"role":"rates","cmd":"get"}}`
 *
 * `message` has the scalar pairs of the pattern as it was written in the code; of a call without data beside the pattern
 * those of the whole message. So a recording may hold values that were sent: only its owner may read the file.
 */
export interface RecordedSending {
  /** The service that sent it. */
  readonly service: string
  /** An act, or an event. */
  readonly kind: 'act' | 'emit'
  /** What a pattern can ask for of it. */
  readonly message: Readonly<Record<string, Scalar>>
}

/** Different lines that a recording has at most: a run with data in its patterns would never come to an end. */
export const MOST_RECORDED = 10_000

/** Bytes of a line that are read. */
const LONGEST_LINE = 64 * 1024

/** A recording that is being written. */
export interface Recording {
  /** Takes down what a service sends, unless that stands there already. Never throws. */
  readonly onSend: (sending: Sending) => void
  /** Takes down what was sent in another process, unless that stands there already. Never throws. */
  readonly take: (sending: RecordedSending) => void
  /** Resolves when all has been written. Rejects with `LUC_OPTIONS_INVALID` if the file could not be. */
  close(): Promise<void>
}

/** Begins a recording, in the place of what the file held. Rejects with `LUC_OPTIONS_INVALID`. */
export async function openRecording(file: string, log: Pick<Logger, 'warn'>): Promise<Recording> {
  const handle = await open(file, 'w', 0o600).catch((cause) => {
    throw unusable(file, 'written', cause)
  })
  const stream = createWriteStream(file, { fd: handle })
  let failure: Error | undefined
  stream.on('error', (cause) => {
    failure ??= unusable(file, 'written', cause)
  })
  const take = eachOnce((_, line, count) => {
    stream.write(`${line}\n`)
    if (count === MOST_RECORDED) {
      log.warn({ file }, `${MOST_RECORDED} different messages are recorded, and no more will be`)
    }
  })
  return {
    take,
    onSend: recorded(take),
    close: async () => {
      await ended(stream)
      if (failure !== undefined) throw failure
    },
  }
}

/** Hears of what services send, and gives each kind of message once: 10,000 at most. Never throws. */
export function distinctSendings(give: (sending: RecordedSending) => void): (sending: Sending) => void {
  return recorded(eachOnce(give))
}

/** Whether a value has what a recorded sending needs. */
export function isRecordedSending(value: unknown): value is RecordedSending {
  const { service, kind, message } = isMessage(value) ? value : {}
  return typeof service === 'string' && (kind === 'act' || kind === 'emit') && isMessage(message)
}

/** Reads a recording. Rejects with `LUC_OPTIONS_INVALID`, which names the line. */
export async function readRecording(file: string): Promise<readonly RecordedSending[]> {
  const found = new Map<string, RecordedSending>()
  const handle = await open(file, 'r').catch((cause) => {
    throw unusable(file, 'read', cause)
  })
  try {
    let at = 0
    for await (const line of createInterface({ input: handle.createReadStream({ autoClose: false }) })) {
      at++
      if (line.trim() === '') continue
      if (found.size >= MOST_RECORDED) break
      found.set(line, toRecorded(line, `${file}:${at}`))
    }
  } catch (error) {
    throw error instanceof LuciliusError ? error : unusable(file, 'read', error)
  } finally {
    await handle.close()
  }
  return [...found.values()]
}

/** Takes sendings as they are recorded; what no pattern could have been written for is left out. */
function recorded(take: (sending: RecordedSending) => void): (sending: Sending) => void {
  return ({ service, kind, pattern }) => {
    try {
      const sorted = Object.entries(scalarPairs(pattern)).sort(([a], [b]) => (a < b ? -1 : 1))
      take({ service, kind, message: Object.fromEntries(sorted) })
    } catch {
      // a getter that throws, a text that is no message: the call itself will say so
    }
  }
}

/** Gives each once, with its line and how many there are by now. */
function eachOnce(
  give: (sending: RecordedSending, line: string, count: number) => void,
): (sending: RecordedSending) => void {
  const seen = new Set<string>()
  return ({ service, kind, message }) => {
    if (seen.size >= MOST_RECORDED) return
    const sending = { service, kind, message }
    const line = JSON.stringify(sending)
    if (seen.has(line) || Buffer.byteLength(line) > LONGEST_LINE) return
    seen.add(line)
    give(sending, line, seen.size)
  }
}

function toRecorded(line: string, where: string): RecordedSending {
  let value: unknown
  try {
    value = decodeJson(line, { maxBytes: LONGEST_LINE })
  } catch (cause) {
    throw new LuciliusError('LUC_OPTIONS_INVALID', `${where} is no JSON of a recorded run.`, { cause })
  }
  if (!isRecordedSending(value)) {
    throw new LuciliusError(
      'LUC_OPTIONS_INVALID',
      `${where}: a line of a recorded run is {"service":"…","kind":"act" or "emit","message":{…}}.`,
    )
  }
  return { ...value, message: scalarPairs(value.message) }
}

function ended(stream: WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.closed) return resolve()
    stream.once('close', resolve)
    stream.end()
  })
}

function unusable(file: string, what: string, cause: unknown): LuciliusError {
  const { code, message } = cause as NodeJS.ErrnoException
  return new LuciliusError('LUC_OPTIONS_INVALID', `The recording ${file} cannot be ${what} (${code ?? message}).`, {
    cause,
  })
}
