import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/** Bytes of one line, either way: 4 MiB. */
export const LONGEST_LINE = 4 * 1024 * 1024

/** Hears what comes on a socket, line by line. */
export interface LineHearer {
  /** One line, without its end. */
  line(text: string): void
  /** A line is longer than {@link LONGEST_LINE}: nothing more is read, for nobody knows where the next one begins. */
  tooLong(): void
}

/** Cuts what is read into lines. An empty line, and what follows the last line end, is nothing. */
export function readLines(from: Readable, hearer: LineHearer): void {
  const decoder = new StringDecoder('utf8')
  let rest: string[] = []
  let length = 0
  const onData = (chunk: Buffer) => {
    const pieces = decoder.write(chunk).split('\n')
    // A split gives one piece at least.
    const last = pieces.pop() as string
    for (const piece of pieces) {
      const text = rest.length === 0 ? piece : `${rest.join('')}${piece}`
      rest = []
      length = 0
      if (Buffer.byteLength(text) > LONGEST_LINE) return stop()
      if (text.trim() !== '') hearer.line(text)
    }
    rest.push(last)
    length += Buffer.byteLength(last)
    if (length > LONGEST_LINE) stop()
  }
  const stop = () => {
    from.off('data', onData)
    rest = []
    hearer.tooLong()
  }
  from.on('data', onData)
}
