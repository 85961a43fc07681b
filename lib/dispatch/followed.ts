import { AsyncLocalStorage } from 'node:async_hooks'
import type { Handler } from '../handler.js'
import type { Call } from './call.js'
import { callOf } from './context.js'

/**
 * How many runs of a handler are followed. One that leaves its context does so nearly every time, and while any run is
 * followed the whole process pays 280 ns for each promise (`npm run bench -- local` measures parity without).
 */
const FOLLOWED_RUNS = 100

const inside = new AsyncLocalStorage<Call>()
let following = 0

/** The call whose handler runs here, as far as it is followed. */
export function followedCall(): Call | undefined {
  return following === 0 ? undefined : inside.getStore()
}

/**
 * Lets an act outside the context be noticed during the first runs of a handler (strict parity). A run is followed until
 * its call settles: one that never ends must not cost the process anything for ever.
 */
export function followed(handler: Handler): Handler {
  let left = FOLLOWED_RUNS
  return (message, context) => {
    const call = left > 0 ? callOf(context) : undefined
    if (call === undefined || call.settled) return handler(message, context)
    left--
    following++
    const { onSettled } = call
    call.onSettled = () => {
      onSettled?.()
      done()
    }
    return inside.run(call, handler, message, context)
  }
}

/** Storage that nobody needs is switched off: switched on, it costs every promise of the process. */
function done(): void {
  following--
  if (following === 0) inside.disable()
}
