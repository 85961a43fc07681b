import t, { type Test } from 'tap'
import { type App, LuciliusError, lucilius, type RetryOptions } from '../../lib/index.js'
import type { Announcement, Transport } from '../../lib/transport-kit.js'

t.test('a burst of lost replies right after the start is tried again', async (t) => {
  const { replies } = await callers(t)
  t.equal(await replies(30), 30, 'ten seconds of 3')
  t.equal(await replies(20), 5, 'and one for every ten of these calls and those')
})

t.test('the more calls were made of late, the more may be tried again at once', async (t) => {
  const { replies, pass } = await callers(t)
  for (let second = 0; second < 20; second++) {
    await replies(100, { lost: false })
    pass(1000)
  }
  const tried = await replies(200)
  t.ok(tried > 120 && tried < 150, `${tried} of about (3 + 100 / 10) x 10`)
})

t.test('what was earned an hour ago pays for nothing', async (t) => {
  const { replies, pass } = await callers(t)
  await replies(1000, { lost: false })
  pass(3_600_000)
  t.equal(await replies(100), 30)
})

t.test('over a long outage a tenth of the calls and three a second are tried again', async (t) => {
  const { replies, pass } = await callers(t)
  let tried = 0
  for (let second = 0; second < 100; second++) {
    tried += await replies(50)
    pass(1000)
  }
  const earned = 100 * (3 + 5)
  t.ok(tried <= 30 + earned, `${tried}: not more than that`)
  t.ok(tried >= 0.9 * earned, `${tried}: and hardly less`)
})

t.test('the budget is the options', async (t) => {
  const { replies } = await callers(t, { ratio: 0, perSecond: 0.5 })
  t.equal(await replies(50), 5)
  const { replies: none } = await callers(t, { attempts: 1 })
  t.equal(await none(1), 0)
})

/** An app whose peer loses the first try of every call, at a time that only the test lets pass. */
async function callers(t: Test, retry: RetryOptions = {}) {
  let now = 1_000_000
  t.intercept(performance, 'now', { value: () => now })
  t.intercept(Math, 'random', { value: () => 0 }) // No wait before a try.
  let loses = true
  const lost = new LuciliusError('LUC_REPLY_LOST', 'lost')
  const transport: Transport = {
    name: 'losing',
    listen: async () => {
      throw new Error('not used here')
    },
    connect: async (near) => {
      near.hear(announced)
      return {
        carry: async (envelope) => {
          if (loses && envelope.meta.retried !== true) throw lost
          return { reply: 'done' }
        },
        close: async () => {},
      }
    },
  }
  const app: App = lucilius({ retry })
  t.teardown(() => app.close())
  await app.connect(transport)
  return {
    pass: (ms: number) => {
      now += ms
    },
    /** How many of so many calls at the same time are answered. */
    replies: async (count: number, { lost = true } = {}) => {
      loses = lost
      const calls = Array.from({ length: count }, () => app.act('far:1'))
      const ends = await Promise.allSettled(calls)
      return ends.filter(({ status }) => status === 'fulfilled').length
    },
  }
}

const announced: Announcement = {
  wire: 1,
  name: 'far',
  instance: 'far-1',
  draining: false,
  actions: [{ pattern: 'far:1', service: 'far', idempotent: true }],
  subscriptions: [],
}
