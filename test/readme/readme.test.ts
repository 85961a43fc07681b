import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compile, run, snippetsOf } from '../docs/snippets.js'
import { repoRoot } from '../support/repo-root.js'

const root = repoRoot()
const text = readFileSync(join(root, 'README.md'), 'utf8')
const files = snippetsOf({ path: 'README.md', text })

// Below the root of the package, so that the files find it by its name as a user's do: built.
mkdirSync(join(root, 'build'), { recursive: true })
const folder = mkdtempSync(join(root, 'build/readme-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

for (const file of files) writeFileSync(pathOf(file.code), file.code)
const errors = compile(files.map(({ code }) => pathOf(code)))

t.test('the files of the README type-check side by side', async (t) => {
  t.ok(files.length >= 3)
  for (const { code, place } of files) t.strictSame(errors.get(pathOf(code)), [], place)
})

t.test('each file of the README prints what stands below it', async (t) => {
  for (const { code, place, printed } of files) {
    const ran = await run(pathOf(code).replace(/ts$/, 'js'))
    t.strictSame(ran, { code: 0, printed, complaints: '' }, place)
  }
})

t.test('the first service and its move to another app take 15 lines each, besides imports and end', async (t) => {
  const lines = files.map(
    ({ code }) => code.split('\n').filter((line) => line !== '' && !/^(\/\/|import)/.test(line)).length,
  )
  const [service = 0, start = 0, apart = 0] = lines
  t.ok(service + start <= 15, `${service + start} lines`)
  t.ok(apart <= 15, `${apart} lines`)
})

t.test('the commands of the README are scripts of the package', async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object } // our own file
  const named = [...text.matchAll(/npm (?:run )?([a-z]+(?::[a-z]+)?)/g)].map(([, name]) => name ?? '')
  for (const name of named.filter((name) => !['ci', 'install', 'pack', 'pkg', 'prints'].includes(name)))
    t.ok(Object.hasOwn(scripts, name), name)
})

/** A file of the README says its name in its first line. */
function pathOf(code: string): string {
  const [, name] = /^\/\/ ([a-z-]+\.ts)\n/.exec(code) ?? []
  if (name === undefined) throw new Error(`There is no name in the first line of: ${code}`)
  return join(folder, name)
}
