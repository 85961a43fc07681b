/**
 * Checks what `npm pack` would publish: everything that the exports map names, and nothing that is not meant for users.
 *
 * Prints each file that is missing or too much, and exits with 1 if there is one.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const wanted = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'docs/errors.md']
const allowed = /^examples\/shop\/|^build\/(lib|transports|plugins)\/.+\.(js|d\.ts)(\.map)?$/
const mostBytes = 6 * 1024 * 1024 // unpacked, two thirds of it source maps; the aim is to notice a benchmark result or a recording that slipped in

const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
const [{ files, unpackedSize }] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
)

const packed = new Set(files.map((file) => file.path))
const named = Object.values(exports)
  .flatMap(targets)
  .map((target) => target.replace(/^\.\//, ''))
const complaints = [
  ...[...new Set([...wanted, ...named])].filter((file) => !packed.has(file)).map((file) => `missing: ${file}`),
  ...[...packed].filter((file) => !wanted.includes(file) && !allowed.test(file)).map((file) => `too much: ${file}`),
  ...(unpackedSize > mostBytes ? [`too large: ${unpackedSize} bytes, at most ${mostBytes}`] : []),
]
for (const complaint of complaints) console.error(complaint)
console.log(`${packed.size} files, ${Math.round(unpackedSize / 1024)} KiB unpacked`)
process.exitCode = complaints.length > 0 ? 1 : 0

/** The files that an entry of the exports map names, whatever its conditions. */
function targets(entry) {
  return typeof entry === 'string' ? [entry] : Object.values(entry).flatMap(targets)
}
