import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import t from 'tap'
import { repoRoot } from '../support/repo-root.js'
import { docPages, type Page, prose, rootPages } from './pages.js'

const pages = [...docPages(), ...rootPages()]

interface Link {
  readonly place: string
  readonly target: string
}

t.test('a link within the repository leads to a file that is there, and to a heading that is on it', async (t) => {
  const links = pages.flatMap(linksOf)
  t.ok(links.length > 0)
  for (const { place, target } of links) t.equal(problemWith(place, target), undefined, `${place}: ${target}`)
})

t.test('every page of the docs can be reached by links from the README', async (t) => {
  const reached = new Set<string>()
  const queue = ['README.md']
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue
    reached.add(path)
    const page = pages.find((one) => one.path === path)
    for (const { place, target } of page === undefined ? [] : linksOf(page)) queue.push(pathOf(place, target))
  }
  for (const { path } of docPages()) t.ok(reached.has(path), path)
})

t.test('a source file that a page names is there', async (t) => {
  for (const page of pages) {
    for (const file of new Set(page.text.match(/(?<=`)(lib|transports|plugins|test|scripts)\/[\w./-]+(?=`)/g))) {
      t.ok(existsSync(join(repoRoot(), file)), `${page.path}: ${file}`)
    }
  }
})

t.test('a decision is told in 40 lines, with context, choice and cost', async (t) => {
  const decisions = pages.filter(({ path }) => /^docs\/decisions\/(?!README)/.test(path))
  t.ok(decisions.length > 0)
  for (const { path, text } of decisions) {
    t.ok(text.trimEnd().split('\n').length <= 40, `${path} is short`)
    t.strictSame(text.match(/^## .*$/gm), ['## Context', '## Choice', '## Cost'], path)
  }
})

function linksOf(page: Page): Link[] {
  return prose(page).flatMap((line, index) =>
    [...line.matchAll(/\]\(([^)\s]+)\)/g)]
      .map(({ 1: target = '' }) => ({ place: `${page.path}:${index + 1}`, target }))
      .filter(({ target }) => !/^[a-z]+:/.test(target)),
  )
}

function pathOf(place: string, target: string): string {
  const page = place.replace(/:\d+$/, '')
  const [path = ''] = target.split('#')
  return path === '' ? page : relative(repoRoot(), join(repoRoot(), dirname(page), path)).replaceAll('\\', '/')
}

function problemWith(place: string, target: string): string | undefined {
  const file = join(repoRoot(), pathOf(place, target))
  if (!existsSync(file)) return 'there is no such file'
  const [, heading] = target.split('#')
  if (heading === undefined || statSync(file).isDirectory()) return undefined
  const text = readFileSync(file, 'utf8')
  return headings({ path: file, text }).includes(heading) ? undefined : 'there is no such heading'
}

/** The headings of a page as links name them on GitHub: lower case, spaces to dashes, no other punctuation. */
function headings(page: Page): string[] {
  return prose(page)
    .filter((line) => /^#{1,6} /.test(line))
    .map((line) => line.replace(/^#+ /, '').trim().toLowerCase())
    .map((line) => line.replaceAll(/[^\p{L}\p{N}_ -]/gu, '').replaceAll(' ', '-'))
}
