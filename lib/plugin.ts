import { LuciliusError } from './errors.js'
import { checkKeys } from './option-checks.js'

/** Sets up a plugin: adds, wraps, subscribes, and leaves hooks for `onReady` and `onClose`. */
export type PluginSetup<A, O> = {
  // A method, because parameters of methods may vary: a plugin for any app fits an app with typed patterns.
  /** Registers; what it returns is awaited. */
  setup(app: A, options: O): unknown
}['setup']

/** A plugin with a name and needs of its own. */
export interface PluginObject<A, O> {
  /** Unique in the app; a second use of the plugin needs `{ as: 'another name' }`. */
  readonly name: string
  /** Names of plugins that must have been used before. */
  readonly needs?: readonly string[]
  /** Runs once, in order, when the app becomes ready. */
  readonly setup: PluginSetup<A, O>
}

/** What `app.use` needs of a plugin. */
export interface NamedPlugin {
  readonly name: string
  readonly setup: (app: unknown, options: unknown) => unknown
}

/** The plugins of an app by name. */
export class Plugins {
  readonly #names = new Set<string>()

  /** Takes a plugin in. Throws `LUC_PLUGIN_INVALID` for a wrong shape, a name in use, or a need that is not met. */
  admit(plugin: unknown, use: unknown): NamedPlugin {
    const { as } = use === undefined ? { as: undefined } : checkKeys<{ as?: unknown }>('use', use, ['as'])
    if (as !== undefined && !isName(as)) throw invalid("use: 'as' is a text of 1 to 200 characters.")
    const { name, needs, setup } = shapeOf(plugin)
    const called = as ?? name ?? this.#unnamed()
    if (this.#names.has(called)) {
      throw invalid(
        `There is a plugin '${called}' already. Give this one a name of its own: app.use(plugin, options, { as: '${called}-2' }).`,
      )
    }
    const missing = needs.find((need) => !this.#names.has(need))
    if (missing !== undefined) {
      throw invalid(`Plugin '${called}' needs '${missing}', which is not installed: call app.use with it before.`)
    }
    this.#names.add(called)
    return { name: called, setup }
  }

  /** Gives names back. */
  release(names: Iterable<string>): void {
    for (const name of names) this.#names.delete(name)
  }

  /** Takes names back that were released. */
  restore(names: Iterable<string>): void {
    for (const name of names) this.#names.add(name)
  }

  #unnamed(): string {
    for (let i = 1; ; i++) if (!this.#names.has(`plugin-${i}`)) return `plugin-${i}`
  }
}

interface Shape {
  readonly name: string | undefined
  readonly needs: readonly string[]
  readonly setup: NamedPlugin['setup']
}

function shapeOf(plugin: unknown): Shape {
  if (typeof plugin === 'function') {
    const setup = plugin as NamedPlugin['setup']
    return { name: isName(setup.name) && setup.name !== 'default' ? setup.name : undefined, needs: [], setup }
  }
  if (typeof plugin !== 'object' || plugin === null) {
    throw invalid(
      `A plugin is a function (app, options) => …, or { name, setup }, not ${plugin == null ? String(plugin) : `a ${typeof plugin}`}.`,
    )
  }
  const { name, needs = [], setup } = plugin as { name?: unknown; needs?: unknown; setup?: unknown }
  if (typeof setup !== 'function') throw invalid("A plugin object needs 'setup', a function (app, options) => ….")
  if (!isName(name)) throw invalid("A plugin object needs 'name', a text of 1 to 200 characters.")
  if (!Array.isArray(needs) || !needs.every(isName))
    throw invalid(`Plugin '${name}': 'needs' is a list of names of plugins.`)
  return { name, needs, setup: (app, options) => setup.call(plugin, app, options) }
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 200
}

function invalid(message: string): LuciliusError {
  return new LuciliusError('LUC_PLUGIN_INVALID', message)
}
