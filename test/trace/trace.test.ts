import { execFileSync } from 'node:child_process'
import t from 'tap'
import { childOf, newId, newTraceParent, parseTraceParent } from '../../lib/trace.js'

const valid = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

t.test('a new traceparent is valid, sampled, and unlike any other', (t) => {
  const made = Array.from({ length: 10_000 }, newTraceParent)
  t.ok(made.every((text) => parseTraceParent(text) === text && text.endsWith('-01')))
  t.equal(new Set(made.map((text) => text.slice(3, 35))).size, made.length, 'trace ids')
  t.equal(new Set(made.map((text) => text.slice(36, 52))).size, made.length, 'span ids')
  t.end()
})

t.test('the last digits of trace ids all look random, as samplers expect', (t) => {
  const made = Array.from({ length: 4000 }, () => newTraceParent().slice(27, 35))
  for (let place = 0; place < 8; place += 1) {
    const counts = new Map<string, number>()
    for (const digits of made) counts.set(digits.charAt(place), (counts.get(digits.charAt(place)) ?? 0) + 1)
    t.equal(counts.size, 16)
    // 250 each are expected, with a standard deviation of 15.
    t.ok(
      [...counts.values()].every((count) => count > 130 && count < 370),
      [...counts.values()].join(' '),
    )
  }
  t.end()
})

t.test('a child keeps trace id and flags and has a span id of its own', (t) => {
  const unsampled = `${valid.slice(0, -2)}00`
  for (const parent of [valid, unsampled, newTraceParent()]) {
    const [first, second] = [childOf(parent), childOf(parent)]
    t.equal(parseTraceParent(first), first)
    t.equal(first.slice(0, 36), parent.slice(0, 36))
    t.equal(first.slice(52), parent.slice(52))
    t.equal(new Set([parent, first, second].map((text) => text.slice(36, 52))).size, 3)
  }
  t.end()
})

t.test('a valid traceparent is read as it is', (t) => {
  t.equal(parseTraceParent(valid), valid)
  t.equal(parseTraceParent(`${valid.slice(0, -2)}ff`), `${valid.slice(0, -2)}ff`)
  t.end()
})

t.test('a traceparent of a later version is read as one of version 00', (t) => {
  t.equal(parseTraceParent(`cc${valid.slice(2)}-what-the-future-brings`), valid)
  t.equal(parseTraceParent(`01${valid.slice(2, -2)}03`), valid)
  t.equal(parseTraceParent(`01${valid.slice(2, -2)}02`), `${valid.slice(0, -2)}00`)
  t.end()
})

t.test('what is no valid traceparent gives undefined', (t) => {
  const wrong: unknown[] = [
    undefined,
    7,
    '',
    valid.toUpperCase(),
    valid.slice(1),
    ` ${valid}`,
    `${valid}\n`,
    `${valid}-more`,
    `ff${valid.slice(2)}`,
    `cc${valid.slice(2)}more`,
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01',
  ]
  for (const text of wrong) t.equal(parseTraceParent(text), undefined, String(text))
  t.end()
})

t.test('ids differ within a process and between processes', (t) => {
  const made = Array.from({ length: 10_000 }, newId)
  t.equal(new Set(made).size, made.length)
  t.ok(made.every((id) => /^[0-9a-z]+-[0-9a-z]+$/.test(id)))
  const module = new URL('../../lib/trace.js', import.meta.url).href
  const script = `import { newId, newTraceParent } from '${module}'; console.log(newId(), newTraceParent())`
  const run = () =>
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' }).split(' ')
  const [first, second] = [run(), run()]
  t.not(first[0], second[0])
  t.not(first[1]?.slice(3, 27), second[1]?.slice(3, 27))
  t.end()
})
