import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { repoRoot } from '../support/repo-root.js'
import { docPages, type Page } from './pages.js'

/** Code that stands in a page and in a file: a block marked `typescript` and the path of the file. */
interface Excerpt {
  readonly place: string
  readonly path: string
  readonly lines: readonly string[]
}

const excerpts = docPages().flatMap(excerptsOf)

t.test('an excerpt in the docs is what stands in its file, line for line', async (t) => {
  t.ok(excerpts.length > 10)
  for (const { place, path, lines } of excerpts) {
    t.ok(outdented(sourceOf(path)).includes(lines.join('\n')), `${place}: ${path}`)
  }
})

t.test('the page that builds a transport leaves nothing of it out', async (t) => {
  for (const file of ['message-port', 'frame', 'line']) {
    const path = `examples/message-port/${file}.ts`
    const shown = new Set(excerpts.filter((one) => one.path === path).flatMap(({ lines }) => lines.map(trimmed)))
    const [, body = ''] = /^(?:\/\*\*.*?\*\/\n)?import .*?\n\n(.*)$/s.exec(sourceOf(path)) ?? []
    const missing = body.split('\n').filter((line) => !shown.has(trimmed(line)))
    t.strictSame(missing, [], path)
  }
})

function excerptsOf({ path: page, text }: Page): Excerpt[] {
  return [...text.matchAll(/^```typescript ([\w./-]+)\n(.*?)\n```$/gms)].map(
    ({ 1: path = '', 2: body = '', index }) => ({
      place: `${page}:${text.slice(0, index).split('\n').length}`,
      path,
      lines: body.split('\n'),
    }),
  )
}

function sourceOf(path: string): string {
  return readFileSync(join(repoRoot(), path), 'utf8')
}

/** A source as it is, and moved to the left: a method is shown without the indent that its class gives it. */
function outdented(source: string): string {
  return `${source}\n${source.replaceAll(/^ {2}/gm, '')}`
}

function trimmed(line: string): string {
  return line.trim()
}
