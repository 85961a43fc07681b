import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { repoRoot } from '../support/repo-root.js'
import { type Block, Walk } from './walk.js'

const source = join(repoRoot(), 'examples/currency')
const blocks = blocksOf(readFileSync(join(source, 'README.md'), 'utf8'))

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

function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^```(\w+) ?(\S*)\n(.*?)\n```$/gms)].map(([, kind = '', file = '', body = '']) => ({
    kind,
    file,
    lines: body.split('\n'),
  }))
}
