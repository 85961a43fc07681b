import { headers } from '@nats-io/transport-node'
import { decodeJson } from '../../../lib/transport-kit.js'
import type { Link } from './link.js'
import { Refused, refusals } from './unanswered.js'

/** What stands at a subject. */
export interface Written {
  /** Decoded JSON, unchecked. */
  readonly value: unknown
  /** Where it lies in the stream: another number as soon as something else is written. */
  readonly sequence: number
}

/**
 * Small things in writing, one for each subject of a stream that keeps the last message of each. All of it rejects with
 * `Unanswered` and `Refused`.
 */
export class Records {
  readonly #link: Link
  readonly #stream: string

  constructor(link: Link, stream: string) {
    this.#link = link
    this.#stream = stream
  }

  /** What stands there; undefined if nothing does. */
  async read(subject: string): Promise<Written | undefined> {
    const message = await readMessage(this.#link, this.#stream, { last_by_subj: subject })
    return message === undefined ? undefined : { sequence: message.sequence, value: jsonOf(message.data) }
  }

  /**
   * Writes, and resolves with the sequence. With `after`, only if the last one has that sequence (0: if there is none): else
   * it rejects with `Refused`, `wrongSequence`.
   */
  async write(subject: string, value: unknown, after?: number): Promise<number> {
    const text = JSON.stringify(value)
    if (after === undefined) return Number((await this.#link.askApi(subject, text)).seq)
    const expecting = headers()
    expecting.set('Nats-Expected-Last-Subject-Sequence', String(after))
    return Number((await this.#link.askApi(subject, text, { headers: expecting })).seq)
  }

  /** Deletes one. True if it was there. */
  async remove(sequence: number): Promise<boolean> {
    const wish = JSON.stringify({ seq: sequence, no_erase: true })
    try {
      await this.#link.askApi(`$JS.API.STREAM.MSG.DELETE.${this.#stream}`, wish)
      return true
    } catch (error) {
      // The refusal is the same for what is not there and for what went wrong.
      const isGone =
        error instanceof Refused && (await readMessage(this.#link, this.#stream, { seq: sequence })) === undefined
      if (isGone) return false
      throw error
    }
  }

  /** Deletes all of a subject, which may have wildcards. Resolves with how many there were. */
  async purge(subject: string): Promise<number> {
    const { purged } = await this.#link.askApi(
      `$JS.API.STREAM.PURGE.${this.#stream}`,
      JSON.stringify({ filter: subject }),
    )
    return Number(purged)
  }
}

/** A message of a stream, read by its place. */
export interface ReadMessage {
  readonly subject: string
  readonly sequence: number
  readonly data: Uint8Array
}

/** Reads one message of a stream; undefined if it is not there. Rejects with `Unanswered` and `Refused`. */
export async function readMessage(
  link: Link,
  stream: string,
  which: { readonly seq: number } | { readonly last_by_subj: string },
): Promise<ReadMessage | undefined> {
  try {
    const { message } = await link.askApi(`$JS.API.STREAM.MSG.GET.${stream}`, JSON.stringify(which))
    const { subject, seq, data = '' } = message as { subject: string; seq: number; data?: string } // JetStream's own words
    return { subject, sequence: seq, data: Buffer.from(data, 'base64') }
  } catch (error) {
    if (error instanceof Refused && error.code === refusals.noMessageFound) return undefined
    throw error
  }
}

/** The JSON value of some bytes; undefined for what is none. */
export function jsonOf(bytes: Uint8Array): unknown {
  try {
    return decodeJson(bytes, { maxDepth: 64 + 4, maxBytes: Number.POSITIVE_INFINITY })
  } catch {
    return undefined
  }
}
