import type { DeadLetter, Failure, StoredEvent } from '../../lib/transport-kit.js'
import type { Batch } from './batch.js'
import type { Entry } from './entry.js'
import { nextNumber } from './kept-events.js'
import { below, type Database, deadKey, digits, lastPart } from './keys.js'

/** A dead letter as it lies in the database. */
interface Kept {
  readonly at: number
  readonly failures: readonly Failure[]
  readonly event: StoredEvent
}

/** Which dead letters are asked for. */
export interface Wish {
  readonly subscription?: string
  readonly limit: number
  readonly after?: string
}

/** Adds one, with the event in it. */
export function addDeadLetter(
  batch: Batch,
  name: string,
  { text }: Pick<Entry, 'text'>,
  failures: readonly Failure[],
): void {
  const head = JSON.stringify({ at: Date.now(), failures })
  batch.put(deadKey(nextNumber(batch), name), `${head.slice(0, -1)},"event":${text}}`)
}

/** Oldest first. */
export async function listDeadLetters(database: Database, { subscription, limit, after }: Wish): Promise<DeadLetter[]> {
  const { gt, lt } = below('dead')
  const from = after === undefined ? gt : after === '' || !isId(after) ? lt : below('dead', digits(Number(after))).lt
  const found: DeadLetter[] = []
  if (limit <= 0) return found
  for await (const [key, value] of database.iterator({ gt: from, lt })) {
    if (subscription !== undefined && lastPart(key) !== subscription) continue
    if (found.push(toDeadLetter(key, value)) >= limit) break
  }
  return found
}

/** The key of a dead letter and the letter, if there is one of this id. */
export async function findDeadLetter(database: Database, id: string): Promise<[string, DeadLetter] | undefined> {
  if (!isId(id)) return undefined
  const [row] = await database.iterator({ ...below('dead', digits(Number(id))), limit: 1 }).all()
  return row === undefined ? undefined : [row[0], toDeadLetter(...row)]
}

function toDeadLetter(key: string, value: string): DeadLetter {
  const { at, failures, event } = JSON.parse(value) as Kept // we wrote it
  const id = String(Number(key.split('!')[1]))
  return { id, subscription: lastPart(key), event, at, failures }
}

/** The number of a dead letter. */
function isId(id: string): boolean {
  return /^[1-9]\d{0,15}$/.test(id)
}
