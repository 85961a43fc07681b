import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Shelf } from '../../../examples/orders/contracts.js'
import { system } from '../../../examples/orders/lucilius.config.js'
import type { StockOptions } from '../../../examples/orders/stock.js'
import type { Service } from '../../../lib/system/system.js'
import { type Chance, chance, shuffled } from '../../faults/chance.js'
import { type Broker, startNats, startRabbit } from '../../support/brokers.js'
import { Customers } from './customers.js'
import { written } from './folder.js'
import { brokenIn, isSettled } from './promises.js'
import { Running } from './running.js'

/** What keeps the events. */
export type Store = 'embedded' | 'nats' | 'amqp'

/** What to put the orders system through. */
export interface Plan {
  readonly store: Store
  /** How long orders are placed, and processes are killed. */
  readonly seconds: number
  /** Milliseconds between two kills. */
  readonly everyMs: number
  /** Orders a second. */
  readonly perSecond: number
  /** What happens follows from it. */
  readonly seed: number
  /** Hears what `lucilius up` prints. */
  readonly show?: (line: string) => void
  /** Takes what ends everything if this never comes to an end: a test may run out of time. */
  readonly teardown?: (end: () => unknown) => unknown
}

/** What came of it. */
export interface Result {
  readonly orders: number
  readonly paid: number
  readonly refused: number
  /** How often each process, the broker or everything at once was killed. */
  readonly kills: ReadonlyMap<string, number>
  /** What customers were told when they were not told that their order is accepted, by code. */
  readonly failed: ReadonlyMap<string, number>
  /** From the last order to the end of the last one. */
  readonly settledMs: number
  /** The promises that were broken, in words. */
  readonly broken: readonly string[]
}

/** The deployment that uses each store. */
const deployments = { embedded: 'dev', nats: 'nats', amqp: 'amqp' } as const

/** What is on the shelves when the system starts with an empty folder. */
const stock = system.services.get('stock') as Service // it is described
const initial = (stock.options as StockOptions).shelves

/** Everything at once, as by a power cut; the broker keeps its own company. */
const ALL = 'everything'
const BROKER = 'the broker'

/** So many different ones are killed, however long it takes on a busy machine to get one up again. */
const LEAST_KILLED = 2

/** Milliseconds in which every order has come to an end once nobody is killed any more. */
const SETTLE_MS = 120_000

/** Places orders while processes are killed, and sees what came of them. Rejects if the system does not come to rest. */
export async function underKills(plan: Plan): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'orders-'))
  mkdirSync(join(folder, 'run'), { mode: 0o700 })
  const { store, seconds, perSecond, seed, show = () => {} } = plan
  const broker = await startBroker(plan)
  const running = new Running({ deployment: deployments[store], folder, variables: variablesFor(store, broker), show })
  plan.teardown?.(() => running.dispose())
  try {
    await running.up()
    const customers = new Customers(running, chance(seed), Object.keys(initial), perSecond)
    const kills = await killAll(running, broker, chance(seed + 1), plan)
    await customers.stop()
    const { accepted, failed } = customers
    const from = performance.now()
    await settled(() => isSettled(accepted, written(join(folder, 'data'))), seconds)
    const settledMs = performance.now() - from
    const shelves = (await running.act('role:stock,cmd:count', 10_000)) as Shelf[]
    const { subscriptions } = await (await running.control()).store.report()
    const deadLetters = subscriptions.reduce((all, { dead }) => all + dead, 0)
    await running.end()
    const at = written(join(folder, 'data'))
    const paid = at.steps.filter(({ step }) => step === 'paid').length
    const broken = brokenIn({ ...at, accepted, shelves, deadLetters }, initial)
    return { orders: accepted.length, paid, refused: accepted.length - paid, kills, failed, settledMs, broken }
  } finally {
    running.dispose()
    await broker?.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

function startBroker({ store, teardown }: Plan): Promise<Broker> | undefined {
  if (store === 'embedded') return undefined
  const test = teardown && { teardown }
  return store === 'nats' ? startNats(test) : startRabbit(test)
}

function variablesFor(store: Store, broker: Broker | undefined): { readonly [name: string]: string } {
  if (broker === undefined) return {}
  return { [store === 'nats' ? 'LUCILIUS_NATS_URL' : 'LUCILIUS_AMQP_URL']: broker.url }
}

/** A kill at each interval: every process once in an order of its own, the broker, and everything, round for round. */
async function killAll(running: Running, broker: Broker | undefined, next: Chance, { seconds, everyMs }: Plan) {
  const kills = new Map<string, number>()
  const end = performance.now() + seconds * 1000
  let round: string[] = []
  for (;;) {
    await pause(everyMs * (0.5 + next()))
    if (performance.now() > end && kills.size >= LEAST_KILLED) return kills
    if (round.length === 0) round = shuffled([...running.ids, ALL, ...(broker === undefined ? [] : [BROKER])], next)
    const target = round.pop() as string // there are processes
    kills.set(target, (kills.get(target) ?? 0) + 1)
    if (target === ALL) await running.killAll()
    else if (target !== BROKER) running.kill(target)
    else {
      await broker?.kill()
      await pause(next() * 1000)
      await broker?.restart()
    }
  }
}

async function settled(isSo: () => boolean, seconds: number): Promise<void> {
  const end = performance.now() + SETTLE_MS
  while (!isSo()) {
    if (performance.now() > end)
      throw new Error(`${SETTLE_MS / 1000} s after ${seconds} s of kills orders are still open`)
    await pause(50)
  }
}
