import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type App, lucilius } from '../../lib/index.js'
import type { EventStore } from '../../lib/transport-kit.js'
import type { Chance } from '../faults/chance.js'
import { type Broker, startNats, startRabbit } from '../support/brokers.js'
import { countsOf, type Outcome, outcomeOf } from './ledger.js'
import { EVENT, sink } from './sink.js'
import { type StoreKind, storeOf } from './store-of.js'

const worker = fileURLToPath(new URL('./worker.js', import.meta.url))
/** How long after the last fault everything may take to come to its end. */
const SETTLE_MS = 60_000

/** Kills the broker so many times while events are emitted, 64 at a time, and handled by one process. */
export async function brokerKilled(kind: 'nats' | 'amqp', events: number, kills: number): Promise<Outcome> {
  return within(async (folder) => {
    const broker = await (kind === 'nats' ? startNats() : startRabbit())
    const ledger = join(folder, 'ledger')
    const app = await started(await storeOf(kind, broker.url), ledger)
    try {
      const stored = new Set<number>()
      let failed = 0
      let next = 0
      const emit = async () => {
        while (next < events) {
          const n = next++
          await app.emit(EVENT, { n }, { id: `event-${n}` }).then(
            () => stored.add(n),
            () => failed++,
          )
        }
      }
      const emitting = Promise.all(Array.from({ length: 64 }, emit))
      // RabbitMQ 3.10 loses the quorum queue that was declared last if it is killed within a second of that.
      await sleep(kind === 'amqp' ? 1500 : 0)
      for (let kill = 1; kill <= kills; kill++) {
        await eventually(() => next >= (events * kill) / (kills + 1))
        await broker.kill()
        await broker.restart()
      }
      await emitting
      await settled(() => standsIn(ledger, stored))
      const what = `${kind}: broker killed`
      return outcomeOf({ what, uncertain: failed, dead: 0, kills }, stored, new Set(), countsOf(ledger))
    } finally {
      await app.close()
      await broker.end()
    }
  })
}

/** Whether each of the numbers stands in a ledger, which is read once. */
function standsIn(ledger: string, numbers: Iterable<number>): boolean {
  const counts = countsOf(ledger)
  return [...numbers].every((n) => counts.has(n))
}

/** Kills consumers at random while so many events a second are emitted; every 50th is planted to fail always. */
export async function consumersKilled(
  kind: 'nats' | 'amqp',
  seconds: number,
  chance: Chance,
  perSecond = 200,
): Promise<Outcome> {
  return within(async (folder) => {
    const broker: Broker = await (kind === 'nats' ? startNats() : startRabbit())
    const ledger = join(folder, 'ledger')
    const store = await storeOf(kind, broker.url)
    const source = lucilius({ name: 'source', store, parity: 'off' })
    const consumers: ChildProcess[] = []
    const starting = new Set<Promise<void>>()
    try {
      for (let i = 0; i < 3; i++) consumers.push(await spawned('sink', kind, broker.url, ledger, folder))
      source.event(EVENT, { durable: true })
      await source.ready()
      const stored = new Set<number>()
      const planted = new Set<number>()
      const emits: Promise<unknown>[] = []
      let n = 0
      let failed = 0
      let kills = 0
      const until = performance.now() + seconds * 1000
      let killAt = performance.now() + 500
      while (performance.now() < until) {
        for (let i = 0; i < perSecond / 20; i++) {
          const number = n++
          const isPlanted = number % 50 === 7
          if (isPlanted) planted.add(number)
          const message = isPlanted ? { n: number, planted: true } : { n: number }
          const note = () => void stored.add(number)
          emits.push(source.emit(EVENT, message, { id: `event-${number}` }).then(note, () => failed++))
        }
        if (performance.now() > killAt) {
          killAt = performance.now() + 500 + chance() * 1500
          const victim = Math.floor(chance() * consumers.length)
          // One that has only just been started in the place of another is left for the next time.
          const killed = consumers[victim]
          if (killed?.kill('SIGKILL') === true) {
            kills++
            starting.add(
              spawned('sink', kind, broker.url, ledger, folder).then((one) => {
                consumers[victim] = one
              }),
            )
          }
        }
        await sleep(50)
      }
      await Promise.all([...emits, ...starting])
      const admin = await adminOf(kind, broker.url)
      const isEnded = async () =>
        (await admin.waiting()) === 0 &&
        standsIn(
          ledger,
          [...stored].filter((n) => !planted.has(n)),
        )
      await settled(isEnded)
      const dead = await admin.dead()
      await admin.close()
      const what = `${kind}: consumers killed`
      return outcomeOf({ what, uncertain: failed, dead, kills }, stored, planted, countsOf(ledger))
    } finally {
      await Promise.allSettled(starting)
      for (const one of consumers) one.kill('SIGKILL')
      await source.close()
      await broker.end()
    }
  })
}

