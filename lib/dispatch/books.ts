import { ActionError } from '../errors.js'
import { portableCopy } from '../portable.js'
import { blame } from './blame.js'
import type { Call, Ledger } from './call.js'

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

  deliver(reply: unknown): unknown {
    return this.#strict ? portableCopy(reply, 'reply') : reply
  }

  blame(thrown: unknown, call: Call): Error {
    return this.#strict && thrown instanceof ActionError ? withPortableDetails(thrown) : blame(thrown, call)
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
