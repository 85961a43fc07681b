import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { repoRoot } from '../support/repo-root.js'
import { type Block, Walk } from './walk.js'

const source = join(repoRoot(), 'examples/currency')
const page = readFileSync(join(source, 'README.md'), 'utf8')
const blocks = blocksOf(page)

t.test('the commands of the currency system print what its README says, but for numbers', async (t) => {
  const walk = new Walk(t, source)
  t.ok(blocks.length > 20)
  for (const [index, block] of blocks.entries()) {
    if (block.kind === 'diff') walk.edit(block)
    if (block.kind !== 'sh') continue
    const { kind = '', lines: expected = [] } = blocks[index + 1] ?? {}
    await walk.type(block.lines, ['console', 'json'].includes(kind) ? expected : [])
  }
  await walk.end()
})

t.test('the README names each file of the system, and links lead to files that are there', async (t) => {
  const links = [...page.matchAll(/\]\(([^)#:]+)\)/g)].map(([, target = '']) => target)
  for (const target of links) t.ok(existsSync(join(source, target)), target)
  for (const file of readdirSync(source)) t.ok(file === 'README.md' || links.includes(file), file)
})

function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^```(\w+) ?(\S*)\n(.*?)\n```$/gms)].map(([, kind = '', file = '', body = '']) => ({
    kind,
    file,
    lines: body.split('\n'),
  }))
}
