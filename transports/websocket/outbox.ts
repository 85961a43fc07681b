import type { WebSocket } from 'ws'
import type { FrameWriter } from './frame-writer.js'

/**
 * Acts and replies that are sent without waiting for the end of the turn: a quarter of those under way, so that both
 * ends have something to do, within bounds (`npm run bench -- remote`).
 */
const FEWEST_JOINED = 16
const MOST_JOINED = 32

/** The most characters of a frame that is joined from several messages. */
const JOINED_CHARS = 65_536

/**
 * What waits to be sent on one socket.
 *
 * Writing is three quarters of what a message costs, so what a turn of the event loop produces goes as one frame:
 * twice to three times the throughput at 64 in flight (`npm run bench -- remote`).
 */
export class Outbox {
  readonly #socket: WebSocket
  readonly #writer: FrameWriter
  readonly #maxBuffered: number
  #texts: string[] = []
  #chars = 0
  /** How many of the texts somebody waits for. */
  #awaited = 0
  #due = false
  #paused = false
  #isCollecting = false
  #isUrgent = false
  /** How many texts were given, and how many of them were written. */
  given = 0
  written = 0

  constructor(socket: WebSocket, writer: FrameWriter, maxBuffered: number) {
    this.#socket = socket
    this.#writer = writer
    this.#maxBuffered = maxBuffered
  }

  /** Whether the other end reads so slowly that nothing new should be sent. */
  get full(): boolean {
    return this.#socket.bufferedAmount + this.#chars > this.#maxBuffered
  }

  /** Runs what may write many texts: what of them is to be sent at once is sent at its end, in as few frames as can be. */
  collect(write: () => void): void {
    this.#isCollecting = true
    try {
      write()
    } finally {
      this.#isCollecting = false
      if (this.#isUrgent) this.flush()
    }
  }

  /** Adds a text that somebody waits for; `others` are under way. If there is none, it is sent at once. */
  push(text: string, others: number): void {
    if (this.#chars + text.length > JOINED_CHARS) this.flush()
    this.given++
    this.#chars += text.length
    this.#texts.push(text)
    const isUrgent = others === 0
    if (++this.#awaited >= joined(others) || (isUrgent && !this.#isCollecting)) {
      this.flush()
      return
    }
    if (isUrgent) this.#isUrgent = true
    this.#sendSoon()
  }

  /** Adds a text that nobody waits for. */
  pushIdle(text: string): void {
    if (this.#chars + text.length > JOINED_CHARS) this.flush()
    this.given++
    this.#chars += text.length
    this.#texts.push(text)
    this.#sendSoon()
  }

  #sendSoon(): void {
    if (!this.#due) {
      this.#due = true
      setImmediate(this.#onTurn)
    }
  }

  /** Sends what is there. */
  flush(): void {
    this.#isUrgent = false
    const texts = this.#texts
    if (texts.length === 0 || this.#socket.readyState !== this.#socket.OPEN) return
    this.#texts = []
    this.#chars = 0
    this.#awaited = 0
    this.written = this.given
    const frame = frameText(texts)
    // Only after what may be too much it matters when it has left.
    const isMuch = this.#socket.bufferedAmount + frame.length * 3 > this.#maxBuffered
    this.#writer.write(frame, isMuch ? this.#onWritten : undefined)
    if (!isMuch || this.#paused || !this.full) return
    // Who does not read is not read from: otherwise its answers would pile up here.
    this.#paused = true
    this.#socket.pause()
  }

  readonly #onTurn = () => {
    this.#due = false
    this.flush()
  }

  readonly #onWritten = () => {
    if (!this.#paused || this.full) return
    this.#paused = false
    this.#socket.resume()
  }
}

function joined(others: number): number {
  return Math.min(Math.max(others >> 2, FEWEST_JOINED), MOST_JOINED)
}

const openBracket = 0x5b

let lastTexts: readonly string[] = []
let lastFrame = ''

/** The text of a frame. What is broadcast goes to one socket after the other in the same frames: made once. */
function frameText(texts: readonly string[]): string {
  if (texts.length === lastTexts.length && texts.every(isLast)) return lastFrame
  const joined = texts.join()
  // A row that stands alone would be taken for an array of messages.
  const frame = texts.length === 1 && joined.charCodeAt(0) !== openBracket ? joined : `[${joined}]`
  if (frame.length > JOINED_CHARS) return frame
  lastTexts = texts
  lastFrame = frame
  return frame
}

function isLast(text: string, index: number): boolean {
  return text === lastTexts[index]
}
