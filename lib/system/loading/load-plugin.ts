import { relative } from 'node:path'
import type { Plugin } from '../../app.js'
import { LuciliusError } from '../../errors.js'
import type { ModuleLike } from '../description.js'
import { invalid } from '../invalid.js'
import { chooseExport, exportsOf, isClass, listExports } from './choose-export.js'
import { findModule } from './find-module.js'
import { firstLineOf } from './first-line.js'
import { importing, importModule } from './import-module.js'
import { registerTypeScript } from './register-typescript.js'

/**
 * Loads a service or plugin of a system: the default export of its module, the one of its name (`my-rates` is also
 * `myRates`), or the only function. A path is relative to the folder; an import function may give the plugin itself.
 *
 * Its files are known to the graph under `owner`. Rejects with `LUC_OPTIONS_INVALID` where the module or the plugin in
 * it cannot be found, and with `LUC_PLUGIN_FAILED` where the module throws; the cause says where.
 */
export async function loadPlugin(name: string, module: ModuleLike, folder: string, owner = name): Promise<Plugin> {
  const file = typeof module === 'string' ? findModule(name, module, folder) : undefined
  const title = file === undefined ? `'${name}'` : `'${name}' (${relative(folder, file)})`
  const load = typeof module === 'string' ? () => importModule(file ?? module) : () => importing(module)
  const loaded = await registerTypeScript()
    .watch(owner, load)
    .catch((error) => {
      const why = `${title} cannot be loaded: ${firstLineOf(error)}`
      throw new LuciliusError('LUC_PLUGIN_FAILED', why, { cause: error })
    })
  return pluginOf(name, title, loaded)
}

function pluginOf(name: string, title: string, loaded: unknown): Plugin {
  // What `isPlugin` lets through is what `app.use` takes; it looks at the rest itself.
  if (isPlugin(loaded) && !isNamespace(loaded)) return loaded as Plugin
  if (typeof loaded !== 'object' || loaded === null) {
    const what = loaded === null ? 'null' : typeof loaded
    throw invalid(`${title}: its import function gave ${what}, not a module: write () => import('./${name}.js').`)
  }
  const exports = exportsOf(loaded)
  const chosen = chooseExport(exports, [name, camelCase(name)], isPlugin)
  if (chosen !== undefined) return chosen as Plugin
  const wanted = `export a function (app, options) => …, as default or under the name '${camelCase(name)}'`
  throw invalid(`${title} has no plugin in it that is clearly meant: ${wanted}; ${listExports(exports)}.`)
}

function isPlugin(value: unknown): boolean {
  if (typeof value === 'function') return !isClass(value)
  return typeof value === 'object' && value !== null && typeof (value as { setup?: unknown }).setup === 'function'
}

function isNamespace(value: unknown): boolean {
  return Object.prototype.toString.call(value) === '[object Module]'
}

function camelCase(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_$]+(.)?/g, (_all, next: string | undefined) => next?.toUpperCase() ?? '')
}
