import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A project in a folder of its own, removed after the test. */
export interface Project {
  readonly folder: string
  /** Writes files, paths relative to the folder. */
  write(files: { readonly [path: string]: string }): void
  /** The absolute path of a file. */
  path(file: string): string
}

/** Makes a project of ES modules with these files. */
export function projectOf(
  t: { teardown(fn: () => void): unknown },
  files: { readonly [path: string]: string },
): Project {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'lucilius-loading-')))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const path = (file: string) => join(folder, file)
  const write: Project['write'] = (some) => {
    for (const [file, text] of Object.entries(some)) {
      mkdirSync(dirname(path(file)), { recursive: true })
      writeFileSync(path(file), text)
    }
  }
  write({ 'package.json': '{ "type": "module" }', ...files })
  return { folder, write, path }
}
