import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { CommandError } from '../errors.js'
import { exitCodes } from '../exit-codes.js'
import type { Io } from '../io.js'
import { packageRoot } from '../package-root.js'
import { harmlessText } from '../print/harmless-text.js'
import { shopManifest } from '../shop-manifest.js'

/** Writes a small running system into a new or empty folder, and says how to go on. */
export async function create([dir = '.']: readonly string[], _options: object, io: Io): Promise<number> {
  const folder = resolve(io.cwd, dir)
  refuseUnlessEmpty(folder, dir)
  const files = new Map(templateFiles())
  files.set('package.json', shopManifest(basename(folder), folder))
  for (const [path, text] of files) {
    const target = join(folder, path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, text, { flag: 'wx' }) // somebody else may have been faster
  }
  io.stdout.write(nextSteps(relative(io.cwd, folder)))
  return exitCodes.done.code
}

function refuseUnlessEmpty(folder: string, dir: string): void {
  let entries: string[]
  try {
    entries = readdirSync(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException // what fs throws has a code
    if (code === 'ENOENT') return
    throw new CommandError('failed', `'${dir}' is no folder that can be read (${code}). Name a new one.`)
  }
  const inTheWay = entries.filter((name) => name !== '.git')
  if (inTheWay.length === 0) return
  throw new CommandError('failed', `The folder '${dir}' is not empty: it has '${inTheWay[0]}'. Name a new one.`)
}

/** The files of the template by their paths in the new folder. */
function templateFiles(): [string, string][] {
  const root = join(packageRoot(), 'examples/shop')
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => [targetOf(relative(root, file)), readFileSync(file, 'utf8')])
}

/** npm leaves files called .gitignore out of packages, so it has another name there. */
function targetOf(path: string): string {
  return path === 'gitignore' ? '.gitignore' : path
}

function nextSteps(place: string): string {
  const steps = [
    'npm install',
    'npm test',
    'npx lucilius dev',
    "npx lucilius act 'role:order,cmd:place,sku:apple,quantity:2'",
  ]
  const cd = place === '' ? [] : [`cd ${/^[\w./-]+$/.test(place) ? place : `'${harmlessText(place)}'`}`]
  return `Written. Next, the last line in another terminal:\n\n${[...cd, ...steps].map((step) => `  ${step}\n`).join('')}`
}
