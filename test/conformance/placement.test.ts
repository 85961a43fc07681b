import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { type App, lucilius, type Message } from '../../lib/index.js'
import { http } from '../../transports/http/index.js'
import { inProcess } from '../../transports/in-process/index.js'
import { websocket } from '../../transports/websocket/index.js'
import { eventually } from '../core/eventually.js'
import type { Failure } from '../core/failure.js'
import type { Means } from './means.js'
import {
  type Counts,
  type Head,
  heads,
  messages,
  type SystemPlan,
  systems,
  toPlugin,
  toPolicy,
} from './random-system.js'
import { join } from './scene.js'

/** Seconds for each transport, from those who look longer than `npm test` does: `npm run test:faults`. */
const longer = Number(process.env.PLACEMENT_SECONDS ?? 0)

/** Where the services of a system run, and which app sends. */
interface Placement {
  readonly apps: number
  /** The app of each service. */
  readonly places: readonly number[]
  readonly caller: number
  /** The services are registered in this order. */
  readonly order: readonly number[]
}

interface Sent {
  readonly what: Head
  readonly message: Message
  readonly identity: string | null
}

const placements: fc.Arbitrary<Placement> = fc.integer({ min: 1, max: 4 }).chain((apps) =>
  fc.record({
    apps: fc.constant(apps),
    places: fc.array(fc.nat(apps - 1), { minLength: 5, maxLength: 5 }),
    caller: fc.nat(apps - 1),
    order: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
  }),
)
const sent: fc.Arbitrary<Sent> = fc.record({
  what: heads,
  message: messages,
  identity: fc.option(fc.constantFrom('ann', 'bob')),
})

const together: Placement = { apps: 1, places: [0, 0, 0, 0, 0], caller: 0, order: [0, 1, 2, 3, 4] }

const transports: readonly [string, Means, runs: number, seconds: number][] = [
  ['in-process', { listen: () => inProcess(), connect: (url) => inProcess({ url }), exposesOnConnect: true }, 300, 6],
  ['HTTP', { listen: () => http({ port: 0 }), connect: (url) => http({ url }), exposesOnConnect: false }, 50, 4],
  [
    'WebSocket',
    { listen: () => websocket({ port: 0 }), connect: (url) => websocket({ url }), exposesOnConnect: true },
    100,
    4,
  ],
]

t.setTimeout((transports.length * longer + 60) * 1000)

for (const [name, means, runs, seconds] of transports) {
  const title = `a random system placed over one to four apps by ${name} replies, fails and observes as in one app`
  t.test(title, { timeout: (longer + 30) * 1000 }, async (t) => {
    let ran = 0
    const same = async (plan: SystemPlan, placement: Placement, wishes: Sent[]) => {
      ran++
      const one = await play(means, plan, together, wishes)
      const many = await play(means, plan, placement, wishes, one.counts)
      for (const [index, wish] of wishes.entries()) {
        const [expected, found] = [one.outcomes[index], many.outcomes[index]]
        if (!isDeepStrictEqual(found, expected)) throw new Error(difference(wish, expected, found))
      }
      if (!isDeepStrictEqual(many.counts, one.counts)) throw new Error(difference('events', one.counts, many.counts))
    }
    await fc.assert(fc.asyncProperty(systems, placements, fc.array(sent, { minLength: 1, maxLength: 12 }), same), {
      numRuns: longer > 0 ? Number.MAX_SAFE_INTEGER : runs,
      interruptAfterTimeLimit: (longer || seconds) * 1000,
    })
    t.ok(ran > 0, `${ran} systems`)
  })
}

/** Plays the system in apps that know each other, and tells what came of each message and how often each subscription ran. */
async function play(
  means: Means,
  { services, policy }: SystemPlan,
  { apps: count, places, caller, order }: Placement,
  wishes: readonly Sent[],
  expected?: Counts,
) {
  const counts: Counts = new Map()
  const options = { parity: 'strict', maxHops: 8, drainMs: 1000 } as const
  const apps = Array.from({ length: count }, (_, index) =>
    lucilius({ name: `app-${index}`, ...options }).use(toPolicy(policy)),
  )
  try {
    for (const index of order) {
      const plan = services[index]
      if (plan !== undefined) at(apps, places[index]).use(toPlugin(plan, index, counts))
    }
    await Promise.all(apps.map((app) => app.ready()))
    await meet(means, apps)
    const outcomes = await Promise.all(wishes.map((wish) => outcomeOf(at(apps, caller), wish)))
    if (expected !== undefined) await eventually(() => isDeepStrictEqual(counts, expected), 1000).catch(() => {})
    return { outcomes, counts }
  } finally {
    // Drains: what observes an event has done so afterwards.
    await Promise.all(apps.map((app) => app.close()))
  }
}

/** Connects everybody with everybody, and waits until all know the same patterns. */
async function meet(means: Means, apps: readonly App[]): Promise<void> {
  for (const [index, app] of apps.entries()) {
    for (const other of apps.slice(index + 1)) await join(means, app, other, '*', true)
  }
  const known = (app: App) => [...new Set(app.list().map(({ pattern }) => pattern))].sort()
  const all = [...new Set(apps.flatMap(known))].sort()
  await eventually(() => apps.every((app) => isDeepStrictEqual(known(app), all)))
}

async function outcomeOf(app: App, { what, message, identity }: Sent): Promise<unknown> {
  try {
    const reply = await app.act(what.head, message, { exact: what.exact, ...(identity === null ? {} : { identity }) })
    return reply === undefined ? 'no reply' : { reply }
  } catch (error) {
    const { name, code, handled, retryable, details, message } = error as Failure
    return { name, code, handled, retryable, details, message }
  }
}

function at<T>(list: readonly T[], index = 0): T {
  return list[index] as T // placements name apps that there are
}

function difference(what: unknown, expected: unknown, found: unknown): string {
  const text = (value: unknown) => JSON.stringify(value instanceof Map ? [...value] : value)
  return `${text(what)}\nin one app: ${text(expected)}\nplaced: ${text(found)}`
}
