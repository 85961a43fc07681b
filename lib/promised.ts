import type { Call, DirectCall, Outcome } from './transport.js'

/** A promise of what becomes of a call that `carry` is given in its direct form. */
export function promised(call: Call, carry: (direct: DirectCall) => void): Promise<Outcome> {
  return new Promise((resolve, reject) => carry(new Promised(call, resolve, reject)))
}

/** Hooks and identity are those of the call, the end is that of the promise. */
class Promised implements DirectCall {
  readonly #call: Call
  readonly settle: (outcome: Outcome) => void
  readonly fail: (error: unknown) => void

  constructor(call: Call, settle: (outcome: Outcome) => void, fail: (error: unknown) => void) {
    this.#call = call
    this.settle = settle
    this.fail = fail
  }

  get identity(): unknown {
    return this.#call.identity
  }

  get onCancel(): (() => void) | undefined {
    return this.#call.onCancel
  }

  set onCancel(hook: (() => void) | undefined) {
    this.#call.onCancel = hook
  }
}
