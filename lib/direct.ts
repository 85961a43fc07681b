import type { Call, Connection, DirectCall, Envelope, Observer, Outcome } from './transport.js'

/** Carries an envelope without a promise, if the transport can. What it throws is told like any other failure. */
export function carryDirect(connection: Connection, envelope: Envelope, call: DirectCall): void {
  try {
    if (connection.carryDirect !== undefined) connection.carryDirect(envelope, call)
    else follow(connection.carry(envelope, call), call)
  } catch (error) {
    call.fail(error)
  }
}

/** Hands an envelope to the app without a promise, if whoever stands for it can. */
export function receiveDirect(observer: Observer, envelope: Envelope, call: DirectCall): void {
  if (observer.receiveDirect !== undefined) observer.receiveDirect(envelope, call)
  else follow(observer.receive(envelope, call), call)
}

function follow(outcome: Promise<Outcome>, call: DirectCall): void {
  outcome.then(
    (one) => call.settle(one),
    (error) => call.fail(error),
  )
}

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
