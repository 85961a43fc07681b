import { randomFillSync } from 'node:crypto'
import type { Duplex } from 'node:stream'

/** Bytes in front of a payload: the longest header, and what makes the payload start at a multiple of four. */
const HEAD = 16

/** Bytes of a key. */
const KEY = 4

const FINAL_TEXT = 0x81
const MASKED = 0x80

/**
 * Writes text frames (RFC 6455 §5.2) to the stream beneath a WebSocket, each in one piece.
 *
 * Through ws a frame is two pieces and four objects, and is masked byte by byte: a tenth of what a message costs
 * (`npm run bench -- remote`). Pings and close frames stay with ws. Both write whole frames, so neither comes in between.
 */
export class FrameWriter {
  /** What it writes to. */
  readonly stream: Duplex
  readonly #isClient: boolean

  constructor(stream: Duplex, isClient: boolean) {
    this.stream = stream
    this.#isClient = isClient
  }

  /** Writes the text of a frame; `written` is called when it has left. */
  write(text: string, written: (() => void) | undefined): void {
    const frame = this.#isClient ? masked(text) : unmasked(text)
    if (written === undefined) this.stream.write(frame)
    else this.stream.write(frame, written)
  }
}

let lastText = ''
let lastFrame = unmaskedFrame('')

/** What is broadcast goes to one socket after the other: made once. */
function unmasked(text: string): Buffer {
  if (text !== lastText) {
    lastFrame = unmaskedFrame(text)
    lastText = text
  }
  return lastFrame
}

function unmaskedFrame(text: string): Buffer {
  const frame = withPayload(text)
  return frame.subarray(writeHead(frame, HEAD, frame.length - HEAD, 0))
}

/** Clients mask what they send, with a key that nobody can guess (RFC 6455 §5.3). */
function masked(text: string): Buffer {
  const frame = withPayload(text)
  mask(frame, nextKey())
  return frame.subarray(writeHead(frame, HEAD - KEY, frame.length - HEAD, MASKED))
}

function withPayload(text: string): Buffer {
  const frame = Buffer.allocUnsafe(HEAD + Buffer.byteLength(text))
  frame.write(text, HEAD)
  return frame
}

/** Writes the header that ends at `end`, and tells where it starts. */
function writeHead(frame: Buffer, end: number, length: number, flag: number): number {
  let start = end - 2
  let told = length
  if (length > 0xffff) {
    start -= 8
    told = 127
    frame.writeUInt32BE(0, start + 2)
    frame.writeUInt32BE(length, start + 6)
  } else if (length > 125) {
    start -= 2
    told = 126
    frame.writeUInt16BE(length, start + 2)
  }
  frame[start] = FINAL_TEXT
  frame[start + 1] = told | flag
  return start
}

/** Puts the key before the payload and over it, four bytes at a time as far as they go: `allocUnsafe` starts at eights. */
function mask(frame: Buffer, key: number): void {
  const start = HEAD - KEY
  const words = new Int32Array(frame.buffer, frame.byteOffset + start, (frame.length - start) >> 2)
  words[0] = key
  for (let i = 1; i < words.length; i++) words[i] = (words[i] as number) ^ key
  for (let at = start + words.length * KEY, i = 0; at < frame.length; at++, i++) {
    frame[at] = (frame[at] as number) ^ (frame[start + i] as number)
  }
}

const keys = new Int32Array(2048)
let used = keys.length

function nextKey(): number {
  if (used === keys.length) {
    randomFillSync(keys)
    used = 0
  }
  return keys[used++] as number
}
