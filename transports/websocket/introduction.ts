import { News, type Observer } from '../../lib/transport-kit.js'
import { announcementText, type OwnRoom } from './frame-text.js'
import type { Outbox } from './outbox.js'

/** What one end of a connection tells of itself. */
export class Introduction {
  readonly #observer: Observer
  readonly #outbox: Outbox
  readonly #room: OwnRoom
  readonly #news = new News()
  #stopTelling: (() => void) | undefined

  constructor(observer: Observer, outbox: Outbox, room: OwnRoom) {
    this.#observer = observer
    this.#outbox = outbox
    this.#room = room
  }

  /** Whether the other end was told what we are. */
  get begun(): boolean {
    return this.#stopTelling !== undefined
  }

  /** Tells what we are, now and whenever that is something else. Harmless if it has begun. */
  begin(): void {
    if (this.begun) return
    this.#tell(false)
    this.#stopTelling = this.#observer.onTell(() => this.#tell(false))
  }

  /** Tells for the last time: nothing new is taken from now on. */
  leave(): void {
    this.stop()
    this.#tell(true)
  }

  /** Tells nothing more. */
  stop(): void {
    this.#stopTelling?.()
  }

  #tell(leaving: boolean): void {
    const announcement = this.#observer.tell()
    const told = leaving ? { ...announcement, draining: true } : announcement
    const text = announcementText(told, this.#room)
    if (!this.#news.isNew(text)) return
    // A frame of its own, which may be longer than others.
    this.#outbox.flush()
    this.#outbox.push(text, 0)
  }
}
