import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import t from 'tap'
import { startLucilius } from '../cli/process.js'
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

t.test('the first service and its split take 15 lines each, besides imports and end', async (t) => {
  const linesOf = (...names: string[]) =>
    files
      .filter(({ code }) => names.includes(basename(pathOf(code))))
      .flatMap(({ code }) => code.split('\n'))
      .filter((line) => line !== '' && !/^(\/\/|import)/.test(line)).length
  for (const lines of [linesOf('convert.ts', 'main.ts'), linesOf('lucilius.config.ts')]) {
    t.ok(lines > 5 && lines <= 15, `${lines} lines`)
  }
})

t.test('the system of the README runs, whole and split, and answers what stands there', async (t) => {
  const [, message = '', reply = ''] = /npx lucilius act '([^']*)'.*\n```\n\n```json\n(.*)\n```/.exec(text) ?? []
  const cwd = join(folder, 'system')
  const env = { LUCILIUS_RUN_DIR: join(folder, 'run') }
  mkdirSync(env.LUCILIUS_RUN_DIR, { mode: 0o700 })
  // Without what was compiled: a newcomer has that elsewhere.
  for (const { code } of files) cpSync(pathOf(code), join(cwd, basename(pathOf(code))))
  const lucilius = (...args: string[]) => startLucilius(t, args, { cwd, env })
  const asked = async () => t.match(await lucilius('act', message).ended, { code: 0, stdout: `${reply}\n`, stderr: '' })
  const ended = async ({ child, ended }: ReturnType<typeof lucilius>) => {
    child.kill('SIGINT')
    t.match(await ended, { code: 0, stderr: '' })
  }

  t.match(await lucilius('plan', 'split').ended, { code: 0, stdout: /^Nothing is wrong with what is declared\.$/m })
  await asked()
  const dev = lucilius('dev')
  await dev.says(/ready after/)
  await asked()
  await ended(dev)
  const up = lucilius('up', 'split')
  await up.says(/^up: 3 processes$/m)
  await asked()
  await ended(up)
})

t.test('the commands of the README are scripts of the package', async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: object } // our own file
  const named = [...text.matchAll(/npm (?:run )?([a-z]+(?::[a-z]+)?)/g)].map(([, name]) => name ?? '')
  for (const name of named.filter((name) => !['ci', 'init', 'install', 'pack', 'pkg', 'prints'].includes(name)))
    t.ok(Object.hasOwn(scripts, name), name)
})

/** A file of the README says its name in its first line. */
function pathOf(code: string): string {
  const [, name] = /^\/\/ ([a-z.-]+\.ts)\n/.exec(code) ?? []
  if (name === undefined) throw new Error(`There is no name in the first line of: ${code}`)
  return join(folder, name)
}
