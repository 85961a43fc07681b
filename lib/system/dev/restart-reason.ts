import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { descriptionFolder } from '../loading/description-folder.js'
import { findSystem } from '../loading/find-system.js'
import type { Loaded } from '../loading/load-system.js'
import type { Where } from './known-files.js'

/** Why a file makes everything start anew, though no service imports it; undefined if it does not. */
export function restartReason(file: string, where: Where, loaded: Loaded): string | undefined {
  const name = basename(file)
  const isOfFolder = dirname(file) === descriptionFolder(loaded)
  if (isOfFolder && isSetting(name)) return `${name} has changed`
  if (isOfFolder && loaded.file === undefined && /^lucilius[.]config[.]m?[jt]s$/.test(name)) return `${name} is new`
  if (Object.hasOwn(createRequire(import.meta.url).cache, file))
    return `${name} is CommonJS, which cannot be loaded anew`
  return servicesReason(where, loaded)
}

/** Whether a file of this name, next to the description, says something about all of the system. */
export function isSetting(name: string): boolean {
  return name === 'package.json' || /^[.]env([.]|$)/.test(name)
}

/** Where there is no description, what stands in `services` is one. */
function servicesReason({ cwd, config }: Where, { file, folder, system }: Loaded): string | undefined {
  if (file !== undefined) return undefined
  try {
    const found = findSystem(cwd, config)
    if (!('services' in found)) return 'there is a description now'
    const before = [...system.services.keys()].join()
    if (Object.keys(found.services).join() === before) return undefined
    return `${basename(join(folder, 'services'))} has other modules in it`
  } catch {
    return undefined // nothing is left of it: what runs goes on until there is something again
  }
}
