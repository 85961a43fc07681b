import type { Test } from 'tap'
import { LuciliusError } from '../../lib/errors.js'
import { handlesAll, served } from './inbox.js'
import { appendAll, sample, soon, subscription } from './sample.js'
import { hostOf, needs, opened, type Place, type StoreStage } from './stage.js'
import { failure } from './verdicts.js'

/** What survives the end of an instance, and of the store. */
export function failing(t: Test, stage: StoreStage): void {
  t.test('what was under way when an instance crashed comes to the next one, counted', async (t) => {
    const place = await stage.place(t)
    const one = await place.open(hostOf())
    const first = await served(one.store, subscription({ concurrency: 2 }))
    await appendAll(one.store, [sample(1), sample(2), sample(3)])
    await first.has(2)
    await one.crash()
    const two = await opened(t, place)
    const second = await served(two.store, subscription(), handlesAll())
    await second.has(3, stage.recoversMs + 5000)
    const attempts = second.all.map(({ event, attempt }) => `${event.message.n}: ${attempt}`)
    t.strictSame(attempts.toSorted(), ['1: 2', '2: 2', '3: 1'])
  })

  t.test('what was under way comes to an instance that lives', needs(stage, 'sharing', 'crashing-alone'), async (t) => {
    const place = await stage.place(t)
    const one = await place.open(hostOf())
    const two = await opened(t, place)
    const first = await served(one.store, subscription({ concurrency: 2 }))
    await appendAll(one.store, [sample(1), sample(2)])
    await first.has(2)
    const second = await served(two.store, subscription(), handlesAll())
    await one.crash()
    await second.has(2, stage.recoversMs + 5000)
    t.strictSame(second.numbers.toSorted(), [1, 2])
  })

  t.test('what was ended just before a crash is ended', async (t) => {
    const place = await stage.place(t)
    const one = await place.open(hostOf())
    const first = await served(one.store, subscription())
    await appendAll(one.store, [sample(1), sample(2), sample(3)])
    const byNumber = async () => {
      const delivery = await first.next()
      if (delivery.event.message.n === 1) return delivery.end({ kind: 'done' })
      if (delivery.event.message.n === 2) return delivery.end({ kind: 'dead', failures: [failure(1)] })
      return delivery.end({ kind: 'again', afterMs: 1, failure: failure(1) })
    }
    await Promise.all([byNumber(), byNumber(), byNumber()])
    await one.crash()
    const two = await opened(t, place)
    const second = await served(two.store, subscription(), handlesAll())
    const third = await second.next(stage.recoversMs + 5000)
    t.equal(third.event.message.n, 3)
    t.strictSame(third.failures, [failure(1)])
    await appendAll(two.store, [sample(4)])
    await second.next()
    t.strictSame(second.numbers, [3, 4])
    t.equal((await two.store.admin.deadLetters({ limit: 9 })).length, 1)
  })

  t.test('every event that append resolved for is there after a crash', async (t) => {
    const place = await stage.place(t)
    const one = await place.open(hostOf())
    await (await served(one.store, subscription())).service.stop()
    const stored = new Set<number>()
    let half = () => {}
    const isHalf = new Promise<void>((resolve) => {
      half = resolve
    })
    for (let n = 0; n < 200; n++) {
      const append = one.store.append(sample(n), soon(1000)).then(() => {
        stored.add(n)
        if (stored.size === 100) half()
      })
      void append.catch(() => {})
      if (n % 20 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await isHalf
    const resolved = new Set(stored)
    await one.crash()
    const two = await opened(t, place)
    const second = await served(two.store, subscription(), handlesAll())
    await second.has(resolved.size, stage.recoversMs + 5000)
    const come = new Set(second.numbers)
    const lost = () => [...resolved].filter((n) => !come.has(n))
    while (lost().length > 0) come.add((await second.next()).event.message.n)
    t.strictSame(lost(), [])
  })

  t.test('an append that is given up is told, and nothing of it is stored', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const inbox = await served(store, subscription(), handlesAll())
    await rejects(t, store.append(sample(1), AbortSignal.abort()), 'no')
    await appendAll(store, [sample(2)])
    await inbox.has(1)
    t.strictSame(inbox.numbers, [2])
  })

  t.test('a store that was closed stores nothing, and says so', async (t) => {
    const { store } = await (await stage.place(t)).open(hostOf())
    await store.close()
    await store.close()
    await rejects(t, store.append(sample(1), soon()), 'no')
  })

  t.test('an event of many instances at once comes once', needs(stage, 'sharing', 'duplicates'), async (t) => {
    const place = await stage.place(t)
    const [one, two] = [await opened(t, place), await opened(t, place)]
    const inbox = await served(one.store, subscription(), handlesAll())
    const event = sample(1)
    await Promise.all([one, two, one, two].map(({ store }) => store.append(event, soon())))
    await appendAll(two.store, [sample(2)])
    await inbox.has(2)
    t.strictSame(inbox.numbers.toSorted(), [1, 2])
  })

  t.test('an append waits for a store that is away, and subscriptions go on', needs(stage, 'outage'), async (t) => {
    const place = await stage.place(t)
    const { store } = await opened(t, place)
    const inbox = await served(store, subscription(), handlesAll())
    await appendAll(store, [sample(1)])
    await inbox.has(1)
    await place.outage?.stop()
    let isStored = false
    const append = store.append(sample(2), soon(60_000)).then(() => {
      isStored = true
    })
    await new Promise((resolve) => setTimeout(resolve, 200)) // that it does not resolve cannot be awaited
    t.equal(isStored, false)
    await place.outage?.start()
    await append
    await appendAll(store, [sample(3)])
    while (!inbox.numbers.includes(3)) await inbox.next(stage.recoversMs + 20_000) // 1 may come again: its end was lost
    t.strictSame(new Set(inbox.numbers), new Set([1, 2, 3]))
  })

  t.test('nothing that append resolved for is lost with the store', needs(stage, 'outage'), async (t) => {
    const place = await stage.place(t)
    const { store } = await opened(t, place)
    const inbox = await served(store, subscription(), handlesAll())
    const numbers = Array.from({ length: 400 }, (_, n) => n)
    let count = 0
    const appends = numbers.map(async (n) => {
      await new Promise((resolve) => setTimeout(resolve, n))
      await store.append(sample(n), soon(60_000))
      count++
    })
    while (count < 100) await new Promise((resolve) => setTimeout(resolve, 1))
    await place.outage?.stop()
    await place.outage?.start()
    await Promise.all(appends)
    const end = performance.now() + stage.recoversMs + 20_000
    const lost = () => numbers.filter((n) => !inbox.numbers.includes(n))
    while (lost().length > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10))
    t.strictSame(lost(), [])
  })

  t.test('an append and an opening are given up when nobody waits any more', needs(stage, 'outage'), async (t) => {
    const place = await stage.place(t)
    const { store } = await opened(t, place)
    await place.outage?.stop()
    await rejects(t, store.append(sample(1), soon(300)))
    await rejects(t, place.open(hostOf(soon(300))))
    await place.outage?.start()
    await comesBack(place)
  })
}

async function rejects(t: Test, promise: Promise<unknown>, handled?: string): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  t.ok(error instanceof LuciliusError, 'it is told')
  if (!(error instanceof LuciliusError)) return
  t.equal(error.code, 'LUC_STORE_FAILED')
  if (handled !== undefined) t.equal(error.handled, handled)
}

/** So that the next test finds the store as it was. */
async function comesBack(place: Place): Promise<void> {
  const { store } = await place.open(hostOf())
  await store.close()
}
