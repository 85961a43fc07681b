import type { Call, Waiter } from '../dispatch/call.js'
import { logFailure } from '../dispatch/log-failure.js'
import { LuciliusError } from '../errors.js'
import type { Subscribed } from './subscriptions.js'

/** One run of one subscription: nobody waits for it, and its failure is counted. */
export class Observation implements Waiter {
  readonly #observer: Subscribed
  readonly #call: Call

  constructor(observer: Subscribed, call: Call) {
    this.#observer = observer
    this.#call = call
  }

  resolve(): void {}

  reject(error: Error): void {
    this.#observer.failures++
    // What a handler threw has been logged where it was thrown.
    if (error instanceof LuciliusError && error.code === 'LUC_ACTION_FAILED') return
    logFailure(this.#call, error, 'a subscription failed')
  }
}
