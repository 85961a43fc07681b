import { basename, extname, join, relative, resolve } from 'node:path'
import { invalid } from '../invalid.js'
import { filesIn, kindOf } from './find-module.js'

/** Where a system is described, or the services that make one without a description. */
export type FoundSystem =
  | { readonly file: string; readonly folder: string }
  | { readonly folder: string; readonly services: Readonly<Record<string, string>> }

const names = ['ts', 'mts', 'js', 'mjs'].map((ending) => `lucilius.config.${ending}`)

/**
 * Looks for a system: the given file, the configuration in the given folder, or the `services` folder there.
 * Throws `LUC_OPTIONS_INVALID`, which says what to create.
 */
export function findSystem(cwd: string, config?: string): FoundSystem {
  const path = resolve(cwd, config ?? '.')
  const kind = kindOf(path)
  if (kind === undefined) throw invalid(`There is no ${config === undefined ? 'folder' : 'configuration'} ${path}.`)
  if (kind === 'file') return { file: path, folder: resolve(path, '..') }
  return configIn(path) ?? servicesIn(path)
}

function configIn(folder: string): FoundSystem | undefined {
  const [first, second] = names.filter((name) => kindOf(join(folder, name)) === 'file')
  if (first === undefined) return undefined
  if (second === undefined) return { file: join(folder, first), folder }
  throw invalid(`There are both ${first} and ${second} in ${folder}: keep one, or name one with --config.`)
}

function servicesIn(folder: string): FoundSystem {
  const path = join(folder, 'services')
  const create = "Create a lucilius.config.ts, or a module in services/, or a whole small system with 'lucilius new'."
  if (kindOf(path) !== 'folder') {
    throw invalid(`There is neither a lucilius.config.{ts,mts,js,mjs} nor a folder services in ${folder}. ${create}`)
  }
  const services: Record<string, string> = {}
  for (const name of filesIn(path)) {
    const service = basename(name, extname(name))
    const other = services[service]
    if (other !== undefined)
      throw invalid(`Service '${service}' is there twice: ${other} and ./services/${name}. Keep one.`)
    services[service] = `./${relative(folder, join(path, name)).replaceAll('\\', '/')}`
  }
  if (Object.keys(services).length === 0) throw invalid(`There is no module in ${path}. ${create}`)
  return { folder, services }
}
