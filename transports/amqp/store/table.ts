import type { ConsumeMessage } from 'amqplib'

/** Headers of what stands in a ledger: the key, and the order where it is not the place in the stream. */
export const KEY = 'lucilius-key'
export const ORDER = 'lucilius-order'

/** What the broker needs for a message beside its body and headers, roughly and rather more. */
const OVERHEAD = 300

/** The body that counts for a key. */
export interface Entry {
  readonly key: string
  readonly body: Buffer
  /** Its place among all that was ever written, copies not counted. */
  readonly order: number
  /** Bytes of the stream before the last copy of it. */
  at: number
  /** Whether an older body was written again after it: that one must not outlive it. */
  isOvertaken: boolean
}

/** What a ledger says, as far as it was read: the last body of each key, by keys. */
export class Table {
  readonly #bytes: number
  readonly #entries = new Map<string, Entry>()
  #read = 0
  #nextOffset: number | undefined

  /** With the bytes of the stream beyond which the broker forgets its oldest part. */
  constructor(bytes: number) {
    this.#bytes = bytes
  }

  /** Where to go on reading; undefined if nothing was read yet. */
  get nextOffset(): number | undefined {
    return this.#nextOffset
  }

  /** What counts, in the order in which it was written. */
  entries(): Entry[] {
    return [...this.#entries.values()].filter(({ body }) => body.length > 0).toSorted((a, b) => a.order - b.order)
  }

  get(key: string): Buffer | undefined {
    const entry = this.#entries.get(key)
    return entry === undefined || entry.body.length === 0 ? undefined : entry.body
  }

  /** Takes the next message of the stream. */
  take({ content, properties: { headers = {} } }: ConsumeMessage): void {
    const offset = Number(headers['x-stream-offset'])
    if (this.#nextOffset !== undefined && offset < this.#nextOffset) return // A reading may begin with a part that was read.
    this.#nextOffset = offset + 1
    const at = this.#read
    this.#read += content.length + bytesOf(headers) + OVERHEAD
    const key: unknown = headers[KEY]
    if (typeof key !== 'string') return // A mark, or somebody else's.
    const order = headers[ORDER] === undefined ? offset : Number(headers[ORDER])
    const known = this.#entries.get(key)
    if (known === undefined || order > known.order) {
      this.#entries.set(key, { key, body: content, order, at, isOvertaken: false })
    } else if (order === known.order) {
      known.at = at
      known.isOvertaken = false
    } else {
      known.isOvertaken = true
    }
  }

  /** What has to be written again, for the broker may forget it soon, or forget it before an older body of its key. */
  ageing(): Entry[] {
    const old = this.#read - this.#bytes / 4
    const forgotten = this.#read - 2 * this.#bytes
    for (const [key, { at, body, isOvertaken }] of this.#entries) {
      if (body.length === 0 && !isOvertaken && at < forgotten) this.#entries.delete(key)
    }
    // What says that a key was removed ages with the bodies that it removed.
    const ages = ({ at, body, isOvertaken }: Entry) => isOvertaken || (at < old && body.length > 0)
    return [...this.#entries.values()].filter(ages)
  }
}

function bytesOf(headers: Readonly<Record<string, unknown>>): number {
  return Object.entries(headers).reduce((sum, [name, value]) => sum + name.length + String(value).length, 0)
}