/** Kills the one process that emits and handles, over the embedded store, so many times until all is emitted. */
export async function processKilled(events: number, kills: number, chance: Chance): Promise<Outcome> {
  return within(async (folder) => {
    const ledger = join(folder, 'ledger')
    const stored = join(folder, 'stored')
    const at = join(folder, 'store')
    for (let kill = 0; kill < kills; kill++) {
      const child = await spawned('both', 'embedded', at, ledger, folder, countsOf(stored), events)
      const gone = exit(child)
      // Somewhere within what is left, but for a last part that the next ones need.
      const target = countsOf(stored).size + Math.ceil((events - countsOf(stored).size) * (0.1 + chance() * 0.2))
      await eventually(() => countsOf(stored).size >= target || child.exitCode !== null)
      child.kill('SIGKILL')
      await gone
    }
    const last = await spawned('both', 'embedded', at, ledger, folder, countsOf(stored), events)
    await settled(() => countsOf(stored).size === events && standsIn(ledger, countsOf(stored).keys()))
    const gone = exit(last)
    last.disconnect()
    await gone
    const what = 'embedded: process killed'
    return outcomeOf({ what, uncertain: 0, dead: 0, kills }, countsOf(stored).keys(), new Set(), countsOf(ledger))
  })
}

async function started(store: EventStore, ledger: string): Promise<App> {
  const app = lucilius({ name: 'faults', store, parity: 'off', timeoutMs: 60_000 })
  app.use({ name: 'sink', setup: sink(ledger) })
  app.event(EVENT, { durable: true })
  await app.ready()
  return app
}

/** What operators would see of the store. */
async function adminOf(kind: 'nats' | 'amqp', url: string) {
  const host = { name: 'admin', instance: 'admin', log: () => {}, signal: AbortSignal.timeout(10_000) }
  const store = await (await storeOf(kind, url)).openStore(host)
  const subscription = async () => (await store.admin.report()).subscriptions[0]
  return {
    waiting: async () => (await subscription())?.waiting,
    dead: async () => (await subscription())?.dead ?? 0,
    close: () => store.close(),
  }
}

async function spawned(
  role: 'sink' | 'both',
  kind: StoreKind,
  at: string,
  ledger: string,
  folder: string,
  done: ReadonlyMap<number, number> = new Map(),
  to = 0,
): Promise<ChildProcess> {
  const args = [role, kind, at, ledger, join(folder, 'stored'), String(firstMissing(done)), String(to)]
  const child = fork(worker, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve())
    child.once('exit', (code) => reject(new Error(`a worker ended with ${code}`)))
  })
  return child
}

/** Where emitting goes on: with the first number that is not noted as stored; those of the same id are filtered. */
function firstMissing(done: ReadonlyMap<number, number>): number {
  let n = 0
  while (done.has(n)) n++
  return n
}

function exit(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => child.once('exit', () => resolve()))
}

async function eventually(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(5)
}

async function settled(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + SETTLE_MS
  while (!(await isSo()) && performance.now() < end) await sleep(100)
}

async function within<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'lucilius-durable-'))
  try {
    return await run(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
