import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repoRoot } from '../support/repo-root.js'

/** A page of the repository, as text. */
export interface Page {
  /** Its path from the root of the repository: `docs/actions.md`. */
  readonly path: string
  readonly text: string
}

/** The pages of `docs`, those of `docs/api` aside, which typedoc makes. */
export function docPages(): Page[] {
  return readdirSync(join(repoRoot(), 'docs'), { recursive: true })
    .map((file) => `docs/${String(file).replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.md') && !path.startsWith('docs/api/'))
    .sort()
    .map(readPage)
}

/** The pages at the root of the repository, and those of the examples, that are there. */
export function rootPages(): Page[] {
  const examples = ['', 'currency/', 'orders/'].map((folder) => `examples/${folder}README.md`)
  const names = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...examples]
  return names.filter((name) => existsSync(join(repoRoot(), name))).map(readPage)
}

/** The lines of a page without those of its code blocks, which stay as empty lines. */
export function prose({ text }: Page): string[] {
  let fenced = false
  return text.split('\n').map((line) => {
    const fence = line.startsWith('```')
    if (fence) fenced = !fenced
    return fence || fenced ? '' : line
  })
}

/** The rows of the tables of a page that have these columns, without header; cells are trimmed, code marks taken off. */
export function tableRows(page: Page, columns: readonly string[]): string[][] {
  const rows: string[][] = []
  let inside = false
  for (const line of prose(page)) {
    const row = line.startsWith('|') ? cells(line) : undefined
    if (row === undefined) inside = false
    else if (inside && !row.every((cell) => /^:?-+:?$/.test(cell))) rows.push(row)
    else if (row.join() === columns.join()) inside = true
  }
  return rows
}

function cells(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1'))
}

function readPage(path: string): Page {
  return { path, text: readFileSync(join(repoRoot(), path), 'utf8') }
}
