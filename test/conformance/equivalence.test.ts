import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { inProcess } from '../../transports/in-process/index.js'
import { repoRoot } from '../support/repo-root.js'
import { casesOf } from './cases.js'
import type { Means } from './means.js'

const text = readFileSync(join(repoRoot(), 'docs/equivalence.md'), 'utf8')

/** The rows of the tables of the page, by the headings above them: title first, then a mark for each stage. */
const rows = text.split(/^## /m).flatMap((section) => {
  const [group = ''] = section.split('\n')
  const lines = section.split('\n').filter((line) => / \| [✓✗–] \|$/.test(line))
  return lines.map((line) => {
    const [title, ...marks] = line.slice(2, -2).split(' | ')
    return { group, title, marks: marks.join('') }
  })
})

t.test('the page of equivalence has the cases of the suite, each passed wherever it can be played', async (t) => {
  const means: Means = { listen: () => inProcess(), connect: (url) => inProcess({ url }), exposesOnConnect: true }
  const apart = casesOf({ name: 'apart', parity: 'strict', means })
  const local = new Set(casesOf({ name: 'one app', parity: 'strict' }).map(({ title }) => title))
  const expected = apart.map((one) => ({ ...one, marks: local.has(one.title) ? '✓✓✓✓✓✓✓' : '–✓✓✓✓✓✓' }))
  t.ok(expected.length >= 60, 'there are many')
  t.strictSame(rows, expected, 'run `npm run equivalence` after a change of the suite')
})

t.test('every case of one app is played over the transports, too', async (t) => {
  const titles = new Set(rows.map(({ title }) => title))
  const missing = casesOf({ name: 'one app', parity: 'off' }).filter(({ title }) => !titles.has(title))
  t.strictSame(missing, [])
})
