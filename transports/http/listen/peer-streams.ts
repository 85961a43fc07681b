import type { PeerStream } from './peer-stream.js'

/** The streams of peers, by the id that each was given. */
export class PeerStreams {
  readonly #streams = new Map<string, PeerStream>()

  add(stream: PeerStream): void {
    this.#streams.set(stream.id, stream)
  }

  remove({ id }: PeerStream): void {
    this.#streams.delete(id)
  }

  /** The stream that a request names, which is a sign of life of its peer. */
  named(id: unknown): PeerStream | undefined {
    if (typeof id !== 'string') return undefined
    const stream = this.#streams.get(id)
    stream?.livesOn()
    return stream
  }

  /** Ends them all. */
  end(): void {
    for (const stream of this.#streams.values()) stream.end()
  }
}
