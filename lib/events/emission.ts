import type { Origin } from '../dispatch/call.js'
import type { Message } from '../message.js'
import type { Crowd } from './crowd.js'

/** An event under way: the message and what its observers inherit. */
export interface Emission {
  readonly message: Message
  readonly origin: Origin
  readonly hops: number
  /** Id and trace of the call that emitted it, if there was one. */
  readonly id: string | undefined
  readonly traceparent: string | undefined
  /** Whom its runs are counted with, if it came from a client. */
  readonly crowd?: Crowd | undefined
}
