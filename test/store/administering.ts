import type { Test } from 'tap'
import type { OpenStore, StoreReport, SubscriptionReport } from '../../lib/store.js'
import { handlesAll, Inbox, served } from './inbox.js'
import { appendAll, sample, subscription } from './sample.js'
import { hostOf, needs, opened, type StoreStage } from './stage.js'
import { failure } from './verdicts.js'

/** What operators see and do. */
export function administering(t: Test, stage: StoreStage): void {
  const one = subscription({ name: 'shop.one' })
  const two = subscription({ name: 'shop.two', pattern: 'n:?,role:order', ordered: true })

  t.test('the report tells what waits, what is dead and what is retained', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = await served(store, subscription({ ...one, concurrency: 1 }))
    const idle = await served(store, two)
    await idle.service.stop()
    const before = Date.now()
    await appendAll(
      store,
      [1, 2, 3, 4].map((n) => sample(n, { retain: true, key: `${n % 2}` })),
    )
    await (await inbox.next()).end({ kind: 'done' })
    await (await inbox.next()).end({ kind: 'dead', failures: [failure(1)] })
    await inbox.next()
    const report = await reported(t, store, [
      { name: 'shop.one', pattern: 'role:order', ordered: false, waiting: 2, dead: 1 },
      { name: 'shop.two', pattern: 'n:?,role:order', ordered: true, waiting: 4, dead: 0 },
    ])
    t.type(report.store, 'string')
    t.ok(report.events >= 4, 'all that wait for somebody are kept')
    t.equal(report.retained, 2)
    if (report.oldestAt !== undefined) t.ok(report.oldestAt >= before && report.oldestAt <= Date.now())
  })

  t.test('the report tells what is under way', needs(stage, 'running-report'), async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = await served(store, subscription({ ...one, concurrency: 2 }))
    await appendAll(
      store,
      [1, 2, 3].map((n) => sample(n)),
    )
    const delivery = await inbox.next()
    await inbox.has(2)
    const row = { name: 'shop.one', pattern: 'role:order', ordered: false, dead: 0 }
    await reported(t, store, [{ ...row, waiting: 3, running: 2 }])
    await delivery.end({ kind: 'again', afterMs: 60_000, failure: failure(1) })
    await inbox.has(3)
    await reported(t, store, [{ ...row, waiting: 3, running: 2 }])
  })

  t.test('a subscription is known with its latest pattern, in later instances too', async (t) => {
    const place = await stage.place(t)
    const first = await place.open(hostOf())
    await (await served(first.store, one)).service.stop()
    await appendAll(first.store, [sample(1)])
    const changed = await served(first.store, subscription({ ...one, pattern: 'event:shipped,role:order' }))
    await changed.service.stop()
    const shipped = sample(3, { message: { role: 'order', event: 'shipped', n: 3 } })
    await appendAll(first.store, [sample(2), shipped])
    await first.store.close()
    const second = await opened(t, place)
    const { subscriptions } = await second.store.admin.report()
    t.strictSame(
      subscriptions.map(({ name, pattern }) => ({ name, pattern })),
      [{ name: 'shop.one', pattern: 'event:shipped,role:order' }],
    )
    const inbox = await served(
      second.store,
      subscription({ ...one, pattern: 'event:shipped,role:order' }),
      handlesAll(),
    )
    await appendAll(second.store, [sample(4, { message: { role: 'order', event: 'shipped', n: 4 } })])
    await inbox.has(2)
    t.strictSame(inbox.numbers.toSorted(), [3, 4])
  })

  t.test('dead letters are listed oldest first, by subscription, in pages', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    await served(store, one, dies())
    await served(store, two, dies())
    await appendAll(store, [sample(1), sample(22), sample(3)])
    await reported(t, store, [
      { name: 'shop.one', dead: 3 },
      { name: 'shop.two', dead: 2 },
    ])
    const { admin } = store
    const all = await admin.deadLetters({ limit: 100 })
    t.equal(all.length, 5)
    t.equal(new Set(all.map(({ id }) => id)).size, 5, 'each has an id of its own')
    t.strictSame(
      all.map(({ at }) => at),
      all.map(({ at }) => at).toSorted((a, b) => a - b),
    )
    t.same(
      (await admin.deadLetters({ limit: 100, subscription: 'shop.two' })).map(({ event }) => event.message.n),
      [1, 3],
    )
    t.strictSame(await admin.deadLetters({ limit: 100, subscription: 'shop.nobody' }), [])
    t.strictSame(await admin.deadLetters({ limit: 2 }), all.slice(0, 2))
    t.strictSame(await admin.deadLetters({ limit: 2, after: idOf(all[1]) }), all.slice(2, 4))
    t.strictSame(await admin.deadLetters({ limit: 2, after: idOf(all[4]) }), [])
    const ofOne = all.filter(({ subscription }) => subscription === 'shop.one')
    const page = await admin.deadLetters({ limit: 5, subscription: 'shop.one', after: idOf(ofOne[0]) })
    t.strictSame(page, ofOne.slice(1))
  })

  t.test('a dead letter that is replayed comes to its subscription alone, counted anew', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const other = await served(store, two, handlesAll())
    const inbox = await served(store, one)
    const event = sample(1)
    await appendAll(store, [event])
    await (await inbox.next()).end({ kind: 'again', afterMs: 1, failure: failure(1) })
    await (await inbox.next()).end({ kind: 'dead', failures: [failure(1), failure(2)] })
    const [letter] = await store.admin.deadLetters({ limit: 1 })
    t.equal(await store.admin.replay(idOf(letter)), true)
    const again = await inbox.next()
    t.strictSame(again.event, event)
    t.equal(again.attempt, 1)
    t.strictSame(again.failures, [])
    t.strictSame(await store.admin.deadLetters({ limit: 1 }), [])
    t.equal(await store.admin.deadLetter(idOf(letter)), undefined)
    t.equal(await store.admin.replay(idOf(letter)), false)
    await again.end({ kind: 'dead', failures: [failure(1)] })
    await appendAll(store, [sample(2)])
    await other.has(2)
    t.strictSame(other.numbers, [1, 2])
    const [anew] = await store.admin.deadLetters({ limit: 1 })
    t.strictSame(anew?.failures, [failure(1)], 'and it may die again')
  })

  t.test('a dead letter that is replayed waits for its subscription while nobody serves it', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const first = await served(store, one, dies())
    await appendAll(store, [sample(1)])
    await reported(t, store, [{ name: 'shop.one', dead: 1 }])
    await first.service.stop()
    const [letter] = await store.admin.deadLetters({ limit: 1 })
    t.equal(await store.admin.replay(idOf(letter)), true)
    const later = await served(store, one, handlesAll())
    await later.has(1)
    t.strictSame(later.numbers, [1])
  })

  t.test('a dead letter that is dropped is forgotten, also by later instances', async (t) => {
    const place = await stage.place(t)
    const first = await place.open(hostOf())
    await served(first.store, one, dies())
    await appendAll(first.store, [sample(1), sample(2)])
    await reported(t, first.store, [{ name: 'shop.one', dead: 2 }])
    const [gone, kept] = await first.store.admin.deadLetters({ limit: 2 })
    t.equal(await first.store.admin.drop(idOf(gone)), true)
    t.equal(await first.store.admin.drop(idOf(gone)), false)
    await first.store.close()
    const { store } = await opened(t, place)
    t.strictSame(await store.admin.deadLetters({ limit: 9 }), [kept])
  })

  t.test('there is no dead letter of an id that nobody gave', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    await served(store, one, dies())
    await appendAll(store, [sample(1)])
    await reported(t, store, [{ name: 'shop.one', dead: 1 }])
    for (const id of ['', '0', '999999', 'nobody', '../..', '*', '>', '\u0000', '__proto__', 'x'.repeat(5000)]) {
      t.equal(await store.admin.deadLetter(id), undefined)
      t.equal(await store.admin.replay(id), false)
      t.equal(await store.admin.drop(id), false)
    }
    t.equal((await store.admin.deadLetters({ limit: 9 })).length, 1)
  })

  t.test('a subscription that is removed is forgotten with all that waits for it', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = await served(store, one)
    const other = await served(store, two, handlesAll())
    await appendAll(store, [sample(1), sample(2), sample(3)])
    await (await inbox.next()).end({ kind: 'again', afterMs: 60_000, failure: failure(1) })
    await (await inbox.next()).end({ kind: 'dead', failures: [failure(1)] })
    const third = await inbox.next()
    await inbox.service.stop()
    await third.end({ kind: 'back' })
    t.equal(await store.admin.removeSubscription('shop.one'), true)
    t.equal(await store.admin.removeSubscription('shop.one'), false)
    t.equal(await store.admin.removeSubscription('shop.nobody'), false)
    await appendAll(store, [sample(4)])
    await other.has(4)
    await reported(t, store, [{ name: 'shop.two', waiting: 0, dead: 0 }])
    const anew = await served(store, one, handlesAll())
    await appendAll(store, [sample(5)])
    await anew.has(1)
    t.strictSame(anew.numbers, [5])
    await reported(t, store, [
      { name: 'shop.one', waiting: 0, dead: 0 },
      { name: 'shop.two', waiting: 0, dead: 0 },
    ])
    t.strictSame(await store.admin.deadLetters({ limit: 1 }), [])
  })
}

const idOf = (letter: { readonly id: string } | undefined): string => letter?.id ?? 'none'

/** An inbox in which everything is dead at once. */
const dies = () => new Inbox(({ attempt }) => ({ kind: 'dead', failures: [failure(attempt)] }))

/** Waits until the report of the subscriptions says this, sorted by name; fails with what it said last if it never does. */
async function reported(
  t: Test,
  store: OpenStore,
  expected: readonly Partial<SubscriptionReport>[],
): Promise<StoreReport> {
  const end = performance.now() + 5000
  for (;;) {
    const report = await store.admin.report()
    const found = report.subscriptions
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .map((row, at) => narrow(row, expected[at]))
    if (JSON.stringify(found) === JSON.stringify(expected.map((row) => narrow(row, row))) || performance.now() > end) {
      t.strictSame(
        found,
        expected.map((row) => narrow(row, row)),
      )
      return report
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** The properties of a row that are expected, in one order. */
function narrow(row: object, wish: object = row): object {
  return Object.fromEntries(
    Object.keys(wish)
      .toSorted()
      .map((key) => [key, (row as Record<string, unknown>)[key]]),
  )
}
