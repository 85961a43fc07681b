import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { manifest, packageRoot } from './package-root.js'

/** The package.json of a system that `lucilius new` writes into a folder of this name. */
export function shopManifest(name: string, folder: string): string {
  const { version, devDependencies } = manifest()
  const pick = (tool: string) => ({ [tool]: devDependencies[tool] ?? '*' })
  const shop = {
    name: packageName(name),
    version: '0.1.0',
    private: true,
    type: 'module',
    engines: { node: '>=20.19' },
    scripts: {
      dev: 'lucilius dev',
      start: 'lucilius up split',
      test: 'node --import lucilius/register --test test/*.test.ts',
      check: 'tsc',
    },
    dependencies: { lucilius: sourceOf(packageRoot(), folder) ?? `^${version}` },
    devDependencies: { ...pick('@types/node'), ...pick('typescript') },
  }
  return `${JSON.stringify(shop, null, 2)}\n`
}

/** npm takes small letters, digits and a few signs. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '')
  return name === '' ? 'shop' : name
}

/** Where this lucilius came from, as a dependency of a project in that folder; undefined if that is a registry. */
export function sourceOf(root: string, folder: string): string | undefined {
  const modules = dirname(root)
  if (basename(modules) !== 'node_modules') return fileFrom(folder, root) // a clone
  const lock = join(modules, '.package-lock.json')
  if (!existsSync(lock)) return undefined
  const { packages } = JSON.parse(readFileSync(lock, 'utf8')) as {
    packages?: { [path: string]: { resolved?: string } }
  }
  const resolved = packages?.['node_modules/lucilius']?.resolved
  if (resolved === undefined || !resolved.startsWith('file:')) return undefined
  // npm writes it relative to the folder that has node_modules.
  return fileFrom(folder, resolve(dirname(modules), resolved.slice('file:'.length)))
}

function fileFrom(folder: string, target: string): string {
  return `file:${relative(folder, target).replaceAll('\\', '/')}`
}
