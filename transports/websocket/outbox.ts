import type { WebSocket } from 'ws'
import type { FrameWriter } from './frame-writer.js'
import { frameText, type Item } from './joined.js'
import { MOST_LONGER } from './table.js'

/**
 * Acts and replies that are sent without waiting for the end of the turn: a quarter of those under way, so that both
 * ends have something to do, within bounds (`npm run bench -- remote`).
 */
const FEWEST_JOINED = 16
const MOST_JOINED = 32

/** The most characters of a frame that is joined from several messages. */
const JOINED_CHARS = 65_536

/** As many times fewer characters are joined than a frame may have bytes: none takes more than three, and see tables. */
const FEWER = Math.max(3, MOST_LONGER)

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
  #joinedChars = JOINED_CHARS
  #items: Item[] = []
  #chars = 0
  /** How many of the items somebody waits for. */
  #awaited = 0
  #due = false
  #paused = false
  #isCollecting = false
  #isUrgent = false
  /** How many items were given, and how many of them were written. */
  given = 0
  written = 0

  constructor(socket: WebSocket, writer: FrameWriter, maxBuffered: number) {
    this.#socket = socket
    this.#writer = writer
    this.#maxBuffered = maxBuffered
  }

  /** The other end takes frames of so many bytes. */
  fit(maxBytes: number): void {
    this.#joinedChars = Math.min(JOINED_CHARS, Math.floor(maxBytes / FEWER))
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
    if (this.#chars + text.length > this.#joinedChars) this.flush()
    this.given++
    this.#chars += text.length
    this.#items.push(text)
    const isUrgent = others === 0
    if (++this.#awaited >= joined(others) || (isUrgent && !this.#isCollecting)) {
      this.flush()
      return
    }
    if (isUrgent) this.#isUrgent = true
    this.#sendSoon()
  }

  /** Adds what nobody waits for. */
  pushIdle(item: Item): void {
    const { length } = typeof item === 'string' ? item : item.text
    if (this.#chars + length > this.#joinedChars) this.flush()
    this.given++
    this.#chars += length
    this.#items.push(item)
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
    const items = this.#items
    if (items.length === 0 || this.#socket.readyState !== this.#socket.OPEN) return
    this.#items = []
    this.#chars = 0
    this.#awaited = 0
    this.written = this.given
    const frame = frameText(items)
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
