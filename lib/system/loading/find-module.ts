import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nearest } from '../../nearest.js'
import { invalid } from '../invalid.js'
import { typeScriptOf } from './module-url.js'

/** The file that a path of a description means. Throws `LUC_OPTIONS_INVALID` if there is none. */
export function findModule(name: string, path: string, folder: string): string {
  const file = path.startsWith('file:') ? fileURLToPath(path) : resolve(folder, path)
  const kind = kindOf(file)
  if (kind === 'file') return file
  if (kind === 'folder') {
    throw invalid(
      `'${name}': ${path} is a folder. Name a file in it${hint(filesIn(file).map((one) => `${path}/${one}`))}`,
    )
  }
  const other = typeScriptOf(file)
  if (other !== undefined && kindOf(other) === 'file') return other
  const near = nearest(basename(file), filesIn(dirname(file)), 1).map((one) =>
    relative(folder, resolve(dirname(file), one)),
  )
  const also = other === undefined ? '' : `, nor ${basename(other)}`
  const wanted = /^[./]|^file:/.test(path) ? '' : ` A package is named by a function: () => import('${path}').`
  throw invalid(`'${name}': there is no file ${path}${also} in ${folder}${hint(near)}${wanted}`)
}

/** What there is at a path. */
export function kindOf(path: string): 'file' | 'folder' | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return undefined
  return found.isDirectory() ? 'folder' : 'file'
}

/** Names of the modules in a folder, sorted; none if there is no folder. Tests, declarations and `_private` are none. */
export function filesIn(folder: string): string[] {
  if (kindOf(folder) !== 'folder') return []
  const names = readdirSync(folder).filter((name) => /^[^._].*[.]m?[jt]s$/.test(name))
  return names.filter((name) => !/[.](test|d)[.]m?[jt]s$/.test(name)).sort()
}

function hint(candidates: readonly string[]): string {
  const [first] = candidates
  return first === undefined ? '.' : `: did you mean ${first}?`
}
