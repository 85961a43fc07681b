import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { repoRoot } from '../support/repo-root.js'
import { docPages } from './pages.js'
import { compile, run, type Snippet, snippetsOf } from './snippets.js'

// The page of errors shows one fragment, of a service that stands elsewhere.
const pages = docPages().filter(({ path }) => path !== 'docs/errors.md')
const snippets = pages.flatMap(snippetsOf)
const programs = snippets.filter(({ nocheck }) => nocheck === undefined)

// Below the root of the package, so that the programs find it by its name as a user's do: built.
mkdirSync(join(repoRoot(), 'build'), { recursive: true })
const folder = mkdtempSync(join(repoRoot(), 'build/docs-'))
t.teardown(() => rmSync(folder, { recursive: true, force: true }))

const files = new Map(programs.map((snippet, index) => [snippet, write(snippet, index)]))
const errors = compileAll()

t.test('each program in the docs type-checks against the package', async (t) => {
  t.ok(programs.length > 0)
  for (const [snippet, file] of files) t.strictSame(errors.get(file), [], snippet.place)
})

t.test('each program in the docs prints what the page says it prints', async (t) => {
  t.jobs = 4
  for (const [snippet, file] of files) {
    t.test(snippet.place, async (t) => {
      const { code, printed, complaints } = await run(file.replace(/ts$/, 'js'))
      t.equal(complaints, '', 'it complains of nothing')
      t.equal(code, 0, 'it ends by itself, and well')
      t.equal(printed, snippet.printed)
    })
  }
})

t.test('a program in the docs that is not run says why', async (t) => {
  const unrun = snippets.filter(({ nocheck }) => nocheck !== undefined)
  for (const { nocheck, place } of unrun) t.not(nocheck, '', place)
  t.ok(unrun.length <= 5, 'they are the exception')
})

function write({ code, page }: Snippet, index: number): string {
  const file = join(folder, `${page.replaceAll(/\W/g, '-')}-${index}.ts`)
  writeFileSync(file, code)
  return file
}

/** Those that declare patterns for the whole program are programs of their own. */
function compileAll(): Map<string, string[]> {
  const all = [...files.values()]
  const apart = programs
    .filter(({ code }) => code.includes('declare module'))
    .map((snippet) => files.get(snippet) ?? '')
  const groups = [all.filter((file) => !apart.includes(file)), ...apart.map((file) => [file])]
  return new Map(groups.flatMap((group) => [...compile(group)]))
}
