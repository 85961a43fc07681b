/**
 * Compiles the sources into build/, silently when all is well, but for a word at a terminal.
 *
 * Removes the output of deleted and renamed sources first, so that no test runs of which the source is gone.
 * `--if-stale` does nothing when every output is newer than every source: `npm start` then starts at once.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const build = join(root, 'build')
const stamp = join(build, '.stamp')
const folders = ['lib', 'transports', 'plugins', 'examples', 'test']
/** The examples are a program of their own: what they declare of their messages must not reach the rest. */
const projects = ['tsconfig.json', 'examples/tsconfig.json']
const inputs = ['package.json', 'scripts/build.mjs', ...projects]

const sources = folders.flatMap((folder) => filesIn(folder, '.ts'))
if (process.argv.includes('--if-stale') && isFresh()) process.exit(0)

if (process.stderr.isTTY) process.stderr.write('building…\n')
removeStaleOutput()
const tsc = join(root, 'node_modules/typescript/bin/tsc')
rmSync(stamp, { force: true })
const isBuilt = projects.filter((project) => existsSync(join(root, project))).every(compile)
if (isBuilt) writeFileSync(stamp, sources.join('\n'))
process.exit(isBuilt ? 0 : 1)

function compile(project) {
  const options = { cwd: root, stdio: ['ignore', 2, 2] }
  return spawnSync(process.execPath, [tsc, '-p', join(root, project)], options).status === 0
}

/** The paths of all files below a folder of the root that end so; none if the folder does not exist. */
function filesIn(folder, ending) {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll('\\', '/'))
    .sort()
}

/** Whether the last build was of these very sources, and none of them or of the settings changed since. */
function isFresh() {
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== sources.join('\n')) return false
  const built = statSync(stamp).mtimeMs
  return [...sources, ...inputs].every((file) => statSync(join(root, file)).mtimeMs < built)
}

function removeStaleOutput() {
  const known = new Set(sources.map((source) => source.slice(0, -'.ts'.length)))
  for (const folder of folders) {
    for (const output of filesIn(`build/${folder}`, '')) {
      const source = output.slice('build/'.length).replace(/(\.d\.ts|\.js)(\.map)?$/, '')
      if (!known.has(source)) rmSync(join(root, output))
    }
    removeEmptyFolders(join(build, folder))
  }
}

function removeEmptyFolders(folder) {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeEmptyFolders(join(folder, entry.name))
  }
  if (readdirSync(folder).length === 0) rmdirSync(folder)
}
