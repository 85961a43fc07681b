/** Bounds of a line and of a clients' desk. */
export interface MailLimits {
  /** Bytes of a message or reply, either way: 1 MiB. */
  readonly maxBytes: number
  /** Objects and arrays inside each other in a message or reply: 64. */
  readonly maxDepth: number
  /** Acts of one line and direction that wait for an answer at the same time: 256. Those beyond it wait to be sent. */
  readonly maxInFlight: number
  /** Characters of acts that may wait to be sent on one line: 16 million. */
  readonly maxBuffered: number
  /** Acts of clients that may run at the same time, all of them together: 1,024. */
  readonly maxClientActs: number
  /** Milliseconds for opening a line: 10,000. */
  readonly handshakeTimeoutMs: number
  /** Milliseconds within which a ping is answered; a line on which two in a row are not is lost: 10,000. */
  readonly pingMs: number
}

/** What holds unless a transport says otherwise. */
export const mailLimits: MailLimits = Object.freeze({
  maxBytes: 1024 * 1024,
  maxDepth: 64,
  maxInFlight: 256,
  maxBuffered: 16_000_000,
  maxClientActs: 1024,
  handshakeTimeoutMs: 10_000,
  pingMs: 10_000,
})
