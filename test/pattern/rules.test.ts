import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import t from 'tap'
import { BoundedMemo } from '../../lib/bounded-memo.js'
import { covers, patternMatches } from '../../lib/covers.js'
import { globMatches } from '../../lib/glob.js'
import { isMessage } from '../../lib/message.js'
import { nearest } from '../../lib/nearest.js'
import { toPattern } from '../../lib/pattern.js'
import { compareSpecificity, lostBecause } from '../../lib/specificity.js'

const key = fc.constantFrom('a', 'b', 'c')
const value = fc.oneof(
  fc.constantFrom('x', 'y', 1, true, '*', '?', 'x*', '*y', 'x?', '?*', '*x*y'),
  fc.string({ unit: fc.constantFrom('x', 'y', '*', '?'), minLength: 1, maxLength: 5 }),
)
const pattern = fc.dictionary(key, value, { maxKeys: 3, noNullPrototype: true }).map((pairs) => toPattern(pairs))
const text = fc.string({ unit: fc.constantFrom('x', 'y', '*', '?', '1'), maxLength: 6 })
const message = fc.dictionary(key, fc.oneof(text, fc.constantFrom(1, true, null)), { noNullPrototype: true })
const wins = (a: string, b: string) => compareSpecificity(toPattern(a), toPattern(b)) < 0

t.test('a glob matches as its definition says, whatever is matched', async (t) => {
  const byDefinition = (glob: string, text: string): boolean => {
    if (glob === '') return text === ''
    if (glob[0] === '*') return byDefinition(glob.slice(1), text) || (text !== '' && byDefinition(glob, text.slice(1)))
    return text !== '' && (glob[0] === '?' || glob[0] === text[0]) && byDefinition(glob.slice(1), text.slice(1))
  }
  const short = fc.string({ unit: fc.constantFrom('x', 'y', '*', '?'), maxLength: 7 })
  fc.assert(
    fc.property(short, short, (glob, text) => globMatches(glob, text) === byDefinition(glob, text)),
    { numRuns: 5000 },
  )
  t.ok(globMatches('*.(x)+', 'a.(x)+'), 'nothing else is special')
  t.notOk(globMatches('.', 'x'))
})

t.test('a hostile text takes a glob no more time than its length allows', async (t) => {
  const before = performance.now()
  t.notOk(globMatches('*a*a*a*a*a*a*a*b', 'a'.repeat(200_000)))
  t.notOk(globMatches('a*a*a*a*a*a*a*a*c', `${'a'.repeat(34)}b`))
  t.ok(performance.now() - before < 500)
})

t.test('what covers a pattern matches every message that the pattern matches', async (t) => {
  let covered = 0
  fc.assert(
    fc.property(pattern, pattern, fc.array(message, { minLength: 5, maxLength: 5 }), (wide, narrow, messages) => {
      if (!covers(wide, narrow)) return true
      covered++
      const sample = Object.fromEntries(
        narrow.keys.map((name, at) => [name, narrow.values[at]?.replaceAll('*', '?y*').replaceAll('?', 'x')]),
      )
      t.ok(!patternMatches(narrow, sample) || patternMatches(wide, sample))
      return messages.every((sent) => !patternMatches(narrow, sent) || patternMatches(wide, sent))
    }),
    { numRuns: 5000 },
  )
  t.ok(covered > 500, 'often enough to mean something')
  fc.assert(fc.property(pattern, (one) => covers(one, one) && covers(toPattern(''), one)))
  fc.assert(
    fc.property(pattern, pattern, pattern, (a, b, c) => !covers(a, b) || !covers(b, c) || covers(a, c)),
    { numRuns: 5000 },
  )
})

t.test('a star is covered only by a star, a question mark by either', async (t) => {
  const yes = [
    'a:*|a:x*',
    'a:x*|a:xy*',
    'a:*|a:?',
    'a:?|a:?',
    'a:*y*|a:x?y*',
    'a:1|a:1,b:2',
    "a:1|a:'1'",
    '|a:1',
    'a:x?|a:xy',
  ]
  const no = ['a:?|a:*', 'a:x*|a:*', 'a:x?|a:x*', 'a:x|a:?', 'a:1,b:2|a:1', 'a:1|b:1', 'a:1|', 'a:x|a:y', 'a:?*|a:*']
  const check = (both: string) =>
    covers(toPattern(both.split('|')[0] as string), toPattern(both.split('|')[1] as string))
  for (const both of yes) t.ok(check(both), both)
  for (const both of no) t.notOk(check(both), both)
})

