import t from 'tap'
import { flatJson } from '../../lib/flat-json.js'

const flat: readonly object[] = [
  {},
  { a: 1 },
  { a: 'x', b: -1.5, c: true, d: false },
  { b: 'x', a: 1e21, 'a b"c': 'ü'.length },
  { a: -0, e: '' },
  { 2: 'two', 1: 'one', z: "it's {fine}: [really], *?" },
]

const other: readonly object[] = [
  { a: null },
  { a: undefined },
  { a: {} },
  { a: [] },
  { a: Number.NaN },
  { a: Number.POSITIVE_INFINITY },
  { a: 1n },
  { a: () => 1 },
  { a: 'say "no"' },
  { a: 'back\\slash' },
  { a: 'line\nbreak' },
  { a: 'ü' },
  { a: '\ud800' },
  { a: 'x'.repeat(41) },
  JSON.parse('{"__proto__":1}'),
  { constructor: 1 },
  { toJSON: () => 1 },
  [],
  new Date(0),
  Object.create(null),
  Object.fromEntries(Array.from({ length: 40 }, (_, nr) => [`k${nr}`, nr])),
]

t.test('a flat object has the text that JSON.stringify gives it, whatever was written before', async (t) => {
  for (const before of [...other, ...flat]) {
    for (const value of flat) {
      flatJson(before)
      t.equal(flatJson(value), JSON.stringify(value))
    }
  }
})

t.test('what is not flat, not plain or not safe is left to others', async (t) => {
  for (const value of other) t.equal(flatJson(value), undefined)
})
