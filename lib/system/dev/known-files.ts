import { dirname, join, resolve } from 'node:path'
import { findSystem } from '../loading/find-system.js'
import type { Loaded } from '../loading/load-system.js'
import { CONFIG_OWNER } from '../loading/module-graph.js'
import { typeScriptOf } from '../loading/module-url.js'
import { registerTypeScript } from '../loading/register-typescript.js'
import type { SystemPlugin } from '../system.js'

/** Where to look for changes. Paths are absolute. */
export interface Watched {
  /** Files that were imported, or asked for and not found. */
  readonly files: readonly string[]
  /** Folders in which every new module counts: where `services` stands for a description. */
  readonly folders: readonly string[]
}

/** Where a system is looked for, as `loadSystem` takes it. */
export interface Where {
  readonly cwd: string
  readonly config?: string | undefined
}

/** All files that a process of a system is made of, as far as it came: those of a start that failed, too. */
export async function watchedOf(where: Where, loaded: Loaded | undefined): Promise<Watched> {
  const graph = registerTypeScript()
  const { file, folders } = descriptionOf(where)
  const owners = [CONFIG_OWNER, ...modulesOf(loaded).map(({ name }) => name)]
  const reached = await Promise.all(owners.map((owner) => graph.filesOf(owner)))
  const named = modulesOf(loaded).flatMap(({ module }) => candidates(module, loaded?.folder))
  const all = [...(file === undefined ? [] : [file]), ...named, ...reached.flat(), ...(await graph.files())]
  return { files: [...new Set(all)], folders }
}

/** The services and plugins of a system. */
export function modulesOf(loaded: Loaded | undefined): readonly SystemPlugin[] {
  if (loaded === undefined) return []
  return [...loaded.system.plugins.values(), ...loaded.system.services.values()]
}

function descriptionOf({ cwd, config }: Where): { readonly file?: string; readonly folders: readonly string[] } {
  try {
    const found = findSystem(cwd, config)
    return 'file' in found ? { file: found.file, folders: [] } : { folders: [join(found.folder, 'services')] }
  } catch {
    // It has just gone: its folder tells when it is back.
    const file = resolve(cwd, config ?? 'lucilius.config.ts')
    return { file, folders: [join(dirname(file), 'services')] }
  }
}

function candidates(module: unknown, folder: string | undefined): string[] {
  if (typeof module !== 'string' || folder === undefined || module.startsWith('file:')) return []
  const file = resolve(folder, module)
  const other = typeScriptOf(file)
  return other === undefined ? [file] : [file, other]
}
