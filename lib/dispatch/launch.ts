import type { Handler } from '../handler.js'
import { type Call, describe, type Waiter } from './call.js'
import { CallContext, type Within } from './context.js'
import { LATER } from './later.js'
import { isThenable } from './thenable.js'

/**
 * Starts a call: its clock, its cancellation and its handler. Resolves or rejects as the call settles, once.
 *
 * Hot: one promise and two closures a call, none of them async (`npm run bench -- local`).
 */
export function launch(
  call: Call,
  handler: Handler,
  within: Within,
  ownTime: boolean,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call.resolve = resolve
    call.reject = reject
    call.open(ownTime)
    if (signal !== undefined) followSignal(call, signal)
    // As in `launchFor`: a function for both costs each act 10 ns.
    try {
      const reply: unknown = handler(call.message, new CallContext(call, within))
      if (reply === LATER) return
      // Within the try: what looks like a promise may throw when `then` is read or called.
      if (isThenable(reply)) {
        reply.then(
          (value) => call.succeed(value),
          (error) => call.fail(error),
        )
      } else {
        call.succeed(reply)
      }
    } catch (error) {
      call.fail(error)
    }
  })
}

/** Starts a call whose end its own `waiter` is told. */
export function launchFor(waiter: Waiter, call: Call, handler: Handler, within: Within): void {
  call.waiter = waiter
  call.open(true)
  try {
    const reply: unknown = handler(call.message, new CallContext(call, within))
    if (reply === LATER) return
    if (isThenable(reply)) {
      reply.then(
        (value) => call.succeed(value),
        (error) => call.fail(error),
      )
    } else {
      call.succeed(reply)
    }
  } catch (error) {
    call.fail(error)
  }
}

function followSignal(call: Call, signal: AbortSignal): void {
  const abort = () => call.cancel('LUC_CANCELLED', `The caller cancelled ${describe(call.action)}.`)
  signal.addEventListener('abort', abort, { once: true })
  call.onSettled = () => signal.removeEventListener('abort', abort)
}
