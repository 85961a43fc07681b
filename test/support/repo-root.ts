import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds package.json: compiled tests lie some folders below it, wherever they are built to. */
export function repoRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder)
    if (above === folder) throw new Error('There is no package.json above the tests.')
    folder = above
  }
  return folder
}

/** The cases of a file in `test/cases`, read from the sources. */
export function readCases<T>(file: string): T {
  return JSON.parse(readFileSync(join(repoRoot(), 'test/cases', file), 'utf8')) as T
}
