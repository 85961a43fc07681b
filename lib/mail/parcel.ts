/**
 * What crosses a broker. A broker knows mailboxes, not connections: a line is a connection between two mailboxes, made of
 * parcels, so that apps over a broker have what apps over a socket have, and behave alike.
 */
import type { ActEnvelope, EventEnvelope, Outcome } from '../transport.js'

/** What every parcel has. */
interface OnLine<K extends string> {
  /** What it is. */
  readonly kind: K
  /** The id of the line it belongs to, made by the side that connects. */
  readonly line: string
}

/** What belongs to one act, or to one sign of life. */
interface Numbered<K extends string> extends OnLine<K> {
  /** Tells apart those of a line and a direction that wait for an answer. */
  readonly id: number
}

/** A wish to connect: the first parcel of a line. */
export interface OpenParcel extends OnLine<'open'> {
  /** What the connecting side tells of itself. */
  readonly announcement: unknown
  /** Proves who it is. */
  readonly authorization?: string
}

/** The wish is granted; or one side tells what it is by now. */
export interface TellParcel extends OnLine<'opened' | 'tell'> {
  /** What it tells. */
  readonly announcement: unknown
}

/** An act. */
export interface ActParcel extends Numbered<'act'> {
  /** What is asked. */
  readonly envelope: ActEnvelope
}

/** The answer to an act. */
export interface ReplyParcel extends Numbered<'reply'> {
  /** What it ended in. */
  readonly outcome: Outcome
}

/** The caller of an act has given up; or a sign of life is asked for, or given. */
export interface SignParcel extends Numbered<'cancel' | 'ping' | 'pong'> {}

/** An event: nobody answers. */
export interface EventParcel extends OnLine<'event'> {
  /** What was emitted. */
  readonly envelope: EventEnvelope
}

/** The line is closed, or was never open. */
export interface CloseParcel extends OnLine<'close'> {
  /** A wire error, where the connecting side is refused. */
  readonly error?: unknown
}

/** One message from mailbox to mailbox. */
export type Parcel = OpenParcel | TellParcel | ActParcel | ReplyParcel | SignParcel | EventParcel | CloseParcel

/** A broker, as lines need it: one mailbox of our own, and a way to reach others. Made by a transport. */
export interface Post {
  /** The address of our own mailbox: a text that others can send to. */
  readonly address: string
  /**
   * Sends a parcel. Returns at once; order is kept per addressee. Throws a `LuciliusError` if it certainly did not leave:
   * `LUC_TOO_LARGE`, `LUC_NOT_PORTABLE`, `LUC_UNREACHABLE`. A reply that cannot be carried it sends as the error that
   * says so, and throws nothing for it.
   */
  send(to: string, parcel: Parcel): void
  /** Resolves when the broker is there, at once or once it is back; rejects with `LUC_UNREACHABLE` after `limitMs`. */
  ready(limitMs: number): Promise<void>
  /**
   * Resolves if somebody answers at a clients' door, rejects with `LUC_UNREACHABLE` if nobody does. Absent where what is
   * sent there waits for somebody anyway.
   */
  knock?(to: string): Promise<void>
  /** Leaves the broker: the mailbox is gone, what was sent has been sent, what had come is handed over before. */
  close(): Promise<void>
}

/** What a post tells whoever holds the mailbox. None of these throws. */
export interface Recipient {
  /**
   * A parcel came. What cannot be read is not handed over, but for an answer: that is handed over as the error which says
   * so. `from` is the sender's mailbox, or empty where the broker does not tell; of `open`, `act` and `ping` it must.
   */
  take(from: string, parcel: Parcel): void
  /**
   * A parcel could not be delivered: nobody has that mailbox. Told at once by the broker ("no responders", a returned
   * message), in the order in which the parcels were sent. `id` if it was an act.
   */
  undelivered(line: string, id?: number): void
  /** The broker is lost: whatever was under way may be. The post comes back by itself; our mailbox has the same address then. */
  lost(): void
}

/** Opens a mailbox. Rejects with `LUC_UNREACHABLE` and the like if the broker cannot be reached now. */
export type OpenPost = (recipient: Recipient) => Promise<Post>
