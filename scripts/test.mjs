/**
 * Runs the compiled tests, each file in a process of its own, and closes with `N passed, N failed, N skipped`.
 *
 * Exits with 1 if a test failed or none passed. scripts/test-report.mjs says what is counted.
 * `npm test -- test/router` runs the tests below a folder, `npm test -- test/router/router.test.ts` those of a file.
 *
 * The files are run as they are, by node, and not by tap's own runner: that one puts its hooks into every process, those
 * that tests start included, and takes twice the time.
 */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Parser } from 'tap-parser'
import { lanesOf } from './test-lanes.mjs'
import { fileReport } from './test-report.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
/** Seconds for one test; a file has as long as its tests, and is ended if nothing came of it for that time. */
const TEST_SECONDS = 60
const SILENT_MS = 2 * TEST_SECONDS * 1000

const { working, waiting } = lanesOf(chosen(compiledTests()))
const count = { passed: 0, failed: 0, skipped: 0 }
const running = new Set()
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop(signal))
const cores = Math.min(4, availableParallelism())
await Promise.all([runAll(waiting), ...Array.from({ length: cores }, () => runAll(working, waiting))])
if (count.passed + count.failed === 0) console.log('No test ran.')
console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
process.exitCode = count.failed === 0 && count.passed > 0 ? 0 : 1

function compiledTests() {
  if (!existsSync(join(root, 'build/test'))) return []
  return readdirSync(join(root, 'build/test'), { recursive: true })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => `build/test/${file.replaceAll('\\', '/')}`)
    .sort()
}

/** The tests of the named files and folders, all if none is named; none at all if a name leads nowhere. */
function chosen(tests) {
  const names = process.argv.slice(2)
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

/** Runs what is in the queues, the first of them first, one file after the other. */
async function runAll(...queues) {
  const next = () => queues.find((queue) => queue.length > 0)?.shift()
  for (let file = next(); file !== undefined; file = next()) {
    const { text, passed, failed, skipped } = await run(file)
    console.log(text)
    count.passed += passed
    count.failed += failed
    count.skipped += skipped
  }
}

/** Runs one file. What it writes beside its results goes where ours goes. */
function run(file) {
  const parser = new Parser({ name: file })
  const report = fileReport(parser, file)
  const began = performance.now()
  const env = { ...process.env, TAP: '1', TAP_TIMEOUT: String(TEST_SECONDS) }
  const child = spawn(process.execPath, ['--enable-source-maps', file], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  running.add(child)
  let silence
  const listen = () => {
    clearTimeout(silence)
    silence = setTimeout(() => child.kill('SIGKILL'), SILENT_MS)
  }
  listen()
  child.stdout.on('data', (chunk) => {
    listen()
    parser.write(chunk)
  })
  return new Promise((done) => {
    child.on('close', (code, signal) => {
      clearTimeout(silence)
      running.delete(child)
      parser.end()
      const seconds = (performance.now() - began) / 1000
      done(report(signal === null ? `exit code ${code}` : `ended by ${signal}`, code === 0, seconds))
    })
  })
}

/** Whoever ends the run ends the tests: they clean up after themselves. */
function stop(signal) {
  working.length = 0
  waiting.length = 0
  for (const child of running) child.kill(signal)
}
