import {
  type Announcement,
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
} from '../../lib/transport-kit.js'

/** Two observers that talk to each other in text. */
export class Link {
  /** The connection that the connecting side holds. */
  readonly near: Connection
  /** Called once when the link is closed. */
  onClosed: (() => void) | undefined
  readonly #nearSide: Observer
  readonly #farSide: Observer
  readonly #pending = new Set<() => void>()
  readonly #stops: (() => void)[] = []
  #closed = false

  constructor(accept: (there: Connection) => Observer, nearSide: Observer) {
    const close = async () => this.close()
    this.#nearSide = nearSide
    const ping = async () => {}
    this.#farSide = accept({ carry: (envelope, call) => this.#carry(nearSide, envelope, call), ping, close })
    this.near = { carry: (envelope, call) => this.#carry(this.#farSide, envelope, call), ping, close }
  }

  /** Both sides tell what they are, now and at each change. Throws what either has against the other. */
  open(): void {
    try {
      this.#introduce(this.#farSide, this.#nearSide)
      this.#introduce(this.#nearSide, this.#farSide)
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Ends the link: what has not been answered is lost. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const stop of this.#stops) stop()
    for (const drop of this.#pending) drop()
    this.#pending.clear()
    this.onClosed?.()
    this.#nearSide.lost()
    this.#farSide.lost()
  }

  #introduce(from: Observer, to: Observer): void {
    to.hear(across(from.tell()))
    this.#stops.push(from.onTell(() => queueMicrotask(() => this.#tellNews(from, to))))
  }

  #tellNews(from: Observer, to: Observer): void {
    if (this.#closed) return
    try {
      to.hear(across(from.tell()))
    } catch {
      // What one end tells now the other refuses, such as too many patterns: as at the start, they part.
      this.close()
    }
  }

  #carry(to: Observer, envelope: Envelope, call: Call): Promise<Outcome> {
    if (this.#closed) return Promise.reject(unsent())
    let text: string
    try {
      text = encodeEnvelope(envelope)
    } catch (error) {
      return Promise.reject(error)
    }
    return new Promise((resolve, reject) => {
      const there: Call = { onCancel: undefined }
      let handedOver = false
      const drop = () => fail(handedOver ? lost() : unsent())
      const settle = () => {
        this.#pending.delete(drop)
        call.onCancel = undefined
      }
      const fail = (error: Error) => {
        settle()
        reject(error)
      }
      this.#pending.add(drop)
      call.onCancel = () => {
        fail(new LuciliusError('LUC_CANCELLED', 'The caller cancelled.'))
        queueMicrotask(() => there.onCancel?.())
      }
      // The other side acts in a turn of its own, as it would behind a socket.
      setImmediate(() => {
        if (!this.#pending.has(drop)) return
        handedOver = true
        void answer(to, text, there)
          .then((outcome) => {
            if (!this.#pending.has(drop)) return
            const read = decodeOutcome(outcome)
            settle()
            resolve(read)
          })
          .catch(fail)
      })
    })
  }
}

async function answer(to: Observer, text: string, call: Call): Promise<string> {
  return encodeOutcome(await to.receive(decodeEnvelope(text), call))
}

/** An announcement as it arrives. */
function across(announcement: Announcement): unknown {
  return decodeJson(encodeJson(announcement), { maxBytes: 16 * 1024 * 1024 })
}

function unsent(): LuciliusError {
  return new LuciliusError('LUC_UNREACHABLE', 'The connection is closed.')
}

function lost(): LuciliusError {
  return new LuciliusError('LUC_REPLY_LOST', 'The connection was closed before there was an answer.')
}
