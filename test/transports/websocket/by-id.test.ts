import t from 'tap'
import { ById } from '../../../transports/websocket/by-id.js'

const ids = [0, 1, 255, 256, 257, 512, 65_536, 2 ** 53 - 1, 'a', '0', '256']

t.test('what was added is found by its id until it is removed, whichever places the ids share', (t) => {
  const running = new ById<{ readonly id: number | string }>()
  const all = ids.map((id) => ({ id }))
  for (const one of all) running.add(one)
  t.equal(running.size, ids.length)
  for (const one of all) t.equal(running.find(one.id), one)
  for (const id of [2, 768, 'b', -1, 0.5, undefined, null, {}]) t.equal(running.find(id), undefined)
  for (const [index, one] of all.entries()) {
    running.remove(one)
    running.remove(one)
    t.equal(running.find(one.id), undefined)
    t.equal(running.size, ids.length - index - 1)
    for (const other of all.slice(index + 1)) t.equal(running.find(other.id), other)
  }
  t.end()
})

t.test('a new one under an id that was in use is not taken away with the old one', (t) => {
  const running = new ById<{ readonly id: number | string }>()
  for (const id of ids) {
    const old = { id }
    running.add(old)
    running.remove(old)
    const young = { id }
    running.add(young)
    running.remove(old)
    t.equal(running.find(id), young)
  }
  t.same(new Set(running.clear().map(({ id }) => id)), new Set(ids))
  t.equal(running.size, 0)
  t.end()
})
