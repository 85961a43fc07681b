import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { skipWithout } from '../support/brokers.js'
import { repoRoot } from '../support/repo-root.js'
import { type Block, Walk } from './walk.js'

// Most of the time they wait for processes, so they run side by side.
t.jobs = 2
t.setTimeout(120_000)

for (const { name, skip } of [
  { name: 'currency', skip: false },
  { name: 'orders', skip: skipWithout('nats-server') },
] as const) {
  const source = join(repoRoot(), 'examples', name)
  const page = readFileSync(join(source, 'README.md'), 'utf8')

  t.test(`the commands of the ${name} system print what its README says, but for numbers`, { skip }, async (t) => {
    const walk = new Walk(t, source, page)
    const blocks = blocksOf(page)
    t.ok(blocks.length > 20)
    for (const [index, block] of blocks.entries()) {
      const { kind = '', lines = [] } = blocks[index + 1] ?? {}
      const expected = ['console', 'json'].includes(kind) ? lines : []
      if (block.kind === 'diff') await walk.edit(block, expected)
      if (block.kind === 'sh' && !isMissing(block, t)) await walk.type(block.lines, expected)
    }
    await walk.end()
  })

  t.test(`the README of ${name} names each file of the system, and links lead to files that are there`, async (t) => {
    const links = [...page.matchAll(/\]\(([^)#:]+)\)/g)].map(([, target = '']) => target)
    for (const target of links) t.ok(existsSync(join(source, target)), target)
    const files = readdirSync(source).filter((file) => !/^(README[.]md|data|[.]lucilius)$/.test(file))
    for (const file of files) t.ok(links.includes(file), file)
  })
}

/** Whether it takes a broker that is not installed: what runs before goes on to run. */
function isMissing({ lines }: Block, t: Test): boolean {
  const reason = lines[0] === 'npx lucilius up nats' && skipWithout('nats-server')
  if (reason !== false) t.pass('up nats', { skip: reason })
  return reason !== false
}

function blocksOf(text: string): Block[] {
  return [...text.matchAll(/^```(\w+) ?(\S*)\n(.*?)\n```$/gms)].map(([, kind = '', file = '', body = '']) => ({
    kind,
    file,
    lines: body.split('\n'),
  }))
}
