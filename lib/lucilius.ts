import type { App } from './app.js'
import { Core } from './core.js'
import { type AppOptions, toSettings } from './options.js'
import type { Mode } from './typed/contract.js'
import type { Events, Patterns } from './typed/registry.js'
import { viewOf } from './view.js'

/**
 * Makes an app: a router for messages, the plugins that answer them, and their life.
 *
 * Nothing is opened and no timer is started until something is sent. Throws `LUC_OPTIONS_INVALID`.
 *
 * @example
 * ```ts
 * import { lucilius } from 'lucilius'
 *
 * const app = lucilius()
 * app.add('role:greet', (message) => ({ text: `Hello ${message.name}` }))
 * console.log(await app.act('role:greet', { name: 'Ada' }))
 * await app.close()
 * ```
 */
export function lucilius<R = Patterns, E = Events, M extends Mode = 'open'>(options: AppOptions = {}): App<R, E, M> {
  const core = new Core(toSettings(options))
  // The registries exist for the compiler only.
  return viewOf(core, core.self) as unknown as App<R, E, M>
}
