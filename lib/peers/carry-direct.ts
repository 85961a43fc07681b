import type { Connection, DirectCall, Envelope } from '../transport.js'

/** Carries an envelope without a promise, where the transport can. What it throws is told like any other failure. */
export function carryDirect(connection: Connection, envelope: Envelope, call: DirectCall): void {
  try {
    if (connection.carryDirect !== undefined) connection.carryDirect(envelope, call)
    else follow(connection.carry(envelope, call), call)
  } catch (error) {
    call.fail(error)
  }
}

function follow(outcome: ReturnType<Connection['carry']>, call: DirectCall): void {
  outcome.then(
    (one) => call.settle(one),
    (error) => call.fail(error),
  )
}
