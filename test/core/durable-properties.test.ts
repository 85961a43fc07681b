import fc from 'fast-check'
import t from 'tap'
import { backoffMs } from '../../lib/events/backoff.js'
import { SeenIds } from '../../lib/events/seen-ids.js'
import { type App, lucilius } from '../../lib/index.js'
import { MemoryStore } from '../support/memory-store.js'
import { eventually } from './eventually.js'

const SUBSCRIPTIONS = ['shop.mails', 'shop.books']
const MOST = 4
/** More with the variable, for those who change what delivers. */
const RUNS = Number(process.env.LUCILIUS_RUNS ?? 15)

/** Something that happens to a system of one store and up to three instances. */
type Step =
  | { readonly what: 'emit'; readonly key: number; readonly failures: number; readonly slow: boolean }
  | { readonly what: 'start' | 'crash' | 'close'; readonly which: number }
  | { readonly what: 'wait'; readonly turns: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('emit' as const),
      key: fc.integer({ min: 0, max: 2 }),
      // From MOST on it never succeeds.
      failures: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: MOST })),
      slow: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constantFrom('start' as const, 'crash' as const, 'close' as const),
      which: fc.integer({ min: 0, max: 2 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 8 }) }) },
)

/** A run of a handler. */
interface Run {
  readonly subscription: string
  readonly key: number
  readonly n: number
  succeeded: boolean
  isOver: boolean
}

/** Several instances of one app over one store; what a crashed one does counts no more. */
class Scene {
  readonly store: MemoryStore
  readonly runs: Run[] = []
  readonly problems: string[] = []
  readonly #apps = new Map<number, { readonly app: App; readonly isDead: () => boolean; crash(): void }>()
  readonly #all: App[] = []
  readonly #closing: Promise<void>[] = []
  #count = 0
  started = 0

  constructor(store: MemoryStore) {
    this.store = store
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (step.what === 'emit') await this.#emit(step)
      else if (step.what === 'wait') for (let turn = 0; turn < step.turns; turn++) await turnOf()
      else if (step.what === 'start') await this.#start(step.which)
      else if (step.what === 'crash') this.#crash(step.which)
      else this.#close(step.which)
    }
  }

  /** Nothing happens any more but that what was stored is handled. */
  async settle(): Promise<void> {
    this.store.mischief = {}
    await this.#start(0)
    await eventually(() => SUBSCRIPTIONS.every((name) => this.store.waiting(name).length === 0))
    for (const which of this.#apps.keys()) this.#close(which)
    await Promise.all(this.#closing)
    // Those that crashed have nobody to say anything to.
    await Promise.all(this.#all.map((app) => app.close()))
  }

  async #start(which: number): Promise<void> {
    if (this.#apps.has(which)) return
    const app = lucilius({ name: 'shop', store: this.store, drainMs: 50, parity: 'off', timeoutMs: 200 })
    let isDead = false
    app.event('e:1', { durable: true })
    for (const name of SUBSCRIPTIONS) {
      const [, durable = ''] = name.split('.')
      const orderBy = durable === 'books' ? { orderBy: 'key' } : {}
      const options = { durable, ...orderBy, maxDeliveries: MOST, concurrency: 3, backoff: { firstMs: 1, maxMs: 2 } }
      app.on('e:1', options, async (message, { delivery }) => {
        // A process that is dead handles nothing.
        if (isDead) return new Promise(() => {})
        const { key, n, failures, slow } = message as unknown as {
          key: number
          n: number
          failures: number
          slow: boolean
        }
        const run: Run = { subscription: name, key, n, succeeded: false, isOver: false }
        if (durable === 'books') this.#checkAlone(run)
        this.runs.push(run)
        if (slow) await turnOf()
        run.isOver = true
        if (isDead) return new Promise(() => {})
        if (failures === MOST || (delivery?.attempt ?? 0) <= failures) throw new Error('planned')
        run.succeeded = true
        return undefined
      })
    }
    this.started++
    this.#all.push(app)
    await app.ready()
    const handle = this.store.handles.at(-1)
    const crash = () => {
      isDead = true
      for (const run of this.runs) run.isOver = true
      handle?.crash()
    }
    this.#apps.set(which, { app, isDead: () => isDead, crash })
  }

  #checkAlone({ subscription, key, n }: Run): void {
    const other = this.runs.find((run) => !run.isOver && run.subscription === subscription && run.key === key)
    if (other !== undefined) this.problems.push(`${n} of ${key} runs beside ${other.n}`)
  }

  async #emit({ key, failures, slow }: Step & { what: 'emit' }): Promise<void> {
    const [one] = this.#apps.values()
    const n = this.#count++
    await one?.app.emit('e:1', { key, n, failures, slow }).catch(() => {})
  }

  #crash(which: number): void {
    const one = this.#apps.get(which)
    this.#apps.delete(which)
    if (one === undefined) return
    one.crash()
  }

  #close(which: number): void {
    const one = this.#apps.get(which)
    this.#apps.delete(which)
    if (one !== undefined) this.#closing.push(one.app.close())
  }
}

