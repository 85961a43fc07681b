/**
 * What crosses a broker. A broker knows mailboxes, not connections: a line is a connection between two mailboxes, made of
 * parcels, so that apps over a broker have what apps over a socket have, and behave alike.
 */
import type { ActEnvelope, EventEnvelope, Outcome } from '../transport.js'

/** One message from mailbox to mailbox. `line` is the id of the line it belongs to, made by the side that connects. */
export type Parcel =
  /** A wish to connect: the first parcel of a line. */
  | { readonly kind: 'open'; readonly line: string; readonly announcement: unknown; readonly authorization?: string }
  /** The wish is granted; the line is up. */
  | { readonly kind: 'opened'; readonly line: string; readonly announcement: unknown }
  /** One side tells what it is by now. */
  | { readonly kind: 'tell'; readonly line: string; readonly announcement: unknown }
  /** An act; `id` tells apart those of a line and a direction that wait for an answer. */
  | { readonly kind: 'act'; readonly line: string; readonly id: number; readonly envelope: ActEnvelope }
  /** The caller has given up. */
  | { readonly kind: 'cancel'; readonly line: string; readonly id: number }
  /** The answer to an act. */
  | { readonly kind: 'reply'; readonly line: string; readonly id: number; readonly outcome: Outcome }
  /** An event: nobody answers. */
  | { readonly kind: 'event'; readonly line: string; readonly envelope: EventEnvelope }
  /** Asks for a sign of life, and gives one. */
  | { readonly kind: 'ping' | 'pong'; readonly line: string; readonly id: number }
  /** The line is closed, or was never open; `error` is a wire error where the connecting side is refused. */
  | { readonly kind: 'close'; readonly line: string; readonly error?: unknown }

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
