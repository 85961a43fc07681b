/**
 * Runs the compiled tests with tap and closes with the line `N passed, N failed, N skipped`.
 *
 * Exits with 1 if a test failed or none passed. scripts/test-report.mjs says what is counted.
 * `npm test -- test/router` runs the tests below a folder, `npm test -- test/router/router.test.ts` those of a file;
 * what begins with `-` goes to tap: `npm test -- test/router --bail`.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Parser } from 'tap-parser'
import { report } from './test-report.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const tap = join(root, 'node_modules/tap/dist/esm/run.mjs')
const flags = process.argv.slice(2).filter((argument) => argument.startsWith('-'))
const names = process.argv.slice(2).filter((argument) => !argument.startsWith('-'))

buildTap()
const parser = new Parser()
const count = report(parser)
const files = chosen(compiledTests())
const code = files.length > 0 ? await run(files) : 1
if (count.passed + count.failed === 0) console.log('No test ran.')
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
process.exitCode = code === 0 && count.failed === 0 && count.passed > 0 ? 0 : 1

/**
 * After `npm ci` tap is as it was published, with its loader for TypeScript, which has resolution rules of its own. tap
 * builds itself anew at the first run, but that run still has the loader.
 */
function buildTap() {
  const built = readFileSync(join(root, 'node_modules/@tapjs/test/test-built/dist/esm/index.js'), 'utf8')
  if (built.includes('@tapjs/typescript')) spawnSync(process.execPath, [tap, 'build'], { cwd: root, stdio: 'inherit' })
}

function compiledTests() {
  if (!existsSync(join(root, 'build/test'))) return []
  return readdirSync(join(root, 'build/test'), { recursive: true })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => `build/test/${file.replaceAll('\\', '/')}`)
    .sort()
}

/** The tests of the named files and folders, all if none is named; none at all if a name leads nowhere. */
function chosen(tests) {
  if (names.length === 0) return tests
  const found = names.map((name) => {
    const place = relative(root, resolve(name)).replaceAll('\\', '/')
    const output = `build/${place.replace(/^build\//, '').replace(/\.ts$/, '.js')}`
    return tests.filter((test) => test === output || test.startsWith(`${output}/`))
  })
  const lost = names.filter((_, index) => found[index].length === 0)
  for (const name of lost) console.log(`No test is at ${name}.`)
  return lost.length > 0 ? [] : [...new Set(found.flat())]
}

async function run(tests) {
  const child = spawn(process.execPath, [tap, 'run', '--reporter=tap', ...flags, ...tests], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  child.stdout.on('data', (chunk) => parser.write(chunk))
  return new Promise((done) => {
    child.on('close', (status) => {
      parser.end()
      done(status)
    })
  })
}
