import { AsyncLocalStorage } from 'node:async_hooks'
import type { Handler } from '../handler.js'
import type { Call } from './call.js'
import { callOf } from './context.js'
import { isThenable } from './thenable.js'

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

/** Lets an act outside the context be noticed during the first runs of a handler (strict parity). */
export function followed(handler: Handler): Handler {
  let left = FOLLOWED_RUNS
  return (message, context) => {
    const call = left > 0 ? callOf(context) : undefined
    if (call === undefined) return handler(message, context)
    left--
    following++
    try {
      const reply = inside.run(call, handler, message, context)
      if (!isThenable(reply)) {
        done()
        return reply
      }
      // A promise of our own: a lazy one, such as a query builder, does its work each time that `then` is called.
      const settled = Promise.resolve(reply)
      settled.then(done, done)
      return settled
    } catch (error) {
      done()
      throw error
    }
  }
}

/** Storage that nobody needs is switched off: switched on, it costs every promise of the process. */
function done(): void {
  following--
  if (following === 0) inside.disable()
}
