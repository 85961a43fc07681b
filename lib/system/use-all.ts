import type { App } from '../app.js'
import { loadPlugin } from './loading/load-plugin.js'
import type { Loaded } from './loading/load-system.js'

/**
 * Loads the plugins of a system and then services, all unless they are named, into an app. Rejects with
 * `LUC_PLUGIN_FAILED` and `LUC_OPTIONS_INVALID`.
 */
export async function useAll(
  app: App,
  { system, folder }: Pick<Loaded, 'system' | 'folder'>,
  services: Iterable<string> = system.services.keys(),
): Promise<void> {
  const chosen = [...services].flatMap((name) => system.services.get(name) ?? []) // names were checked with the description
  const all = [...system.plugins.values(), ...chosen]
  const loaded = await Promise.all(
    all.map(async ({ name, module, options }) => ({ name, options, plugin: await loadPlugin(name, module, folder) })),
  )
  for (const { name, options, plugin } of loaded) app.use(plugin, options, { as: name })
}
