import { headers, type MsgHdrs } from '@nats-io/transport-node'
import type { Handled } from '../../../lib/transport-kit.js'
import type { Link } from './link.js'
import { pause } from './on-abort.js'
import { mayHaveArrived, mayPass, Unanswered } from './unanswered.js'

/** A message that a stream is to keep. */
export interface Keeping {
  readonly subject: string
  readonly text: string | Uint8Array
  /**
   * A second one of the same id is the same message, and not kept again: this is what makes trying again safe. Printable
   * ASCII without spaces.
   */
  readonly id: string
}

/** What a stream did with a message. */
export interface Kept {
  /** Where it lies in the stream: of the first one, if this is a second. */
  readonly sequence: number
  readonly isSecond: boolean
}

/** A message is not kept, or nobody can say. Stays within the store. */
export class NotKept extends Error {
  readonly handled: Handled
  override readonly cause: unknown

  constructor(handled: Handled, cause: unknown) {
    super('The message is not kept.')
    this.handled = handled
    this.cause = cause
  }
}

/** How long to wait before asking again a broker that did answer, or has a connection and does not. */
const pauseMs = 100

/**
 * Has a stream keep a message: resolves once it has it in writing. Tries again until the signal aborts, over lost
 * connections too; `restore` looks after a stream that is not there. Rejects with {@link NotKept}.
 */
export async function keep(
  link: Link,
  { subject, text, id }: Keeping,
  restore: () => Promise<void>,
  signal: AbortSignal,
): Promise<Kept> {
  const question = { headers: headersOf(id), signal }
  let handled: Handled = 'no'
  let cause: unknown
  for (;;) {
    try {
      if (!link.isUp || signal.aborted) await link.whenUp(signal)
    } catch (error) {
      throw new NotKept(handled, cause ?? error)
    }
    try {
      const { seq, duplicate } = await link.askApi(subject, text, question)
      return { sequence: Number(seq), isSecond: duplicate === true }
    } catch (error) {
      if (mayHaveArrived(error)) handled = 'unknown'
      if (!mayPass(error)) throw new NotKept(handled, error)
      cause = error
      if (error instanceof Unanswered && error.why === 'lost') continue
      if (error instanceof Unanswered && error.why === 'nobody') await restore().catch(() => {}) // The next try says why.
      await pause(pauseMs, signal)
    }
  }
}

function headersOf(id: string): MsgHdrs {
  const made = headers()
  made.set('Nats-Msg-Id', id)
  return made
}
