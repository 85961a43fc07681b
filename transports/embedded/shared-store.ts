import { encodeStoredEvent, type Message, type StoreAdmin, type StoredEvent } from '../../lib/transport-kit.js'
import type { Batch } from './batch.js'
import { findDeadLetter, listDeadLetters } from './dead-letters.js'
import { type Disk, openDisk } from './disk.js'
import { type Folder, openFolder } from './folder.js'
import { keepEvent, nextNumber } from './kept-events.js'
import type { Queue } from './queue.js'
import { reportOn } from './report.js'
import { retain, retainedIn } from './retained.js'
import { SeenIds } from './seen-ids.js'
import { Subscriptions } from './subscriptions.js'
import type { Writer } from './writer.js'

/** What {@link embedded} was told, checked. */
export interface Settings {
  /** Absolute. */
  readonly path: string
  readonly sync: boolean
  readonly duplicatesMs: number
}

/** Tells what nobody else would hear of. */
export type Log = (level: 'error', facts: object, text: string) => void

/** The store in a folder, open once, for all instances of this process. */
export class SharedStore {
  readonly subscriptions: Subscriptions
  readonly admin: StoreAdmin
  readonly #settings: Settings
  readonly #folder: Folder
  readonly #disk: Disk
  readonly #writer: Writer
  readonly #seen: SeenIds

  private constructor(
    settings: Settings,
    folder: Folder,
    parts: { readonly disk: Disk; readonly seen: SeenIds; readonly subscriptions: Subscriptions },
  ) {
    this.#settings = settings
    this.#folder = folder
    this.#disk = parts.disk
    this.#writer = parts.disk.writer
    this.#seen = parts.seen
    this.subscriptions = parts.subscriptions
    this.admin = this.#makeAdmin()
  }

  static async open(settings: Settings, name: string, log: Log): Promise<SharedStore> {
    const { path, duplicatesMs } = settings
    const folder = await openFolder(path, name)
    const { database, losses } = folder
    if (losses.length > 0) log('error', { path, losses }, 'parts of the store were damaged and are lost')
    let disk: Disk | undefined
    try {
      disk = await openDisk(path, folder, (error) => log('error', { path, err: error }, 'the store failed'))
      const seen = await SeenIds.open(database, duplicatesMs)
      const subscriptions = await Subscriptions.open(disk)
      return new SharedStore(settings, folder, { disk, seen, subscriptions })
    } catch (error) {
      disk?.ends.close(false)
      await folder.close()
      throw error
    }
  }

  /** Stores an event for every subscription that is known by now. */
  append(event: StoredEvent, signal: AbortSignal): Promise<void> {
    const text = encodeStoredEvent(event)
    return this.#writer.write((batch) => this.#add(batch, event, text), { sync: this.#settings.sync, signal })
  }

  retained(matches: (message: Message) => boolean): Promise<StoredEvent[]> {
    return retainedIn(this.#folder.database, matches)
  }

  async close(): Promise<void> {
    this.subscriptions.close()
    await this.#writer.idle()
    await this.#seen.idle()
    this.#disk.ends.close(!this.#writer.hasFailed)
    await this.#folder.close()
  }

  #add(batch: Batch, event: StoredEvent, text: string): void {
    if (!this.#seen.isNew(batch, event.id, Date.now())) return
    const queues = event.durable ? [...this.subscriptions.all()].filter((queue) => queue.matches(event.message)) : []
    if (queues.length === 0 && !event.retain) return
    const number = nextNumber(batch)
    if (event.retain) retain(batch, number, event, text)
    this.#give(batch, number, text, queues)
  }

  #give(batch: Batch, number: number, text: string, queues: readonly Queue[]): void {
    if (queues.length === 0) return
    keepEvent(batch, number, text, queues.length)
    for (const queue of queues) queue.accept(batch, number, text)
  }

  #makeAdmin(): StoreAdmin {
    const { database } = this.#folder
    return {
      report: () => reportOn(this.#settings.path, database, this.subscriptions.all()),
      deadLetters: (wish) => listDeadLetters(database, wish),
      deadLetter: async (id) => (await findDeadLetter(database, id))?.[1],
      replay: (id) => this.#takeDeadLetter(id, true),
      drop: (id) => this.#takeDeadLetter(id, false),
      removeSubscription: (name) => this.subscriptions.remove(name),
    }
  }

  async #takeDeadLetter(id: string, isReplayed: boolean): Promise<boolean> {
    const found = await findDeadLetter(this.#folder.database, id)
    if (found === undefined) return false
    const [key, { subscription, event }] = found
    let isThere = false
    const fill = (batch: Batch) => {
      isThere = batch.get(key) !== undefined // nobody else was faster
      const queue = this.subscriptions.get(subscription)
      if (!isThere) return
      batch.delete(key)
      if (isReplayed && queue !== undefined) this.#give(batch, nextNumber(batch), encodeStoredEvent(event), [queue])
    }
    await this.#writer.write(fill, { sync: this.#settings.sync })
    return isThere
  }
}
