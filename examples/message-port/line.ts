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
  LuciliusError,
  type Observer,
  type Outcome,
} from 'lucilius/transport-kit'
import { type Frame, failed, refusal, refuse, toFrame } from './frame.js'

/** Milliseconds that a goodbye may take. */
const GOODBYE_MS = 1000

/** An announcement has up to 10,000 patterns. */
const ANNOUNCEMENT = { maxBytes: 16 * 1024 * 1024 }

/** Something that was asked and is not answered yet. */
interface Asked {
  readonly resolve: (answer: string) => void
  readonly reject: (reason: unknown) => void
}

/** One end of a port between two apps. Both ends are alike: each asks, and each answers. */
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
  #onIdle: (() => void) | undefined
  #onEnded: (() => void) | undefined
  #stopTelling: (() => void) | undefined

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
    port.on('message', (value: unknown) => this.#take(value))
    port.on('messageerror', (error) => this.end(error))
    port.once('close', () => this.end(new LuciliusError('LUC_UNREACHABLE', 'The other end closed the line.')))
  }

  async carry(envelope: Envelope, call: Call): Promise<Outcome> {
    if (this.#closing) throw new LuciliusError('LUC_UNREACHABLE', 'The line is closed.')
    const text = encodeEnvelope(envelope)
    if (envelope.kind === 'act') return decodeOutcome(await this.#ask('act', text, call))
    this.#post('event', 0, text)
    return {}
  }

  async ping(): Promise<void> {
    await this.#ask('ping')
  }

  /** Ends the line gently: asks the other end to send no more, and answers what it has sent before. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true
      const timer = setTimeout(() => this.#port.close(), GOODBYE_MS)
      const goodbye = this.#ask('bye').then(() => this.#untilIdle())
      await Promise.race([goodbye, this.ended]).catch(() => {}) // The line ended meanwhile, which is what we want.
      clearTimeout(timer)
      this.#port.close()
    }
    await this.ended
  }

  /** Ends the line at once. What was asked and is not answered fails for this reason. */
  end(reason: unknown): void {
    const ended = this.#onEnded
    if (ended === undefined) return
    this.#onEnded = undefined
    this.#closing = true
    this.#stopTelling?.()
    this.#port.close()
    for (const id of [...this.#asked.keys()]) this.#settle(id)?.reject(reason)
    for (const call of [...this.#running.values()]) call.onCancel?.()
    this.#observer.lost()
    ended()
  }

  #post(kind: Frame['kind'], id: number, text: string): void {
    this.#port.postMessage({ kind, id, text } satisfies Frame)
  }

  #tell(): void {
    this.#post('tell', 0, encodeJson(this.#observer.tell()))
  }

  #ask(kind: 'act' | 'ping' | 'bye', text = '', call?: Call): Promise<string> {
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject: (reason) => reject(kind === 'act' ? lost(reason) : reason) })
      this.#post(kind, id, text)
      if (call === undefined) return
      call.onCancel = () => {
        this.#asked.delete(id)
        this.#post('cancel', id, '')
        reject(new LuciliusError('LUC_CANCELLED', 'The caller cancelled.'))
      }
    })
  }

  #settle(id: number): Asked | undefined {
    const asked = this.#asked.get(id)
    this.#asked.delete(id)
    return asked
  }

  #take(value: unknown): void {
    if (this.#onEnded === undefined) return
    try {
      this.#read(toFrame(value))
    } catch (error) {
      refuse(this.#port, error)
      this.end(error)
    }
  }

  #read({ kind, id, text }: Frame): void {
    if (kind === 'tell') this.#observer.hear(decodeJson(text, ANNOUNCEMENT))
    else if (kind === 'act') void this.#answer(id, text)
    else if (kind === 'event') this.#observe(text)
    else if (kind === 'answer') this.#settle(id)?.resolve(text)
    else if (kind === 'cancel') this.#running.get(id)?.onCancel?.()
    else if (kind === 'refused') this.end(refusal(decodeOutcome(text)))
    else {
      if (kind === 'bye') this.#closing = true
      this.#post('answer', id, '{}')
    }
  }

  #observe(text: string): void {
    try {
      void this.#observer.receive(decodeEnvelope(text), { onCancel: undefined })
    } catch {
      // Nobody waits for an answer to an event: one that cannot be read is dropped.
    }
  }

  async #answer(id: number, text: string): Promise<void> {
    const call: Call = { onCancel: undefined }
    const outcome = await this.#outcome(id, text, call).catch(failed)
    if (this.#running.get(id) === call) this.#running.delete(id)
    this.#post('answer', id, encodeOutcome(outcome))
    if (this.#running.size === 0) this.#onIdle?.()
  }

  async #outcome(id: number, text: string, call: Call): Promise<Outcome> {
    const envelope = decodeEnvelope(text)
    if (this.#running.has(id)) throw new LuciliusError('LUC_WIRE_INVALID', 'The id of the act is in use.')
    if (this.#running.size >= this.#maxInFlight) {
      throw new LuciliusError('LUC_OVERLOADED', `${this.#maxInFlight} acts of this line are running already.`)
    }
    this.#running.set(id, call)
    return this.#observer.receive(envelope, call)
  }

  #untilIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve
      if (this.#running.size === 0) resolve()
    })
  }
}

/** It left, and whatever ended the line, nobody knows whether it was handled. */
function lost(cause: unknown): LuciliusError {
  return new LuciliusError('LUC_REPLY_LOST', 'The line ended before there was an answer.', { cause })
}
