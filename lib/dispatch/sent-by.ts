import type { Context, Handler, Middleware } from '../handler.js'
import type { Call } from './call.js'
import { through, type Within } from './context.js'

/** Hears what a service sends, as `act` and `emit` were given it. */
export type Hearing = (service: string, kind: 'act' | 'emit', first: unknown, data: unknown) => void

/** A handler of a service, of whose acts and events somebody hears. */
export function heardHandler(service: string, handler: Handler, hear: Hearing): Handler {
  const heard = hearing(service, hear)
  return (message, context) => handler(message, heard(context))
}

/** A middleware of a service, of whose acts and events somebody hears. */
export function heardMiddleware(service: string, middleware: Middleware, hear: Hearing): Middleware {
  const heard = hearing(service, hear)
  return (next) => {
    const handler: unknown = middleware(next)
    // Whoever composes it says what is wrong with it.
    return typeof handler === 'function' ? (message, context) => handler(message, heard(context)) : (handler as Handler)
  }
}

function hearing(service: string, hear: Hearing): (context: Context) => Context {
  const known = new WeakMap<Within, Within>()
  const ears = (within: Within): Within => {
    const made = known.get(within) ?? listening(within)
    known.set(within, made)
    return made
  }
  const listening = (within: Within): Within => ({
    act: (call: Call, first, data, options) => {
      hear(service, 'act', first, data)
      return within.act(call, first, data, options)
    },
    emit: (call, first, data, options) => {
      hear(service, 'emit', first, data)
      return within.emit(call, first, data, options)
    },
    prior: (call, message) => within.prior(call, message),
  })
  return (context) => through(context, ears)
}
