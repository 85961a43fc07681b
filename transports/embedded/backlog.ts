import type { Batch } from './batch.js'
import { type Entry, historyText, readHistory, untouched } from './entry.js'
import { below, type Database, delayedKey, digits, eventKey, lastPart, readyKey } from './keys.js'

/** Where an event lies that is not in memory yet. */
type Place = Omit<Entry, 'text'>

/**
 * What lies in the database for one subscription and is not in memory yet: what was under way when the process ended,
 * what is to be delivered again by now, and what nobody was given so far. Read a little at a time.
 */
export class Backlog {
  readonly #database: Database
  readonly #name: string
  /** What was under way when the process ended, once it was looked up. */
  #recovered: Place[] | undefined
  /** Up to where the ready ones were read: they are put in the order of their numbers. */
  #readTo = 0
  /** Whether there may be more of them; how many are being written and cannot be seen yet. */
  #hasReady = true
  #landing = 0
  /** The delayed ones that are in memory, and lie in the database still. */
  readonly #taken = new Set<string>()
  /** Before that none of the others is due. */
  #dueAt = 0
  #isDueFirst = false

  constructor(database: Database, name: string) {
    this.#database = database
    this.#name = name
  }

  /** When the next one is due again, in ms since the epoch. */
  get dueAt(): number {
    return this.#dueAt
  }

  /** Whether everything that nobody was given so far is in memory. */
  get isRead(): boolean {
    return this.#recovered?.length === 0 && !this.#hasReady && this.#landing === 0
  }

  /** Whether there may be something to be read by now. */
  hasMore(now: number): boolean {
    return this.#recovered?.length !== 0 || this.#hasReady || this.#dueAt <= now
  }

  /** An event was stored that cannot be delivered at once. */
  add(batch: Batch, number: number): void {
    batch.put(readyKey(this.#name, number), '')
    this.#landing++
    batch.onceWritten(() => {
      this.#hasReady = true
      this.#landing--
    })
  }

  /** An event was stored that is delivered at once, without a stay here. */
  skip(number: number): void {
    this.#readTo = number
  }

  /** It is to be delivered again, after so many ms. */
  delay(batch: Batch, { number, history }: Entry, afterMs: number): void {
    const dueAt = Math.ceil(Date.now() + afterMs)
    batch.put(delayedKey(this.#name, dueAt, number), historyText(history))
    batch.onceWritten(() => {
      this.#dueAt = Math.min(this.#dueAt, dueAt)
    })
  }

  /** It is somewhere else from now on. */
  leave(batch: Batch, home: string): void {
    batch.delete(home)
    batch.onceWritten(() => this.#taken.delete(home))
  }

  /** Reads up to so many. What is due and what is new take turns in being first. To be awaited before the next call. */
  async read(limit: number): Promise<Entry[]> {
    const places = await this.#readRecovered(limit)
    this.#isDueFirst = !this.#isDueFirst
    if (this.#isDueFirst) places.push(...(await this.#readDue(limit - places.length)))
    places.push(...(await this.#readReady(limit - places.length)))
    if (!this.#isDueFirst) places.push(...(await this.#readDue(limit - places.length)))
    const texts = await this.#database.getMany(places.map(({ number }) => eventKey(number)))
    return places.map((place, at) => ({ ...place, text: texts[at] ?? lost(place) }))
  }

  async #readRecovered(limit: number): Promise<Place[]> {
    this.#recovered ??= (await this.#database.iterator(below('running', this.#name)).all()).map(toPlace)
    return this.#recovered.splice(0, limit)
  }

  async #readReady(limit: number): Promise<Place[]> {
    if (limit <= 0 || !this.#hasReady) return []
    const { lt } = below('ready', this.#name)
    this.#hasReady = false // what is written while we read sets it again
    const keys = await this.#database.keys({ gt: readyKey(this.#name, this.#readTo), lt, limit }).all()
    if (keys.length === limit) this.#hasReady = true
    const places = keys.map((home) => ({ home, number: Number(lastPart(home)), history: untouched }))
    this.#readTo = places.at(-1)?.number ?? this.#readTo
    return places
  }

  async #readDue(limit: number): Promise<Place[]> {
    const now = Date.now()
    if (limit <= 0 || this.#dueAt > now) return []
    const from = `delayed!${this.#name}!${digits(this.#dueAt)}`
    const { lt } = below('delayed', this.#name)
    // What is written while we read is not seen: it tells by itself when it is due. What is taken from memory meanwhile is.
    const taken = new Set(this.#taken)
    this.#dueAt = Number.POSITIVE_INFINITY
    const rows = await this.#database.iterator({ gt: from, lt, limit: limit + taken.size + 1 }).all()
    const places: Place[] = []
    for (const row of rows) {
      if (taken.has(row[0])) continue
      const dueAt = Number(row[0].split('!')[2])
      if (dueAt > now || places.length === limit) {
        this.#dueAt = Math.min(this.#dueAt, dueAt)
        break
      }
      this.#taken.add(row[0])
      places.push(toPlace(row))
    }
    return places
  }
}

function toPlace([home, text]: readonly [string, string]): Place {
  return { home, number: Number(lastPart(home)), history: readHistory(text) }
}

function lost({ home, number }: Place): never {
  throw new Error(`event ${number} is missing, which ${home} speaks of`)
}
