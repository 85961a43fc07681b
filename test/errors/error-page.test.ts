import { readFileSync } from 'node:fs'
import t from 'tap'
import { errorTable } from '../../lib/errors.js'

const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
const codes = Object.keys(errorTable)

/** The sections whose heading is a code, by code. */
function sections(): Map<string, string> {
  const parts = page.split(/^## /m).slice(1)
  const named = parts.map((part) => [part.slice(0, part.indexOf('\n')).trim(), part] as const)
  return new Map(named.filter(([heading]) => heading.startsWith('LUC_')))
}

/** The rows of the summary table: code, handled, retryable, HTTP status. */
function rows(): string[][] {
  const lines = page.split('\n').filter((line) => line.startsWith('| [`LUC_'))
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

const yesNo = (value: boolean) => (value ? 'yes' : 'no')

t.test('the page has a section on each code, in the order of the table, and on no other', (t) => {
  t.same([...sections().keys()], codes)
  t.equal(page.match(/^## LUC_/gm)?.length, codes.length, 'no section stands twice')
  t.end()
})

t.test('each section says meaning, cause, cure, and handled and retryable as the table does', (t) => {
  for (const [code, row] of Object.entries(errorTable)) {
    const section = sections().get(code) ?? ''
    for (const label of ['Meaning', 'Cause', 'Cure'])
      t.match(section, new RegExp(`^\\*\\*${label}\\.\\*\\* \\S`, 'm'), code)
    const facts = `\n\`handled: ${row.handled}\` · \`retryable: ${yesNo(row.retryable)}\`\n`
    t.ok(section.includes(facts), `${code} says${facts}`)
  }
  t.end()
})

t.test('the summary lists each code once, with a link, and agrees with the table', (t) => {
  const expected = Object.entries(errorTable).map(([code, row]) => [
    `[\`${code}\`](#${code.toLowerCase()})`,
    row.handled,
    yesNo(row.retryable),
  ])
  t.same(
    rows().map((cells) => cells.slice(0, 3)),
    expected,
  )
  t.end()
})

t.test('each code has an HTTP status or a dash', (t) => {
  for (const [code, , , status] of rows()) t.match(status, /^([45]\d\d|–)$/, String(code))
  t.end()
})

t.test('the page names no code that does not exist', (t) => {
  const named = new Set(page.match(/LUC_[A-Z_]*[A-Z]/g))
  named.delete('LUC_MINE') // The page shows it being refused.
  t.same([...named].sort(), [...codes].sort())
  t.end()
})