t.test('whatever fails, dies or comes twice: each stored event ends once for each subscription', async () => {
  const troubles = fc.infiniteStream(fc.integer({ min: 0, max: 9 }))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), troubles, async (steps, trouble) => {
      const luck = () => Number(trouble.next().value)
      const scene = new Scene(
        new MemoryStore({
          deliverTwice: () => luck() === 0,
          loseEnd: () => luck() === 0,
          failAppend: () => (luck() === 0 ? 'after' : luck() === 0 ? 'before' : undefined),
        }),
      )
      await scene.play([{ what: 'start', which: 0 }, ...steps])
      await scene.settle()
      check(scene)
    }),
    { numRuns: RUNS },
  )
})

t.test(
  'whoever dies: events of one key are handled one after the other, in the order in which they were stored',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const scene = new Scene(new MemoryStore())
        await scene.play([{ what: 'start', which: 0 }, ...steps])
        await scene.settle()
        check(scene)
        const books = scene.runs.filter(({ subscription }) => subscription === 'shop.books')
        for (const key of [0, 1, 2]) {
          const ns = books.filter((run) => run.key === key).map(({ n }) => n)
          for (const [at, n] of ns.entries()) {
            // After a crash the one that was at work begins again, and no other.
            if (at > 0 && n < (ns[at - 1] ?? 0)) throw new Error(`of ${key} came ${ns.join()}`)
          }
        }
        if (scene.problems.length > 0) throw new Error(scene.problems.join())
      }),
      { numRuns: RUNS },
    )
  },
)

function check({ store, runs, started }: Scene): void {
  if (store.complaints.length > 0) throw new Error(store.complaints.join())
  for (const subscription of SUBSCRIPTIONS) {
    const known = store.events.map(({ id }) => id)
    const ends = store.ends.filter((end) => end.subscription === subscription)
    for (const event of store.events) {
      const last = ends.filter(({ id, kind }) => id === event.id && (kind === 'done' || kind === 'dead'))
      if (last.length !== 1) throw new Error(`${event.id} ended ${last.length} times for ${subscription}`)
      const own = runs.filter((run) => run.subscription === subscription && run.n === event.message.n)
      const successes = own.filter(({ succeeded }) => succeeded).length
      const isDone = last[0]?.kind === 'done'
      if (isDone && successes === 0) throw new Error(`${event.id} is done and was not handled`)
      // What one instance did and could not say may be done by another one.
      if (started === 1 && successes > 1) throw new Error(`${event.id} was handled ${successes} times`)
      const { failures } = event.message as unknown as { failures: number }
      if (failures >= MOST && isDone) throw new Error(`${event.id} cannot be done`)
    }
    const extra = ends.filter(({ id }) => !known.includes(id))
    if (extra.length > 0) throw new Error('something ended that was never stored')
    const letters = store.dead.filter((letter) => letter.subscription === subscription)
    if (letters.some(({ failures }) => failures.length === 0)) throw new Error('a dead letter says nothing')
  }
}

function turnOf(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

t.test('waits grow from the first to the longest, half of each at random', async (t) => {
  const given = { firstMs: 200, maxMs: 30_000 }
  const waits = (random: number) => [1, 2, 3, 8, 9, 100, 5000].map((attempt) => backoffMs(attempt, given, () => random))
  t.strictSame(waits(0), [100, 200, 400, 12_800, 15_000, 15_000, 15_000])
  t.strictSame(waits(1), [200, 400, 800, 25_600, 30_000, 30_000, 30_000])
  t.equal(
    backoffMs(1, { firstMs: 1, maxMs: 1 }, () => 0),
    1,
    'never at once',
  )
})

t.test('ids are remembered for the window, and never more than so many', async (t) => {
  let now = 0
  const seen = new SeenIds(100, () => now)
  seen.add('a')
  now = 60
  seen.add('b')
  seen.add('a')
  now = 150
  t.strictSame([seen.has('a'), seen.has('b'), seen.has('c')], [true, true, false])
  now = 161
  t.strictSame([seen.has('a'), seen.has('b')], [false, false])
  for (let n = 0; n < 100_001; n++) seen.add(`n${n}`)
  t.strictSame([seen.has('n0'), seen.has('n1'), seen.has('n100000')], [false, true, true])
})
