import t from 'tap'
import { ById } from '../../lib/acts/by-id.js'
import { Incoming } from '../../lib/acts/incoming.js'
import { Outgoing } from '../../lib/acts/outgoing.js'
import { Pending } from '../../lib/acts/pending.js'
import type { ActEnvelope, DirectCall, Observer, Outcome } from '../../lib/transport-kit.js'

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

/** A call, and what became of it. */
function asked(): DirectCall & { readonly ends: unknown[] } {
  const ends: unknown[] = []
  return {
    ends,
    onCancel: undefined,
    settle: (outcome) => void ends.push('reply' in outcome ? outcome.reply : outcome),
    fail: (error) => void ends.push(error),
  }
}

t.test('no id comes again among many acts, and acts that wait at the same time can be told apart', (t) => {
  const pending = new Pending(5)
  const used = new Set<number>()
  for (let round = 0; round < 300; round++) {
    const slots = Array.from({ length: 8 }, () => pending.take(asked()))
    if (!pending.full || pending.all().length !== 8) t.fail('it is not full')
    for (const [at, slot] of slots.entries()) {
      if (used.has(slot.id) || pending.find(slot.id) !== slot) t.fail(`${slot.id} is not its own`)
      used.add(slot.id)
      // Some wait for long, and what comes next takes the slots of others.
      if ((round + at) % 3 !== 0) pending.release(slot)
    }
    for (const slot of pending.all()) pending.release(slot)
    if ([...used].some((id) => pending.find(id) !== undefined)) t.fail('an answer finds another act')
  }
  t.equal(used.size, 2400)
  t.equal(pending.size, 0)
  for (const id of [-1, Number.NaN, 0.5, '0', undefined]) t.equal(pending.find(id), undefined)
  t.end()
})

t.test('ids stay small whole numbers, however many acts there were', (t) => {
  const pending = new Pending(1)
  const slot = pending.take(asked())
  slot.id = 2 ** 29 - 1
  pending.release(slot)
  t.equal(pending.take(asked()).id, 0)
  t.end()
})

t.test('an answer that is told again settles no other act, and one that comes too late none at all', (t) => {
  const sent: number[] = []
  const cancelled: number[] = []
  const departure = {
    send: (id: number) => sent.push(id),
    cancel: (id: number) => void cancelled.push(id),
    keep: (act: string) => ({ act, chars: act.length }),
  }
  const outgoing = new Outgoing(departure, { maxInFlight: 1, maxBuffered: 5 })
  for (let n = 0; n < 100; n++) {
    const call = asked()
    outgoing.act('act', call)
    for (const id of sent.slice(0, -1)) outgoing.settle(id, { reply: 'again' })
    t.same(call.ends, [])
    if (n % 7 === 3) call.onCancel?.()
    else outgoing.settle(sent.at(-1), { reply: n })
    outgoing.settle(sent.at(-1), { reply: 'late' })
    t.match(call.ends, n % 7 === 3 ? [{ code: 'LUC_CANCELLED' }] : [n])
  }
  t.equal(cancelled.length, 14)
  t.end()
})

t.test('what waits to be sent follows when there is room, and is unhandled when there is none any more', (t) => {
  const sent: string[] = []
  const departure = {
    send: (id: number, act: string) => {
      if (act === 'bad') throw new Error('It cannot be sent.')
      return sent.push(`${id} ${act}`)
    },
    cancel: () => {},
    keep: (act: string) => ({ act, chars: act.length }),
  }
  const outgoing = new Outgoing(departure, { maxInFlight: 1, maxBuffered: 5 })
  const [one, bad, two, over] = [asked(), asked(), asked(), asked()]
  t.throws(() => outgoing.act('bad', asked()), /cannot be sent/)
  outgoing.act('one', one)
  outgoing.act('bad', bad)
  outgoing.act('2', two)
  t.throws(() => outgoing.act('33', over), { code: 'LUC_OVERLOADED', handled: 'no' })
  outgoing.settle(1, { reply: 1 })
  t.same(sent, ['1 one', '3 2'])
  t.match([one.ends, bad.ends], [[1], [{ message: 'It cannot be sent.' }]])
  outgoing.lost()
  t.match(two.ends, [{ code: 'LUC_REPLY_LOST', handled: 'unknown' }])
  const wide = new Outgoing(departure, { maxInFlight: 1, maxBuffered: 5 })
  wide.fit(2)
  const calls = [asked(), asked(), asked()]
  for (const [n, call] of calls.entries()) wide.act(`${n}`, call)
  t.same(sent.slice(2), ['0 0', '1 1'])
  wide.lost(3)
  const codes = calls.map(({ ends }) => (ends[0] as { readonly code: string }).code)
  t.same(codes, ['LUC_REPLY_LOST', 'LUC_UNREACHABLE', 'LUC_UNREACHABLE'], 'the last two never left')
  t.end()
})

t.test('not too many acts of the other end run, each is answered once, and none when nobody waits', async (t) => {
  const running: DirectCall[] = []
  const observer = { receiveDirect: (_: unknown, call: DirectCall) => void running.push(call) } as Partial<Observer>
  const answers: [number, Outcome, number][] = []
  const incoming = new Incoming<number>(observer as Observer, 2, (id, outcome, _, others) => {
    answers.push([id, outcome, others])
  })
  const act = {} as ActEnvelope
  for (const id of [7, 263, 8]) incoming.take(id, act, undefined)
  t.match(answers, [[8, { error: { code: 'LUC_OVERLOADED', handled: 'no' } }, 2]])
  t.same(
    [7, 263, 8].map((id) => incoming.has(id)),
    [true, true, false],
  )
  const cancelled: string[] = []
  for (const call of running) call.onCancel = () => void cancelled.push('cancelled')
  incoming.cancel(263)
  incoming.cancel(263)
  t.equal(cancelled.length, 1)
  running[0]?.settle({ reply: 1 })
  await incoming.idle()
  running[1]?.settle({ reply: 2 })
  t.same(answers.slice(1), [
    [7, { reply: 1 }, 0],
    [263, { reply: 2 }, 0],
  ])
  incoming.take(9, act, undefined)
  const idle = incoming.idle()
  incoming.lost()
  await idle
  running[2]?.settle({ reply: 3 })
  t.equal(answers.length, 3)
})
