import type { Test } from 'tap'
import { handlesAll, type Inbox, served } from './inbox.js'
import { appendAll, ascending, sample, soon, subscription } from './sample.js'
import { hostOf, needs, opened, type StoreStage } from './stage.js'

/** Who gets which events, and how many at once. */
export function delivering(t: Test, stage: StoreStage): void {
  t.test('an event comes to each subscription that it matches, and to no other', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const all = await served(store, subscription({ name: 'shop.all', pattern: 'role:order' }), handlesAll())
    const exact = await served(store, subscription({ name: 'shop.exact', pattern: 'event:created,n:1' }), handlesAll())
    const glob = await served(store, subscription({ name: 'shop.glob', pattern: 'event:cre*,n:?' }), handlesAll())
    const other = await served(store, subscription({ name: 'shop.other', pattern: 'role:other' }), handlesAll())
    await appendAll(store, [sample(1), sample(2), sample(3, { message: { role: 'other', n: 3 } })])
    await Promise.all([all.has(2), exact.has(1), glob.has(2), other.has(1)])
    t.strictSame(all.numbers.toSorted(), [1, 2])
    t.strictSame(exact.numbers, [1])
    t.strictSame(glob.numbers.toSorted(), [1, 2])
    t.strictSame(other.numbers, [3])
  })

  t.test('an event comes as it was appended', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = await served(store, subscription(), handlesAll())
    const event = sample(1, {
      id: 'Bestellung № 7/"ü" 🚲',
      at: 1_700_000_000_123,
      message: { role: 'order', name: 'Grüße, 世界 🚲\u0000\n', deep: { list: [1, null, { a: [true, ''] }] }, n: 0.1 },
      meta: {
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
        hops: 3,
        identity: { name: 'é' },
      },
      key: 'Straße 5, 世界 *.>#',
      retain: true,
    })
    const before = Date.now()
    await store.append(event, soon())
    const { attempt, failures, firstAt, ...rest } = await inbox.next()
    t.strictSame(rest.event, event)
    t.equal(attempt, 1)
    t.strictSame(failures, [])
    t.ok(firstAt >= before - 1000 && firstAt <= Date.now() + 1000, 'first delivered about now')
  })

  t.test('a message of half a megabyte comes whole', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = await served(store, subscription(), handlesAll())
    const text = 'Grüße 世界 '.repeat(32_000)
    await store.append(sample(1, { message: { role: 'order', text } }), soon())
    const { event } = await inbox.next()
    t.ok(event.message.text === text)
  })

  t.test('what was stored before a subscription became known does not come to it', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const early = await served(store, subscription({ name: 'shop.early' }), handlesAll())
    await appendAll(store, [sample(1)])
    const late = await served(store, subscription({ name: 'shop.late' }), handlesAll())
    await appendAll(store, [sample(2)])
    await Promise.all([early.has(2), late.has(1)])
    t.strictSame(late.numbers, [2])
  })

  t.test('what is stored while nobody serves a subscription waits for it', async (t) => {
    const place = await stage.place(t)
    const first = await place.open(hostOf())
    const before = await served(first.store, subscription(), handlesAll())
    await before.service.stop()
    await appendAll(first.store, [sample(1)])
    await first.store.close()
    const second = await opened(t, place)
    await appendAll(second.store, [sample(2), sample(3, { message: { role: 'other' } })])
    const after = await served(second.store, subscription(), handlesAll())
    await appendAll(second.store, [sample(4)])
    await after.has(3)
    t.strictSame(before.numbers, [])
    t.strictSame(after.numbers.toSorted(), [1, 2, 4])
  })

  t.test('a subscription is known before anybody serves it: what is stored waits', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const early = subscription({ name: 'shop.early' })
    await store.know(early)
    await store.know(early)
    await appendAll(store, [sample(1)])
    const inbox = await served(store, early, handlesAll())
    await appendAll(store, [sample(2)])
    await store.know(early)
    await appendAll(store, [sample(3)])
    await inbox.has(3)
    t.strictSame(inbox.numbers.toSorted(), [1, 2, 3])
  })

  t.test('an event that is not durable comes to nobody', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = await served(store, subscription(), handlesAll())
    await appendAll(store, [sample(1, { durable: false, retain: true }), sample(2)])
    await inbox.has(1)
    t.strictSame(inbox.numbers, [2])
  })

  t.test('many events that are appended at once come, each once', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = await served(store, subscription({ concurrency: 7 }), handlesAll())
    const numbers = Array.from({ length: 300 }, (_, n) => n)
    await Promise.all(numbers.map((n) => store.append(sample(n, { key: `key ${n}` }), soon())))
    await inbox.has(300)
    t.strictSame(inbox.numbers.map(Number).toSorted(ascending), numbers)
  })

  t.test('no more deliveries are under way than the subscription allows', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const slow = await served(store, subscription({ name: 'shop.slow', concurrency: 2 }))
    const quick = await served(store, subscription({ name: 'shop.quick' }), handlesAll())
    await appendAll(
      store,
      [1, 2, 3, 4, 5].map((n) => sample(n)),
    )
    await quick.has(5)
    await slow.has(2)
    t.equal(slow.all.length, 2)
    for (let ended = 1; ended <= 5; ended++) {
      await (await slow.next()).end({ kind: 'done' })
      if (ended < 4) await slow.has(ended + 2)
      t.ok(slow.all.length <= ended + 2)
    }
    t.strictSame(slow.numbers.map(Number).toSorted(ascending), [1, 2, 3, 4, 5])
  })

  t.test('a subscription that was stopped gets nothing more, and may end what is under way', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const first = await served(store, subscription({ concurrency: 1 }))
    await appendAll(store, [sample(1), sample(2)])
    const under = await first.next()
    await first.service.stop()
    await under.end({ kind: 'done' })
    const second = await served(store, subscription(), handlesAll())
    await appendAll(store, [sample(3)])
    await second.has(2)
    t.equal(first.all.length, 1)
    t.strictSame(second.numbers.toSorted(), [2, 3])
  })

  t.test('nothing comes to a subscription after it was stopped, nor after its instance was closed', async (t) => {
    const place = await stage.place(t)
    const ends: (() => void)[] = []
    let n = 0
    for (const ending of ['stop', 'stop', 'stop', 'close', 'close', 'close']) {
      const { store } = await opened(t, place)
      const inbox = await served(store, subscription())
      await appendAll(store, [sample(-1)])
      await inbox.next()
      const appends = Array.from({ length: 10 }, () => store.append(sample(n++), soon()))
      const settled = Promise.allSettled(appends)
      // Ends in the midst of it: before anything has left, when it is under way, when the first is stored.
      for (let turns = n % 30; turns > 0; turns--) await undefined
      if (n % 30 === 20) await appends[0]
      if (ending === 'stop') await inbox.service.stop()
      else await store.close()
      const { length } = inbox.all
      ends.push(() => t.equal(inbox.all.length, length))
      await settled
      await store.close()
    }
    const { store } = await opened(t, place)
    const last = await served(store, subscription(), handlesAll())
    await last.has(30) // those of before a `stop`; what was stored when the store closed nobody knows
    for (const end of ends) end()
  })

  t.test(
    'several instances share a subscription: each event comes to one of them',
    needs(stage, 'sharing'),
    async (t) => {
      const place = await stage.place(t)
      const one = await opened(t, place)
      const two = await opened(t, place)
      const first = await served(one.store, subscription({ concurrency: 1 }))
      const second = await served(two.store, subscription({ concurrency: 1 }))
      await appendAll(one.store, [sample(1), sample(2)])
      const both = [await first.next(), await second.next()]
      await Promise.all(both.map((delivery) => delivery.end({ kind: 'done' })))
      await appendAll(
        two.store,
        Array.from({ length: 20 }, (_, n) => sample(n + 3)),
      )
      const handled: unknown[] = both.map(({ event }) => event.message.n)
      const empty = async (inbox: Inbox) => {
        while (handled.length < 22) {
          const delivery = await inbox.next(200).catch(() => undefined)
          if (delivery === undefined) continue
          handled.push(delivery.event.message.n)
          await delivery.end({ kind: 'done' })
        }
      }
      await Promise.all([empty(first), empty(second)])
      t.strictSame(
        handled.map(Number).toSorted(ascending),
        Array.from({ length: 22 }, (_, n) => n + 1),
      )
    },
  )

  t.test('a second event of the same id is not kept', needs(stage, 'duplicates'), async (t) => {
    const place = await stage.place(t)
    const first = await place.open(hostOf())
    const inbox = await served(first.store, subscription(), handlesAll())
    const event = sample(1)
    await Promise.all([first.store.append(event, soon()), first.store.append(event, soon())])
    await appendAll(first.store, [event, sample(2)])
    await inbox.has(2)
    await inbox.service.stop()
    t.strictSame(inbox.numbers.toSorted(), [1, 2])
    await first.store.close()
    const second = await opened(t, place)
    const later = await served(second.store, subscription(), handlesAll())
    await appendAll(second.store, [event, sample(3)])
    await later.has(1)
    t.strictSame(later.numbers, [3])
  })
}
