import type { Test } from 'tap'
import { matcherOf } from '../../lib/covers.js'
import type { StoredEvent } from '../../lib/store.js'
import { handlesAll, served } from './inbox.js'
import { appendAll, sample, soon, subscription } from './sample.js'
import { hostOf, opened, type StoreStage } from './stage.js'

const everything = () => true
const numbers = (events: readonly StoredEvent[]) => events.map(({ message }) => message.n)

/** What is kept for those who come late. */
export function retaining(t: Test, stage: StoreStage): void {
  t.test('the last event of each key is retained, in the order in which they were stored', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const retained = (n: number, key: string) => sample(n, { key, retain: true, durable: false })
    const last = [retained(4, ''), retained(5, 'b'), retained(6, 'a')]
    await appendAll(store, [retained(1, 'a'), retained(2, 'b'), retained(3, ''), ...last])
    t.strictSame(await store.retained(everything), last)
  })

  t.test('each declaration retains its own', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const wish = { key: 'usd', retain: true, durable: false }
    await appendAll(store, [
      sample(1, { ...wish, declared: 'event:changed' }),
      sample(2, { ...wish, declared: 'event:changed,role:rates' }),
      sample(3, { ...wish, declared: 'event:changed' }),
    ])
    t.strictSame(numbers(await store.retained(everything)), [2, 3])
  })

  t.test('only those are given that somebody asks for', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const of = (n: number, role: string) => sample(n, { key: `${n}`, retain: true, message: { role, n } })
    await appendAll(store, [of(1, 'rates'), of(2, 'other'), of(3, 'rates'), sample(4, { key: '4' })])
    t.strictSame(numbers(await store.retained(matcherOf('role:rates'))), [1, 3])
    t.strictSame(numbers(await store.retained(matcherOf('role:nobody'))), [])
  })

  t.test('what is retained is there in a later instance, and durable subscriptions got it too', async (t) => {
    const place = await stage.place(t)
    const one = await place.open(hostOf())
    const inbox = await served(one.store, subscription(), handlesAll())
    await appendAll(one.store, [sample(1, { retain: true }), sample(2, { retain: true })])
    await inbox.has(2)
    await one.store.close()
    const two = await opened(t, place)
    t.strictSame(numbers(await two.store.retained(everything)), [2])
  })

  t.test('keys that look alike are not the same', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const keys = [
      'a',
      'A',
      'a ',
      ' a',
      'a.b',
      'a*b',
      'a>b',
      'a#b',
      'a/b',
      'a!b',
      'a\nb',
      'ä',
      '世界',
      '🚲',
      '*',
      '>',
      '#',
    ]
    const events = [...keys, '$', '.', '..', 'k'.repeat(300), 'k'.repeat(301)].map((key, n) =>
      sample(n, { key, retain: true, durable: false }),
    )
    await appendAll(store, events)
    t.strictSame(await store.retained(everything), events)
  })

  t.test('many keys are retained', async (t) => {
    const { store } = await opened(t, await stage.place(t))
    const events = Array.from({ length: 300 }, (_, n) => sample(n, { key: `pair ${n}`, retain: true, durable: false }))
    await Promise.all(events.map((event) => store.append(event, soon())))
    t.equal((await store.retained(everything)).length, 300)
  })
}
