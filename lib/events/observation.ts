import type { Call, Waiter } from '../dispatch/call.js'
import { logFailure } from '../dispatch/log-failure.js'
import { LuciliusError } from '../errors.js'
import type { Crowd } from './crowd.js'
import type { Subscribed } from './subscriptions.js'

/** One run of one subscription: nobody waits for it, and its failure is counted. */
export class Observation implements Waiter {
  readonly #observer: Subscribed
  readonly #call: Call
  readonly #crowd: Crowd | undefined

  constructor(observer: Subscribed, call: Call, crowd?: Crowd) {
    this.#observer = observer
    this.#call = call
    this.#crowd = crowd
  }

  resolve(): void {
    this.#crowd?.leave()
  }

  reject(error: Error): void {
    this.#crowd?.leave()
    this.#observer.failures++
    // What a handler threw has been logged where it was thrown.
    if (error instanceof LuciliusError && error.code === 'LUC_ACTION_FAILED') return
    logFailure(this.#call, error, 'a subscription failed')
  }
}
