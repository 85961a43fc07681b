import type { Test } from 'tap'
import type { Failure } from '../../lib/store.js'
import { handlesAll, Inbox, served } from './inbox.js'
import { appendAll, sample, soon, subscription } from './sample.js'
import { hostOf, needs, opened, type StoreStage } from './stage.js'

/** What failed in an attempt. */
export function failure(attempt: number, message = `attempt ${attempt} of ünïcode 世界`): Failure {
  return { at: 1_700_000_000_000 + attempt, attempt, code: 'STOCK_EMPTY', message, instance: 'convert-1' }
}

/** What becomes of a delivery after each verdict. */
export function verdicts(t: Test, stage: StoreStage): void {
  t.test('what is done does not come again, to no later instance either', async (t) => {
    const place = await stage.place(t)
    const first = await place.open(hostOf())
    const inbox = await served(first.store, subscription())
    await appendAll(first.store, [sample(1)])
    await (await inbox.next()).end({ kind: 'done' })
    await first.store.close()
    const second = await opened(t, place)
    const later = await served(second.store, subscription(), handlesAll())
    await appendAll(second.store, [sample(2)])
    await later.has(1)
    t.strictSame(later.numbers, [2])
    t.equal(inbox.all.length, 1)
  })

  t.test('what is to come again comes after its time, counted, with all that failed', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = await served(store, subscription())
    const event = sample(1)
    await appendAll(store, [event])
    const first = await inbox.next()
    const at = Date.now()
    await first.end({ kind: 'again', afterMs: 300, failure: failure(1) })
    const second = await inbox.next()
    t.ok(Date.now() - at >= 299, 'not before its time')
    t.ok(Date.now() - at < 5000, 'soon after it')
    await second.end({ kind: 'again', afterMs: 1, failure: failure(2, 'x'.repeat(2000)) })
    const third = await inbox.next()
    await third.end({ kind: 'done' })
    t.strictSame(
      [first, second, third].map(({ attempt }) => attempt),
      [1, 2, 3],
    )
    t.strictSame(second.failures, [failure(1)])
    t.strictSame(third.failures, [failure(1), failure(2, 'x'.repeat(2000))])
    t.strictSame(third.event, event)
    t.ok(third.firstAt <= at, 'the first time is kept')
  })

  t.test('many that are to come again come once each', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = new Inbox(({ attempt }) =>
      attempt < 3 ? { kind: 'again', afterMs: 10 * attempt, failure: failure(attempt) } : { kind: 'done' },
    )
    await store.serve(subscription({ concurrency: 5 }), inbox.deliver)
    const numbers = Array.from({ length: 100 }, (_, n) => n)
    await Promise.all(numbers.map((n) => store.append(sample(n), soon())))
    await inbox.has(300)
    const come = numbers.map((n) =>
      inbox.all.filter(({ event }) => event.message.n === n).map(({ attempt }) => attempt),
    )
    t.strictSame(
      come,
      numbers.map(() => [1, 2, 3]),
    )
  })

  t.test('others go on while one waits to come again', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = await served(store, subscription({ concurrency: 1 }))
    await appendAll(store, [sample(1), sample(2)])
    await (await inbox.next()).end({ kind: 'again', afterMs: 400, failure: failure(1) })
    const other = await inbox.next()
    t.equal(other.event.message.n, 2)
    await other.end({ kind: 'done' })
    const again = await inbox.next()
    t.equal(again.event.message.n, 1)
    await again.end({ kind: 'done' })
  })

  t.test('what is to come again does so in a later instance', async (t) => {
    const place = await stage.place(t)
    const first = await place.open(hostOf())
    const inbox = await served(first.store, subscription())
    await appendAll(first.store, [sample(1)])
    await (await inbox.next()).end({ kind: 'again', afterMs: 200, failure: failure(1) })
    await first.store.close()
    const second = await opened(t, place)
    const later = await served(second.store, subscription())
    const delivery = await later.next()
    t.equal(delivery.attempt, 2)
    t.strictSame(delivery.failures, [failure(1)])
    await delivery.end({ kind: 'done' })
  })

  t.test('what is dead does not come again, and lies with the dead letters with all that failed', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = await served(store, subscription({ name: 'shop.one' }))
    const other = await served(store, subscription({ name: 'shop.two' }), handlesAll())
    const event = sample(1, { message: { role: 'order', text: 'Grüße 世界', n: 1 } })
    await appendAll(store, [event])
    const before = Date.now()
    await (await inbox.next()).end({ kind: 'dead', failures: [failure(1), failure(2)] })
    const [letter, ...more] = await store.admin.deadLetters({ limit: 10 })
    t.strictSame(more, [])
    if (letter === undefined) throw new Error('There is no dead letter.')
    const { id, at, ...rest } = letter
    t.strictSame(rest, { subscription: 'shop.one', event, failures: [failure(1), failure(2)] })
    t.ok(at >= before - 1000 && at <= Date.now() + 1000, 'died about now')
    t.strictSame(await store.admin.deadLetter(id), letter)
    await appendAll(store, [sample(2)])
    await inbox.has(2)
    await other.has(2)
    t.strictSame(inbox.numbers, [1, 2])
  })

  t.test('what is handed back comes again at once', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = await served(store, subscription())
    await appendAll(store, [sample(1)])
    await (await inbox.next()).end({ kind: 'back' })
    const again = await inbox.next(2000)
    t.equal(again.event.message.n, 1)
    t.strictSame(again.failures, [])
    if (stage.lacks?.['uncounted-back'] === undefined) t.equal(again.attempt, 1)
    await again.end({ kind: 'done' })
  })

  t.test('what an instance hands back as it closes goes to another one', needs(stage, 'sharing'), async (t) => {
    const place = await stage.place(t)
    const one = await place.open(hostOf())
    const first = await served(one.store, subscription({ concurrency: 2 }))
    await appendAll(one.store, [sample(1), sample(2), sample(3)])
    const [a, b] = [await first.next(), await first.next()]
    const two = await opened(t, place)
    const second = await served(two.store, subscription(), handlesAll())
    await first.service.stop()
    await Promise.all([a.end({ kind: 'back' }), b.end({ kind: 'back' })])
    await one.store.close()
    await second.has(3, 2000)
    t.strictSame(second.numbers.toSorted(), [1, 2, 3])
    t.equal(first.all.length, 2)
  })

  t.test('what was not ended when an instance closed goes to another one', async (t) => {
    const place = await stage.place(t)
    const one = await place.open(hostOf())
    const first = await served(one.store, subscription())
    await appendAll(one.store, [sample(1), sample(2)])
    const late = await first.next()
    await first.has(2)
    await one.store.close()
    await late.end({ kind: 'done' })
    const two = await opened(t, place)
    const second = await served(two.store, subscription(), handlesAll())
    await second.has(2)
    t.strictSame(second.numbers.toSorted(), [1, 2])
  })

  t.test('a delivery is ended once: what is said later has no effect', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = await served(store, subscription())
    await appendAll(store, [sample(1)])
    const delivery = await inbox.next()
    await delivery.end({ kind: 'done' })
    await delivery.end({ kind: 'again', afterMs: 1, failure: failure(1) })
    await delivery.end({ kind: 'dead', failures: [] })
    await delivery.end({ kind: 'back' })
    delivery.extend()
    await appendAll(store, [sample(2)])
    await (await inbox.next()).end({ kind: 'done' })
    t.strictSame(inbox.numbers, [1, 2])
    t.strictSame(await store.admin.deadLetters({ limit: 1 }), [])
  })

  t.test('what is said of an earlier delivery has no effect on a later one', async (t) => {
    const place = await stage.place(t)
    const one = await place.open(hostOf())
    const first = await served(one.store, subscription())
    await appendAll(one.store, [sample(1)])
    const early = await first.next()
    await early.end({ kind: 'back' })
    await first.next()
    await early.end({ kind: 'done' })
    await one.store.close()
    const two = await opened(t, place)
    const second = await served(two.store, subscription(), handlesAll())
    await second.has(1)
  })

  t.test('what is still at work does not come twice, however long it takes', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = await served(store, subscription())
    await appendAll(store, [sample(1)])
    const long = await inbox.next()
    const { silenceMs = 100 } = stage
    const extending = setInterval(() => long.extend(), Math.min(1000, silenceMs / 3))
    await new Promise((resolve) => setTimeout(resolve, silenceMs * 1.8)) // that nothing comes cannot be awaited
    clearInterval(extending)
    t.equal(inbox.all.length, 1)
    await long.end({ kind: 'done' })
    await appendAll(store, [sample(2)])
    await (await inbox.next()).end({ kind: 'done' })
    t.strictSame(inbox.numbers, [1, 2])
  })
}
