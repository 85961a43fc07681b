import { unreachable } from '../acts/outgoing.js'
import { LuciliusError } from '../errors.js'
import type { Credentials, Receiver } from '../transport.js'
import { toWireError } from '../wire-error.js'
import { trySend } from './acts.js'
import type { MailLimits } from './limits.js'
import { Line, refusal } from './line.js'
import { Lines } from './lines.js'
import type { OpenPost, Parcel, Post, Recipient } from './parcel.js'

/** Lines that may be asking who they are at the same time. */
const MOST_ASKING = 1024

/** A mailbox that others open lines to. */
export interface MailListener {
  /** Where others connect to. */
  readonly address: string
  /** Closes its lines, gently, and then the mailbox. */
  close(): Promise<void>
}

/** Opens a mailbox and answers whoever opens a line to it. Rejects as `openPost` does. */
export async function listenByMail(openPost: OpenPost, receiver: Receiver, limits: MailLimits): Promise<MailListener> {
  const listening = new Listening(receiver, limits)
  await listening.open(openPost)
  return listening
}

class Listening implements Recipient, MailListener {
  readonly #receiver: Receiver
  readonly #limits: MailLimits
  readonly #lines = new Lines()
  /** Lines of which it is being found out who asks for them. */
  readonly #asking = new Set<string>()
  #post: Post | undefined
  #closed = false

  constructor(receiver: Receiver, limits: MailLimits) {
    this.#receiver = receiver
    this.#limits = limits
  }

  async open(openPost: OpenPost): Promise<void> {
    this.#post = await openPost(this)
  }

  get address(): string {
    return this.#post?.address ?? ''
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await Promise.all(this.#lines.all().map((end) => end.close()))
    await this.#post?.close()
  }

  take(from: string, parcel: Parcel): void {
    const post = this.#post
    const { line } = parcel
    // Until the post is open, nobody can know of it.
    if (post === undefined || this.#lines.take(from, parcel) || this.#lines.has(line)) return
    if (parcel.kind === 'open') {
      if (this.#asking.has(line)) return
      this.#welcome(post, from, parcel).catch((error: unknown) => trySend(post, from, refusal(line, error)))
    } else if (parcel.kind === 'close') {
      this.#asking.delete(line)
    } else if (from !== '') {
      turnAway(post, from, parcel)
    }
  }

  undelivered(line: string, id?: number): void {
    this.#asking.delete(line)
    this.#lines.undelivered(line, id)
  }

  lost(): void {
    this.#asking.clear()
    this.#lines.lost()
  }

  async #welcome(post: Post, from: string, parcel: Parcel & { readonly kind: 'open' }): Promise<void> {
    const { line, announcement, authorization } = parcel
    let who: Credentials
    this.#asking.add(line)
    try {
      this.#check()
      who = await this.#receiver.authenticate({ headers: { authorization } })
    } catch (error) {
      if (this.#asking.delete(line)) trySend(post, from, refusal(line, toRefusal(error)))
      return
    }
    // The broker was lost, or whoever asked has gone: nobody waits for an answer.
    if (!this.#asking.delete(line)) return
    if (this.#closed) {
      trySend(post, from, refusal(line, closing()))
      return
    }
    const place = { id: line, to: from, post, lines: this.#lines, limits: this.#limits }
    const end = new Line(place, (connection) => this.#receiver.accept(connection, who))
    this.#lines.set(end)
    end.open(announcement)
  }

  /** Throws what speaks against anybody now. */
  #check(): void {
    if (this.#closed || this.#receiver.draining) throw closing()
    if (this.#asking.size > MOST_ASKING) {
      throw new LuciliusError('LUC_OVERLOADED', 'Too many connect at the same time.')
    }
  }
}

/** Answers a parcel of a line that is not there: it was lost at this end, and the other one has not heard of it. */
function turnAway(post: Post, from: string, parcel: Parcel): void {
  const { line } = parcel
  if (parcel.kind === 'act') {
    const outcome = { error: toWireError(unreachable('The line is not open any more.')) }
    trySend(post, from, { kind: 'reply', line, id: parcel.id, outcome })
  }
  if (parcel.kind === 'act' || parcel.kind === 'ping' || parcel.kind === 'tell') {
    trySend(post, from, { kind: 'close', line })
  }
}

function closing(): LuciliusError {
  return new LuciliusError('LUC_SERVICE_CLOSED', 'The app is closing and takes no new connections.')
}

/** What an `authenticate` that fails in its own way throws is not told. */
function toRefusal(error: unknown): LuciliusError {
  if (error instanceof LuciliusError) return error
  return new LuciliusError('LUC_UNAUTHENTICATED', 'Who you are could not be established.')
}
