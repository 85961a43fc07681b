import type { Parcel } from './parcel.js'

/** One end of a line, as the mailbox sees it that its parcels come to. */
export interface LineEnd {
  readonly id: string
  /** The mailbox at the other end. */
  readonly to: string
  /** A parcel of this line came. */
  take(parcel: Parcel): void
  /** One that was sent over this line found nobody; `id` if it was an act. */
  undelivered(id?: number): void
  /** The broker is lost, and the line with it. */
  lost(): void
  /** Called every {@link BEAT_MS}: looks whether the other end is still there. */
  beat(): void
  /** Closes it from this end, gently. */
  close(): Promise<void>
}

/** Milliseconds between two looks at every line. */
export const BEAT_MS = 250

/** The lines of one mailbox. */
export class Lines {
  readonly #ends = new Map<string, LineEnd>()
  #timer: NodeJS.Timeout | undefined
  /** Called when there is none any more. */
  onEmpty: (() => void) | undefined = undefined

  get size(): number {
    return this.#ends.size
  }

  has(line: string): boolean {
    return this.#ends.has(line)
  }

  /** Adds an end, or puts it in the place of the one before. */
  set(end: LineEnd): void {
    this.#ends.set(end.id, end)
    if (this.#timer !== undefined) return
    this.#timer = setInterval(() => this.#beat(), BEAT_MS)
    this.#timer.unref()
  }

  /** Takes an end away; harmless if another one has its place. */
  remove(end: LineEnd): void {
    if (this.#ends.get(end.id) !== end) return
    this.#ends.delete(end.id)
    if (this.#ends.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.onEmpty?.()
  }

  /** Hands a parcel to its line; false if there is none, or the parcel comes from somebody else. */
  take(from: string, parcel: Parcel): boolean {
    const end = this.#ends.get(parcel.line)
    if (end === undefined || (from !== '' && from !== end.to)) return false
    end.take(parcel)
    return true
  }

  undelivered(line: string, id?: number): void {
    this.#ends.get(line)?.undelivered(id)
  }

  lost(): void {
    for (const end of this.#ends.values()) end.lost()
  }

  all(): LineEnd[] {
    return [...this.#ends.values()]
  }

  #beat(): void {
    for (const end of this.#ends.values()) end.beat()
  }
}
