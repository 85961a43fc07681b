import { decodeJson } from '../../wire-json.js'
import { addressProblem, directSchemes } from '../checks/address.js'
import { fieldOf, notEtcd, textOf, toBase64 } from './etcd-answer.js'
import type { EtcdClient } from './etcd-client.js'

/** How many entries of a group are read at most. */
const MOST = 10_000

/** How long a look is, in ms, that leads to the next one at once. */
const LONG_MS = 1000

/** What is told of a view. */
export interface Viewer {
  /** All addresses, after a change or a look at everything, and those that were written in the meantime. */
  found(urls: readonly string[], fresh: readonly string[]): void
  /** All keys that are there, after a change or a look at everything, unless there are too many to know them all. */
  seen(keys: ReadonlySet<string>): void
}

/**
 * The entries of a group, `lucilius/<space>/<group>/<instance>`, as they come and go. Each group is read by itself: what
 * stands in the place of one cannot hide another.
 */
export class EtcdView {
  readonly #client: EtcdClient
  readonly #prefix: string
  readonly #viewer: Viewer
  /** The addresses by key, as long as they are watched. */
  #urls = new Map<string, string>()
  /** Up to which revision they are known; undefined if they have to be read. */
  #revision: string | undefined

  constructor(client: EtcdClient, space: string, group: string, viewer: Viewer) {
    this.#client = client
    this.#prefix = `lucilius/${space}/${group}/`
    this.#viewer = viewer
  }

  /**
   * Reads all entries, or watches them if they were read. Watching ends after a while without news, and is no reason to
   * reject: all of them are read again then. Gives the milliseconds until the next look.
   */
  async look(idleMs: number, signal: AbortSignal): Promise<number> {
    const revision = this.#revision
    if (revision === undefined) {
      await this.#read(signal)
      return 0
    }
    this.#revision = undefined
    const began = performance.now()
    await this.#watch(revision, idleMs, signal).catch(() => {}) // reading will tell what is wrong
    return performance.now() - began > LONG_MS ? 0 : LONG_MS
  }

  async #read(signal: AbortSignal): Promise<void> {
    const answer = await this.#client.ask('/v3/kv/range', { ...this.#range(), limit: String(MOST) }, signal)
    this.#revision = revisionOf(answer)
    const before = this.#urls
    this.#urls = new Map()
    for (const entry of listOf(fieldOf(answer, 'kvs'))) this.#put(entry)
    this.#tell([...this.#urls].flatMap(([key, url]) => (before.get(key) === url ? [] : [url])))
  }

  async #watch(revision: string, idleMs: number, signal: AbortSignal): Promise<void> {
    const from = { ...this.#range(), start_revision: String(BigInt(revision) + 1n) }
    for await (const line of this.#client.stream('/v3/watch', { create_request: from }, idleMs, signal)) {
      const result = fieldOf(line, 'result')
      if (result === undefined || fieldOf(result, 'canceled') === true) return
      const events = listOf(fieldOf(result, 'events'))
      const fresh = events.flatMap((event) => this.#change(event) ?? [])
      if (events.length > 0) this.#tell(fresh)
    }
  }

  /** Gives the address that was written, if that is what has happened. */
  #change(event: unknown): string | undefined {
    const entry = fieldOf(event, 'kv')
    if (fieldOf(event, 'type') !== 'DELETE') return this.#put(entry)
    this.#urls.delete(textOf(fieldOf(entry, 'key')))
    return undefined
  }

  #put(entry: unknown): string | undefined {
    const key = textOf(fieldOf(entry, 'key'))
    if (!key.startsWith(this.#prefix)) return undefined
    const url = urlIn(textOf(fieldOf(entry, 'value')))
    if (url === undefined) this.#urls.delete(key)
    else if (this.#urls.size < MOST || this.#urls.has(key)) this.#urls.set(key, url)
    return url
  }

  #tell(fresh: readonly string[]): void {
    this.#viewer.found([...new Set(this.#urls.values())], fresh)
    if (this.#urls.size < MOST) this.#viewer.seen(new Set(this.#urls.keys()))
  }

  /** All keys that begin with the prefix: up to the one after it. */
  #range() {
    return { key: toBase64(this.#prefix), range_end: toBase64(`${this.#prefix.slice(0, -1)}0`) }
  }
}

function revisionOf(answer: unknown): string {
  const revision = fieldOf(fieldOf(answer, 'header'), 'revision')
  if (typeof revision === 'string' && /^\d{1,19}$/.test(revision)) return revision
  throw notEtcd('says no revision')
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

/** Who writes into a registry may write anything. */
function urlIn(value: string): string | undefined {
  try {
    const url = fieldOf(decodeJson(value), 'url')
    return typeof url === 'string' && addressProblem(url, directSchemes) === undefined ? url : undefined
  } catch {
    return undefined
  }
}