t.test('the most specific pattern wins by the five rules, in their order', async (t) => {
  t.ok(wins('y:*,z:*', 'a:1'), 'more keys')
  t.ok(wins('b:1,c:1', 'a:1,b:*'), 'more exact values')
  t.ok(wins('a:1,z:1', 'b:1,c:1'), 'the sorted keys that come first')
  t.ok(wins('Z:1', 'a:1'), 'by UTF-16 code units')
  t.ok(wins('a:xy*', 'a:x*'), 'more literal characters')
  t.ok(wins('a:x*', 'a:x?'), 'the canonical text that sorts first')
  t.equal(compareSpecificity(toPattern('a:1,b:2'), toPattern("b:'2',a:'1'")), 0)
})

t.test('specificity is a total order', async (t) => {
  fc.assert(
    fc.property(pattern, pattern, pattern, (a, b, c) => {
      const ab = compareSpecificity(a, b)
      t.equal(Math.sign(ab), -Math.sign(compareSpecificity(b, a)) + 0)
      t.equal(ab === 0, a.text === b.text)
      t.ok(ab > 0 || compareSpecificity(b, c) > 0 || compareSpecificity(a, c) <= 0)
      // `a:*` and `a:?` are equally literal: their texts decide, and say nothing of width.
      const isDecidedByText = ab !== 0 && lostBecause(ab < 0 ? b : a, ab < 0 ? a : b).includes('canonical text')
      t.ok(
        !covers(a, b) || a.text === b.text || isDecidedByText || ab >= 0,
        'what covers another pattern is not more specific',
      )
    }),
    { numRuns: 2000 },
  )
})

t.test('why a pattern lost is told by the rule that decided', async (t) => {
  const why = (loser: string, winner: string) => lostBecause(toPattern(loser), toPattern(winner))
  t.match(why('a:1', 'a:1,b:2'), 'it has fewer keys, 1 against 2.')
  t.match(why('a:*,b:1', 'a:1,b:1'), 'it has fewer exact values, 1 against 2.')
  t.match(why('a:1,c:1', 'a:1,b:1'), 'its key "c" sorts after "b".')
  t.match(why('a:x*', 'a:xy*'), 'its globs have fewer literal characters, 1 against 2.')
  t.match(why('a:x?', 'a:x*'), 'its canonical text sorts after.')
  t.match(why('a:1', 'a:1'), 'the same pattern')
})

t.test('only own scalar properties match', async (t) => {
  const one = toPattern('a:1')
  for (const yes of [{ a: 1 }, { a: '1' }, { a: 1, b: [] }, Object.assign(Object.create(null), { a: 1 })])
    t.ok(patternMatches(one, yes))
  for (const no of [
    {},
    { a: null },
    { a: ['1'] },
    { a: true },
    Object.create({ a: 1 }),
    { a: { toString: () => '1' } },
  ]) {
    t.notOk(patternMatches(one, no))
  }
  t.notOk(patternMatches(toPattern('a:*'), { a: Number.NaN }), 'NaN is null in another process')
  t.notOk(patternMatches(toPattern('a:NaN'), { a: Number.NaN }))
  t.ok(patternMatches(toPattern('a:0'), { a: -0 }))
})

t.test('a message is a plain object of any realm', async (t) => {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  for (const yes of [{}, { a: 1 }, Object.create(null), runInNewContext('({ a: 1 })')]) t.ok(isMessage(yes))
  for (const no of [
    null,
    undefined,
    'a',
    1,
    [],
    new Date(),
    new Map(),
    Object.create({}),
    () => 1,
    runInNewContext('[]'),
    proxy,
  ]) {
    t.notOk(isMessage(no))
  }
})

t.test('a bounded store keeps what is in use and never more than twice its size', async (t) => {
  const memo = new BoundedMemo<number>(10)
  for (let at = 0; at < 1000; at++) {
    memo.set(`k${at}`, at)
    t.ok(at === 0 || memo.get('k0') === 0)
  }
  const kept = Array.from({ length: 1000 }, (_, at) => memo.get(`k${at}`)).filter((found) => found !== undefined)
  t.ok(kept.length <= 20)
  t.equal(memo.get('never'), undefined)
})

t.test('the nearest known words are named, best first, and no far ones', async (t) => {
  const known = ['cmd:rate,role:convert', 'cmd:list,role:rates', 'a:1', 'cmd:amount,role:convert']
  t.same(nearest('cmd:rats,role:convert', known), ['cmd:rate,role:convert', 'cmd:amount,role:convert'])
  t.same(nearest('cmd:nothing,role:convert', known, 1), ['cmd:amount,role:convert'])
  t.same(nearest('something:completely,other:than,that:is', known), [])
  const before = performance.now()
  nearest(
    'x'.repeat(1_000_000),
    Array.from({ length: 500 }, () => 'y'.repeat(10_000)),
  )
  t.ok(performance.now() - before < 1000, 'however long the words are')
})
