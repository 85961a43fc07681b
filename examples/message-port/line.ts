import type { MessagePort } from 'node:worker_threads'
import {
  type Call,
  type Connection,
  decodeEnvelope,
  decodeJson,
  decodeOutcome,
  type Envelope,
  encodeEnvelope,
  encodeJson,
  encodeOutcome,
  envelopeLimits,
  isDeeper,
  isMessage,
  LuciliusError,
  type Observer,
  type Outcome,
} from 'lucilius/transport-kit'

/** What goes through a port. `text` is JSON; answers have the id of what they answer. */
export interface Frame {
  readonly kind: 'tell' | 'event' | 'act' | 'ping' | 'bye' | 'answer' | 'cancel' | 'refused'
  readonly id?: number
  readonly text?: string
}

/** Something that was asked, and is not answered yet. */
interface Asked {
  answered(text: string): void
  failed(error: unknown): void
}

/** Milliseconds that a goodbye may take. */
const GOODBYE_MS = 1000

/** Bytes of an announcement of 10,000 patterns. */
const ANNOUNCEMENT = { maxBytes: 16 * 1024 * 1024 }

/** One end of a port between two apps. Both ends are alike: each asks, and answers. */
export class Line implements Connection {
  /** Resolves when the line has ended, whoever ended it. */
  readonly ended: Promise<void>
  readonly #port: MessagePort
  readonly #maxInFlight: number
  readonly #observer: Observer
  readonly #asked = new Map<number, Asked>()
  readonly #running = new Map<number, Call>()
  #lastId = 0
  #closing = false
  #idle: (() => void) | undefined
  #stopTelling: (() => void) | undefined
  #onEnded: (() => void) | undefined

  /** `attach` gives the app's half of the connection, to which this is the other. */
  constructor(port: MessagePort, maxInFlight: number, tells: boolean, attach: (line: Line) => Observer) {
    this.#port = port
    this.#maxInFlight = maxInFlight
    this.ended = new Promise((resolve) => {
      this.#onEnded = resolve
    })
    this.#observer = attach(this)
    if (tells) {
      this.#tell()
      this.#stopTelling = this.#observer.onTell(() => this.#tell())
    }
    port.on('message', (frame: unknown) => this.#take(frame))
    port.once('close', () => this.end(new LuciliusError('LUC_REPLY_LOST', 'The line ended before there was an answer.')))
  }

  async carry(envelope: Envelope, call: Call): Promise<Outcome> {
    if (this.#closing) throw new LuciliusError('LUC_UNREACHABLE', 'The line is closed.')
    const text = encodeEnvelope(envelope)
    if (envelope.kind === 'act') return decodeOutcome(await this.#ask('act', text, call))
    this.#post({ kind: 'event', text })
    return {}
  }

  async ping(): Promise<void> {
    await this.#ask('ping')
  }

  /** Ends the line gently: asks the other end to send no more, and answers what it has sent. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true
      const timer = setTimeout(() => this.#port.close(), GOODBYE_MS)
      const goodbye = this.#ask('bye').then(() => this.#untilIdle())
      await Promise.race([goodbye, this.ended]).catch(() => {}) // It ended in another way.
      clearTimeout(timer)
      this.#port.close()
    }
    await this.ended
  }

  /** Ends the line at once. What was asked and is not answered fails with the error. */
  end(error: unknown): void {
    const ended = this.#onEnded
    if (ended === undefined) return
    this.#onEnded = undefined
    this.#closing = true
    this.#stopTelling?.()
    this.#port.close()
    for (const { failed } of [...this.#asked.values()]) failed(error)
    for (const call of [...this.#running.values()]) call.onCancel?.()
    this.#observer.lost()
    ended()
  }

  #post(frame: Frame): void {
    this.#port.postMessage(frame)
  }

  #tell(): void {
    this.#post({ kind: 'tell', text: encodeJson(this.#observer.tell()) })
  }

  /** Posts a question; gives the text that answers it. */
  #ask(kind: 'act' | 'ping' | 'bye', text = '', call?: Call): Promise<string> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const settle = () => {
        this.#asked.delete(id)
        if (call !== undefined) call.onCancel = undefined
      }
      const answered = (answer: string) => {
        settle()
        resolve(answer)
      }
      const failed = (error: unknown) => {
        settle()
        reject(error)
      }
      this.#asked.set(id, { answered, failed })
      if (call !== undefined) {
        call.onCancel = () => {
          this.#post({ kind: 'cancel', id })
          failed(new LuciliusError('LUC_CANCELLED', 'The caller cancelled.'))
        }
      }
      this.#post({ kind, id, text })
    })
  }

  #take(frame: unknown): void {
    try {
      this.#read(toFrame(frame))
    } catch (error) {
      refuse(this.#port, error)
      this.end(error)
    }
  }

  #read({ kind, id = 0, text = '' }: Frame): void {
    switch (kind) {
      case 'tell':
        return this.#observer.hear(decodeJson(text, ANNOUNCEMENT))
      case 'event':
        return void this.#observer.receive(decodeEnvelope(text), { onCancel: undefined })
      case 'act':
        return void this.#answer(id, text)
      case 'bye':
        this.#closing = true
        return this.#post({ kind: 'answer', id, text: '{}' })
      case 'ping':
        return this.#post({ kind: 'answer', id, text: '{}' })
      case 'answer':
        return this.#asked.get(id)?.answered(text)
      case 'cancel':
        return this.#running.get(id)?.onCancel?.()
      case 'refused':
        return this.end(refusal(text))
    }
  }

  async #answer(id: number, text: string): Promise<void> {
    const call: Call = { onCancel: undefined }
    const outcome = await this.#outcome(id, text, call)
    if (this.#running.get(id) === call) this.#running.delete(id)
    this.#post({ kind: 'answer', id, text: bounded(encodeOutcome(outcome)) })
    if (this.#running.size === 0) this.#idle?.()
  }

  async #outcome(id: number, text: string, call: Call): Promise<Outcome> {
    try {
      const envelope = decodeEnvelope(text)
      if (this.#running.size >= this.#maxInFlight || this.#running.has(id)) {
        throw new LuciliusError('LUC_OVERLOADED', `${this.#maxInFlight} acts of this line are running already.`)
      }
      this.#running.set(id, call)
      return await this.#observer.receive(envelope, call)
    } catch (error) {
      const { code, message, handled } = error as LuciliusError // `receive` never rejects, the rest throws these
      return { error: { code, message, handled } }
    }
  }

  #untilIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle = resolve
      if (this.#running.size === 0) resolve()
    })
  }
}
