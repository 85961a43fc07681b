import { unreachable } from '../acts/outgoing.js'
import { newId } from '../trace.js'
import type { Connection, Observer } from '../transport.js'
import type { MailLimits } from './limits.js'
import { Lines } from './lines.js'
import { openLine } from './opening.js'
import type { OpenPost, Parcel, Post, Recipient } from './parcel.js'
import { SilentLine } from './silent-line.js'

/**
 * Milliseconds for which a mailbox without lines is kept: as long as the tries to open a lost line again follow each other
 * fast, it need not be opened for each of them.
 */
const LINGER_MS = 250

/** The mailbox of the connecting end of lines. */
export class Connecting implements Recipient {
  readonly #openPost: OpenPost
  readonly #limits: MailLimits
  readonly #lines = new Lines()
  #post: Promise<Post> | undefined
  /** How many are about to have a line. */
  #coming = 0
  #timer: NodeJS.Timeout | undefined

  constructor(openPost: OpenPost, limits: MailLimits) {
    this.#openPost = openPost
    this.#limits = limits
    this.#lines.onEmpty = () => this.#leaveLater()
  }

  /** Opens a line to a mailbox. Rejects with what keeps it from it. */
  async connect(to: string, observer: Observer): Promise<Connection> {
    clearTimeout(this.#timer)
    this.#coming++
    try {
      const post = await this.#opened(to, observer)
      const place = { id: newId(), to, post, lines: this.#lines, limits: this.#limits, closed: () => this.#leave() }
      return observer.silent === true ? new SilentLine(place, observer) : await openLine(place, observer)
    } finally {
      this.#coming--
      this.#leaveLater()
    }
  }

  take(from: string, parcel: Parcel): void {
    this.#lines.take(from, parcel)
  }

  undelivered(line: string, id?: number): void {
    this.#lines.undelivered(line, id)
  }

  lost(): void {
    this.#lines.lost()
  }

  /** The mailbox, once its broker is there, and somebody at the door that a silent connection leads to. */
  #opened(to: string, observer: Observer): Promise<Post> {
    return new Promise((resolve, reject) => {
      observer.onGiveUp = () => reject(unreachable('The attempt to connect was given up.'))
      const open = async () => {
        const post = await this.#ready()
        if (observer.silent === true) await post.knock?.(to)
        return post
      }
      open().then(resolve, reject)
    })
  }

  async #ready(): Promise<Post> {
    this.#post ??= this.#openPost(this)
    const opening = this.#post
    try {
      const post = await opening
      await post.ready(this.#limits.handshakeTimeoutMs)
      return post
    } catch (error) {
      // One that could not be opened is opened anew by the next try.
      if (this.#post === opening && (await isRejected(opening))) this.#post = undefined
      throw error
    }
  }

  #leaveLater(): void {
    clearTimeout(this.#timer)
    if (this.#isUsed) return
    this.#timer = setTimeout(() => void this.#leave(), LINGER_MS)
  }

  /** Closes the mailbox, if nobody needs it. */
  async #leave(): Promise<void> {
    if (this.#isUsed) return
    clearTimeout(this.#timer)
    const post = this.#post
    this.#post = undefined
    await (await post)?.close()
  }

  get #isUsed(): boolean {
    return this.#lines.size > 0 || this.#coming > 0
  }
}

function isRejected(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => false,
    () => true,
  )
}
