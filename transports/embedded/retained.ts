import type { Message, StoredEvent } from '../../lib/transport-kit.js'
import type { Batch } from './batch.js'
import { below, type Database, retainedKey } from './keys.js'

/** Keeps an event in place of the last one of its declaration and key. */
export function retain(batch: Batch, number: number, { declared, key }: StoredEvent, text: string): void {
  batch.put(retainedKey(declared, key), `{"number":${number},"event":${text}}`)
}

/** Those that `matches` lets through, in the order in which they were stored. */
export async function retainedIn(database: Database, matches: (message: Message) => boolean): Promise<StoredEvent[]> {
  const found: { readonly number: number; readonly event: StoredEvent }[] = []
  for await (const text of database.values(below('retained'))) {
    const kept = JSON.parse(text) as (typeof found)[number] // we wrote it
    if (matches(kept.event.message)) found.push(kept)
  }
  return found.sort((a, b) => a.number - b.number).map(({ event }) => event)
}
