import type { DirectCall, Envelope, Observer } from '../../lib/transport-kit.js'

/** Hands an envelope to the app, without a promise if it can do without. */
export function receive(observer: Observer, envelope: Envelope, call: DirectCall): void {
  if (observer.receiveDirect !== undefined) observer.receiveDirect(envelope, call)
  // It never rejects.
  else void observer.receive(envelope, call).then((outcome) => call.settle(outcome))
}
