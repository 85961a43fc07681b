import { LuciliusError } from '../../errors.js'

/** What comes in answer to a request of `fetch`. */
export type Body = ReadableStream<Uint8Array> | null

/** Reads all of it. Throws `LUC_TOO_LARGE` beyond so many bytes, and when the signal aborts. */
export async function boundedText(body: Body, most: number, signal: AbortSignal): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunksOf(body, signal)) {
    length += chunk.length
    if (length > most) throw tooLarge(most)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/**
 * Reads it line by line, as lines come; what follows the last line end is none. Throws `LUC_TOO_LARGE` for a line of more
 * bytes, and when the signal aborts.
 */
export async function* boundedLines(body: Body, most: number, signal: AbortSignal): AsyncGenerator<string> {
  let pieces: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunksOf(body, signal)) {
    let start = 0
    for (let end = chunk.indexOf(LINE_END); end !== -1; end = chunk.indexOf(LINE_END, start)) {
      if (length + end - start > most) throw tooLarge(most)
      yield Buffer.concat([...pieces, chunk.subarray(start, end)]).toString('utf8')
      pieces = []
      length = 0
      start = end + 1
    }
    pieces.push(chunk.subarray(start))
    length += chunk.length - start
    if (length > most) throw tooLarge(most)
  }
}

const LINE_END = 10

/** Node 20 forgets the signal of a `fetch` when memory is cleaned up after the headers have come: so it is heeded here. */
async function* chunksOf(body: Body, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (body === null) return
  const reader = body.getReader()
  const cancel = () => void reader.cancel().catch(() => {}) // it has failed by itself
  signal.addEventListener('abort', cancel)
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
    signal.throwIfAborted()
  } finally {
    signal.removeEventListener('abort', cancel)
    cancel()
  }
}

function tooLarge(most: number): LuciliusError {
  return new LuciliusError('LUC_TOO_LARGE', `An answer has more than ${most} bytes.`)
}
