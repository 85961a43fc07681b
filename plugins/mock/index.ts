/**
 * Answers in place of an action, and remembers what was sent: for tests.
 *
 * @module
 */
import type { Handler, Message, Plugin, Scalar } from '../../lib/index.js'

/** A message that a mock answered. */
export interface Sent {
  /** The message as the action would have got it. */
  readonly message: Message
  /** On whose behalf it was sent, if anybody's. */
  readonly identity?: unknown
}

/** A plugin that stands in for an action. */
export type Mock = Plugin & {
  /** What was sent to it, in order. */
  readonly sent: readonly Sent[]
  /** Forgets what was sent. */
  clear(): void
}

/**
 * Makes a plugin that answers a pattern with a value, with what a function `(message, context) => reply` gives, or by
 * throwing an `Error`.
 *
 * It stands in front of an action of the same pattern, here or at a peer; `context.prior()` leads to one that is here.
 * Use mocks before all services or after them: those in between answer only once the `onReady` hooks of the services
 * before them have run. A message that a more specific action answers never gets here.
 *
 * An error reaches the caller as from any handler: an `ActionError` as it is, all else as `LUC_ACTION_FAILED`.
 *
 * @example
 * ```ts
 * import { lucilius } from 'lucilius'
 * import { mock } from 'lucilius/plugins/mock'
 *
 * const rates = mock('role:rates,cmd:get', { rate: 2 })
 * const app = lucilius()
 * app.use(rates)
 * console.log(await app.act('role:rates,cmd:get', { currency: 'usd' })) // { rate: 2 }
 * console.log(rates.sent[0]?.message.currency) // usd
 * await app.close()
 * ```
 */
export function mock(pattern: string | { readonly [key: string]: Scalar }, answer: unknown): Mock {
  const sent: Sent[] = []
  const handler: Handler = (message, context) => {
    const { identity } = context.meta
    sent.push(identity === undefined ? { message } : { message, identity })
    if (answer instanceof Error) throw answer
    return typeof answer === 'function' ? answer(message, context) : answer
  }
  return {
    name: `mock(${typeof pattern === 'string' ? pattern : JSON.stringify(pattern)})`,
    setup: (app) => {
      const early = app.add(pattern, handler)
      // Services used later have added theirs by now: step in front of them.
      app.onReady(() => {
        early.remove()
        app.add(pattern, handler)
      })
    },
    sent,
    clear: () => {
      sent.length = 0
    },
  }
}
