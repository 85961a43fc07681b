import { LuciliusError } from '../../errors.js'

/** What comes in answer to a request. */
export type Body = AsyncIterable<Uint8Array> | null

/** Reads all of it. Throws `LUC_TOO_LARGE` beyond so many bytes. */
export async function boundedText(body: Body, most: number): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
    length += chunk.length
    if (length > most) throw tooLarge(most)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Reads it line by line, as lines come; what follows the last line end is none. Throws `LUC_TOO_LARGE` for a longer one. */
export async function* boundedLines(body: Body, most: number): AsyncGenerator<string> {
  let pieces: Uint8Array[] = []
  let length = 0
  for await (const chunk of body ?? []) {
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

function tooLarge(most: number): LuciliusError {
  return new LuciliusError('LUC_TOO_LARGE', `An answer has more than ${most} bytes.`)
}
