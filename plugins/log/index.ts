/**
 * One log line for each act that this app handles.
 *
 * @module
 */
import type { Handler, Logger, LogLevel, Middleware, Plugin, Scalar } from '../../lib/index.js'
import { timed } from './timed.js'

/** Options of {@link log}. */
export interface LogOptions {
  /** Where the lines go, a pino instance for example. The log of the running action, which is the app's, unless given. */
  readonly logger?: Logger
  /** The level of the lines: `info` unless given. */
  readonly level?: LogLevel
  /** Only actions that this pattern covers; all unless given. */
  readonly pattern?: string | { readonly [key: string]: Scalar }
}

/**
 * Makes a plugin that writes one line for each act, when it ends: `pattern`, `service`, `id`, `ms` (the duration) and
 * `outcome`, which is `ok` or the code of what the handler threw, `LUC_ACTION_FAILED` if that has none.
 *
 * A line is written where the handler runs, at the latest when the deadline passes or the caller gives up. What a
 * handler acts and each prior are acts too, and have lines of their own; they end before the act that they belong to,
 * and stand above it. Messages, replies and identities are never written.
 *
 * @example
 * ```ts
 * import { lucilius } from 'lucilius'
 * import { log } from 'lucilius/plugins/log'
 *
 * const app = lucilius({ name: 'shop', logger: true })
 * app.use(log())
 * app.add('role:shop,cmd:open', () => 'welcome')
 * await app.act('role:shop,cmd:open')
 * await app.close()
 * ```
 */
export function log({ logger, level = 'info', pattern = '' }: LogOptions = {}): Plugin {
  return {
    name: 'log',
    setup: (app) => {
      const middleware: Middleware = (next: Handler) =>
        timed(next, (line, context) => {
          // The action's own log names the service already, and pino would write it twice.
          if (logger === undefined) context.log[level](line, 'act')
          else logger[level]({ ...line, service: context.service }, 'act')
        })
      app.wrap(pattern, middleware)
    },
  }
}
