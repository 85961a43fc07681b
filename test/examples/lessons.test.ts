import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { run } from '../docs/snippets.js'
import { repoRoot } from '../support/repo-root.js'

const sources = join(repoRoot(), 'examples')
const lessons = readdirSync(sources).filter((name) => name.endsWith('.ts'))
const mark = '\n// prints:\n'

t.test('each example prints what it ends with, and complains of nothing', async (t) => {
  t.jobs = 2
  t.ok(lessons.length >= 7)
  for (const lesson of lessons) {
    t.test(lesson, async (t) => {
      const file = new URL(`../../examples/${lesson.replace(/ts$/, 'js')}`, import.meta.url)
      const { code, printed, complaints } = await run(fileURLToPath(file))
      t.equal(complaints, '')
      t.equal(code, 0)
      t.not(printed, '')
      t.equal(printed, promised(readFileSync(join(sources, lesson), 'utf8')))
    })
  }
})

t.test('a lesson runs as the README and the page of the examples say', async (t) => {
  const [, lesson = ''] = /node --import lucilius\/register (\S+)\n/.exec(read('README.md')) ?? []
  t.match(read('../README.md'), `node --import lucilius/register examples/${lesson.replace('examples/', '')}`)
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'lucilius/register', lesson], {
    cwd: repoRoot(),
  })
  t.equal(stdout.trimEnd(), promised(readFileSync(join(repoRoot(), lesson), 'utf8')))
  for (const name of lessons) t.match(read('README.md'), `(${name})`, `${name} stands there`)
})

t.test('an example uses published names only', async (t) => {
  for (const lesson of lessons) {
    const imports = readFileSync(join(sources, lesson), 'utf8').matchAll(/from '([^']*)'/g)
    for (const [, name] of imports) t.match(name, /^(lucilius(\/.*)?|node:.*)$/, `${lesson} imports ${name}`)
  }
})

function read(page: string): string {
  return readFileSync(join(sources, page), 'utf8')
}

/** The comment that an example ends with. */
function promised(source: string): string | undefined {
  const [, comment] = source.split(mark)
  return comment?.trimEnd().replaceAll(/^\/\/ ?/gm, '')
}
