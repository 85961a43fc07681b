import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoredEvent, StoreReport } from '../../lib/transport-kit.js'
import { below, type Database, lastPart } from './keys.js'
import type { Queue } from './queue.js'

/** Counts what is in the database: nothing of that is in memory, for it would have to be read at each start. */
export async function reportOn(path: string, database: Database, queues: Iterable<Queue>): Promise<StoreReport> {
  const dead = new Map<string, number>()
  for await (const key of database.keys(below('dead'))) dead.set(lastPart(key), (dead.get(lastPart(key)) ?? 0) + 1)
  const subscriptions: StoreReport['subscriptions'][number][] = []
  for (const { name, row, running } of queues) {
    const { pattern, ordered } = row
    const waiting = await waitingFor(database, name)
    subscriptions.push({ name, pattern, ordered, waiting, running, dead: dead.get(name) ?? 0 })
  }
  const oldestAt = await oldestIn(database)
  return {
    store: `embedded ${path}`,
    events: await count(database, 'event'),
    bytes: await bytesOf(path),
    ...(oldestAt !== undefined && { oldestAt }),
    retained: await count(database, 'retained'),
    subscriptions,
  }
}

async function waitingFor(database: Database, name: string): Promise<number> {
  const [ready, running, delayed] = await Promise.all(
    ['ready', 'running', 'delayed'].map((home) => count(database, home, name)),
  )
  return (ready ?? 0) + (running ?? 0) + (delayed ?? 0)
}

async function count(database: Database, ...parts: readonly string[]): Promise<number> {
  let counted = 0
  for await (const _key of database.keys(below(...parts))) counted++
  return counted
}

async function oldestIn(database: Database): Promise<number | undefined> {
  const [text] = await database.values({ ...below('event'), limit: 1 }).all()
  return text === undefined ? undefined : (JSON.parse(text) as StoredEvent).at // we wrote it
}

/** What the files take, those included that LevelDB has yet to tidy up. */
async function bytesOf(path: string): Promise<number> {
  const sizes = (await readdir(path)).map(async (file) => {
    const found = await stat(join(path, file)).catch(() => undefined) // tidied up meanwhile
    return found?.size ?? 0
  })
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
}
