import { ActionError } from '../errors.js'
import { portableCopy } from '../portable.js'
import { blame } from './blame.js'
import { type Call, describe, type Ledger } from './call.js'
import { logFailure } from './log-failure.js'

/** Keeps the books of an app's calls: how many run, and in which form replies and errors leave them. */
export class Books implements Ledger {
  readonly #strict: boolean
  /** How many calls run that no other call accounts for. */
  running = 0
  /** Nothing is started any more, not even for handlers that go on after they have settled. */
  closed = false
  #onIdle: (() => void) | undefined

  constructor(strict: boolean) {
    this.#strict = strict
  }

  /** Resolves when nothing runs. */
  idle(): Promise<void> {
    if (this.running === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }

  began(): void {
    this.running++
  }

  ended(): void {
    if (--this.running === 0) this.#onIdle?.()
  }

  deliver(reply: unknown, call: Call): unknown {
    if (!this.#strict) return reply
    try {
      return portableCopy(reply, 'reply')
    } catch {
      return refuseReply(reply, call)
    }
  }

  blame(thrown: unknown, call: Call): Error {
    return this.#strict && thrown instanceof ActionError ? withPortableDetails(thrown) : blame(thrown, call)
  }
}

/** Copies once more, with a name for the error: one that is given at once costs every act. Its author reads the log. */
function refuseReply(reply: unknown, call: Call): unknown {
  try {
    return portableCopy(reply, 'reply', {}, `Reply of ${describe(call.action)}`)
  } catch (error) {
    logFailure(call, undefined, (error as Error).message)
    throw error
  }
}

/** Details that JSON would change are found here, not after a split. */
function withPortableDetails(error: ActionError): Error {
  try {
    const { code, message, details } = error
    portableCopy({ code, message, details }, 'reply')
    return error
  } catch (problem) {
    // portableCopy throws nothing but the LuciliusError that names the field.
    return problem as Error
  }
}
