import type { Test } from 'tap'
import { handlesAll, served } from './inbox.js'
import { appendAll, sample, subscription } from './sample.js'
import { hostOf, needs, opened, type StoreStage } from './stage.js'

/** What an ordered subscription gets, and which instance. */
export function ordering(t: Test, stage: StoreStage): void {
  const ordered = subscription({ name: 'shop.ordered', ordered: true, concurrency: 3 })
  const sampled = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => sample(from + at))

  t.test('events come in the order in which they were stored', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = await served(store, ordered)
    await appendAll(store, sampled(1, 30))
    for (let n = 1; n <= 30; n++) {
      const delivery = await inbox.next()
      t.ok(inbox.all.length <= n + 2, 'no more are under way than allowed')
      await delivery.end({ kind: 'done' })
    }
    t.strictSame(
      inbox.numbers,
      sampled(1, 30).map(({ message }) => message.n),
    )
  })

  t.test('they come in that order while more are stored', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    await store.know(ordered)
    await appendAll(store, sampled(1, 5))
    const inbox = handlesAll()
    const [served] = await Promise.all([store.serve(ordered, inbox.deliver), appendAll(store, sampled(6, 40))])
    await inbox.has(40)
    await served.stop()
    t.strictSame(
      inbox.numbers,
      sampled(1, 40).map(({ message }) => message.n),
    )
  })

  t.test('one that is kept does not keep others from being ended, and comes first in the next instance', async (t) => {
    const place = await stage.place(t)
    const one = await place.open(hostOf())
    const first = await served(one.store, ordered)
    await appendAll(one.store, sampled(1, 5))
    await first.next() // stays under way
    for (const n of [2, 3, 4]) {
      const delivery = await first.next()
      t.equal(delivery.event.message.n, n)
      await delivery.end({ kind: 'done' })
    }
    await one.store.close()
    const two = await opened(t, place)
    const second = await served(two.store, ordered)
    for (const n of [1, 5]) {
      const delivery = await second.next(stage.recoversMs + 5000)
      t.equal(delivery.event.message.n, n)
      await delivery.end({ kind: 'done' })
    }
  })

  t.test('one instance at a time gets them, and another goes on when it closes', needs(stage, 'sharing'), async (t) => {
    const place = await stage.place(t)
    const one = await place.open(hostOf())
    const two = await opened(t, place)
    const first = await served(one.store, ordered)
    const second = await served(two.store, ordered)
    await appendAll(two.store, sampled(1, 8))
    for (const n of [1, 2]) {
      const delivery = await first.next()
      t.equal(delivery.event.message.n, n)
      await delivery.end({ kind: 'done' })
    }
    await first.has(5)
    t.equal(second.all.length, 0)
    await one.store.close()
    for (const n of [3, 4, 5, 6, 7, 8]) {
      const delivery = await second.next()
      t.equal(delivery.event.message.n, n)
      await delivery.end({ kind: 'done' })
    }
  })

  t.test('another goes on only when all is ended that is under way', needs(stage, 'sharing'), async (t) => {
    const place = await stage.place(t)
    const one = await opened(t, place)
    const two = await opened(t, place)
    const first = await served(one.store, subscription({ ...ordered, concurrency: 1 }))
    const second = await served(two.store, ordered)
    await appendAll(one.store, [sample(1), sample(2)])
    const under = await first.next()
    await first.service.stop()
    await appendAll(two.store, [sample(3)])
    t.equal(second.all.length, 0)
    await under.end({ kind: 'done' })
    for (const n of [2, 3]) {
      const delivery = await second.next()
      t.equal(delivery.event.message.n, n)
      await delivery.end({ kind: 'done' })
    }
    t.equal(first.all.length, 1)
  })

  t.test('another goes on when it crashes', needs(stage, 'sharing', 'crashing-alone'), async (t) => {
    const place = await stage.place(t)
    const one = await place.open(hostOf())
    const two = await opened(t, place)
    const first = await served(one.store, ordered)
    const second = await served(two.store, ordered)
    await appendAll(two.store, sampled(1, 5))
    await (await first.next()).end({ kind: 'done' })
    await first.has(3)
    await one.crash()
    for (const n of [2, 3, 4, 5]) {
      const delivery = await second.next(stage.recoversMs + 5000)
      t.equal(delivery.event.message.n, n)
      await delivery.end({ kind: 'done' })
    }
  })
}
