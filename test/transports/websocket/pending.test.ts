import t from 'tap'
import type { DirectCall } from '../../../lib/transport-kit.js'
import { Pending } from '../../../transports/websocket/pending.js'

const call: DirectCall = { onCancel: undefined, settle: () => {}, fail: () => {} }

t.test('acts that are answered share few ids, and none has that of the one before it in its slot', (t) => {
  const pending = new Pending(3)
  const used = new Set<number>()
  let before = -1
  for (let act = 0; act < 1000; act++) {
    const slot = pending.take(call)
    const { id } = slot
    t.not(id, before)
    t.equal(pending.find(id), slot)
    t.equal(pending.release(slot), call)
    t.equal(pending.find(id), undefined, 'a second answer finds nobody')
    used.add(id)
    before = id
  }
  t.ok(used.size <= 16, `${used.size} ids`)
  t.end()
})

t.test('the ids of acts that wait at the same time differ, whatever was answered or given up', (t) => {
  const pending = new Pending(4)
  for (let round = 0; round < 100; round++) {
    const slots = [pending.take(call), pending.take(call), pending.take(call), pending.take(call)]
    t.ok(pending.full)
    t.equal(new Set(slots.map(({ id }) => id)).size, 4)
    for (const [index, slot] of slots.entries()) {
      if ((round + index) % 3 === 0) pending.giveUp(slot)
      else pending.release(slot)
    }
    t.equal(pending.size, 0)
  }
  t.end()
})

t.test('the id of an act that was given up never comes again, so that its late answer finds nobody', (t) => {
  const pending = new Pending(2)
  const givenUp = new Set<number>()
  for (let act = 0; act < 1000; act++) {
    const slot = pending.take(call)
    t.notOk(givenUp.has(slot.id))
    if (act % 7 !== 3) {
      pending.release(slot)
      continue
    }
    givenUp.add(slot.id)
    t.equal(pending.giveUp(slot), call)
    t.same(
      [...givenUp].map((id) => pending.find(id)).filter((one) => one !== undefined),
      [],
    )
  }
  t.equal(givenUp.size, 143)
  t.end()
})
