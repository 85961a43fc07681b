import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** As much of package.json as commands need. */
export interface Manifest {
  readonly version: string
  readonly devDependencies: { readonly [name: string]: string }
}

/** The folder of this package, wherever its build lies in it. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder)
    if (above === folder) throw new Error('There is no package.json above lucilius.')
    folder = above
  }
  return folder
}

/** The package.json of this package. */
export function manifest(): Manifest {
  return JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as Manifest // our own file
}
