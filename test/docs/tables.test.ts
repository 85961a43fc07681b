import t, { type Test } from 'tap'
import { type Candidate, lucilius } from '../../lib/index.js'
import { docPages, type Page, tableRows } from './pages.js'

const page = docPages().find(({ path }) => path === 'docs/messages-and-patterns.md') as Page

/** The words of `explain` that name a rule. */
const rules: Readonly<Record<string, RegExp>> = {
  1: /fewer keys/,
  2: /fewer exact values/,
  3: /its key ".*" sorts after/,
  4: /fewer literal characters/,
  5: /canonical text sorts after/,
}

t.test('each text in the docs is the message that the page says', async (t) => {
  for (const [text = '', message = ''] of rows(t, ['text', 'message'])) {
    const { app, seen } = recorder()
    if (message === 'refused') await t.rejects(app.act(text), { code: 'LUC_PATTERN_INVALID' }, text)
    else {
      await app.act(text)
      t.strictSame(seen, [JSON.parse(message)], text)
    }
  }
})

t.test('each pattern in the docs has the canonical text that the page says', async (t) => {
  for (const [text = '', canonical = ''] of rows(t, ['pattern', 'canonical text'])) {
    if (canonical === 'refused') t.throws(() => appWith([text]), { code: 'LUC_PATTERN_INVALID' }, text)
    else t.strictSame(patternsOf(appWith([text])), [canonical], text)
  }
})

t.test('each pattern in the docs matches the message, or does not, as the page says', async (t) => {
  for (const [pattern = '', message = '', matches = ''] of rows(t, ['pattern', 'message', 'matches'])) {
    t.equal(appWith([pattern]).find(message) !== undefined, yes(matches), `${pattern} and ${message}`)
  }
})

t.test('each message in the docs reaches the winner that the page says, by the rule that it says', async (t) => {
  for (const [patterns = '', message = '', winner = '', rule = ''] of rows(t, [
    'patterns',
    'message',
    'winner',
    'rule',
  ])) {
    const list = patterns.split('` `').map(plain)
    for (const order of [list, list.toReversed()]) {
      const [first, second] = appWith(order).explain(message).candidates as readonly [Candidate, Candidate?]
      t.equal(first.pattern, winner, `${patterns} and ${message}`)
      if (rule === '') t.equal(second, undefined, 'nothing else matches')
      else t.match(second?.reason, rules[rule], `${patterns} and ${message}`)
    }
  }
})

t.test('each pattern in the docs covers the other, or does not, as the page says', async (t) => {
  for (const [wide = '', narrow = '', covers = ''] of rows(t, ['wide', 'narrow', 'covers'])) {
    t.equal(appWith([narrow]).list(wide).length === 1, yes(covers), `${wide} and ${narrow}`)
  }
})

/** The rows of a table of the page; there are some. */
function rows(t: Test, columns: readonly string[]): string[][] {
  const found = tableRows(page, columns).map((row) => row.map(plain))
  t.ok(found.length > 4, 'the table is there')
  return found
}

/** The page writes the empty pattern as code writes it. */
function plain(cell: string): string {
  return cell === "''" ? '' : cell
}

function yes(word: string): boolean {
  if (word !== 'yes' && word !== 'no') throw new Error(`'${word}' is neither yes nor no.`)
  return word === 'yes'
}

function appWith(patterns: readonly string[]) {
  const app = lucilius()
  for (const pattern of patterns) app.add(pattern, () => undefined)
  return app
}

function patternsOf(app: ReturnType<typeof appWith>): string[] {
  return app.list().map(({ pattern }) => pattern)
}

function recorder() {
  const seen: unknown[] = []
  const app = lucilius()
  app.add('', (message) => {
    seen.push(message)
  })
  return { app, seen }
}
