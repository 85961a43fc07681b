import { patternMatches } from '../covers.js'
import { LuciliusError } from '../errors.js'
import type { Message } from '../message.js'
import { DUPLICATES_MS, type OpenStore } from '../store.js'
import { backoffMs } from './backoff.js'
import type { Durable } from './durable.js'
import { SeenIds } from './seen-ids.js'
import { type Runner, Serving } from './serving.js'

/** The waits between attempts to make a subscription known that was added later. */
const AGAIN = { firstMs: 1000, maxMs: 30_000 }

/** How far the app is: what is added later joins at once. */
type Stage = 'loading' | 'known' | 'served' | 'open' | 'closed'

/** Has the open store do something, within a time limit. */
type Ask = <T>(question: (store: OpenStore) => Promise<T>) => Promise<T>

/** The durable subscriptions of one app. */
export class Durables {
  readonly #runner: Runner
  readonly #ask: Ask
  readonly #servings = new Map<string, Serving>()
  /** Those that take nothing more. */
  readonly #leaving = new Set<Serving>()
  /** What was handled, by name: who follows in a place knows what was done before. */
  readonly #seen = new Map<string, SeenIds>()
  /** Those that are about to be known. */
  readonly #joining = new Set<Promise<unknown>>()
  readonly #timers = new Set<NodeJS.Timeout>()
  /** Those of which an event was seen that was emitted without being stored. */
  readonly #warned = new Set<string>()
  #stage: Stage = 'loading'

  constructor(runner: Runner, ask: Ask) {
    this.#runner = runner
    this.#ask = ask
  }

  get size(): number {
    return this.#servings.size
  }

  all(): Durable[] {
    return [...this.#servings.values()].map(({ durable }) => durable)
  }

  /** Takes one in. Throws `LUC_OPTIONS_INVALID` if the name is taken. `join` has it served. */
  add(durable: Durable): void {
    const { name } = durable
    if (this.#servings.has(name)) throw nameTaken(durable)
    const seen = this.#seen.get(name) ?? new SeenIds(DUPLICATES_MS)
    this.#seen.set(name, seen)
    this.#servings.set(name, new Serving(durable, this.#runner, seen))
  }

  /** Takes one out. The store goes on to keep events for it. */
  remove(durable: Durable): void {
    const serving = this.#servings.get(durable.name)
    if (serving?.durable !== durable) return
    this.#servings.delete(durable.name)
    this.#leave(serving)
  }

  /** Stops taking events for some, which stay registered. Resolves when nothing new comes. */
  async pause(durables: Iterable<Durable>): Promise<void> {
    const servings = [...durables].map(({ name }) => this.#servings.get(name))
    await Promise.all(servings.map((serving) => serving?.stop()))
  }

  /** Has one served that came after the app had started. */
  join(durable: Durable): void {
    const serving = this.#servings.get(durable.name)
    if (serving === undefined || this.#stage === 'loading' || this.#stage === 'closed') return
    this.#attempt(serving, 1)
  }

  /** Makes all of them known. */
  async know(): Promise<void> {
    this.#stage = 'known'
    if (this.size === 0) return
    const servings = [...this.#servings.values()]
    await this.#ask((store) => Promise.all(servings.map((one) => store.know(one.subscription))))
  }

  /** Serves all of them; handlers wait for `go`. */
  async serve(): Promise<void> {
    this.#stage = 'served'
    if (this.size === 0) return
    const servings = [...this.#servings.values()]
    await this.#ask((store) => Promise.all(servings.map((one) => one.serve(store))))
  }

  /** Handlers may run. */
  go(): void {
    this.#stage = 'open'
    for (const serving of this.#servings.values()) serving.go()
  }

  /** Settles when those that have joined are known, as far as they can be; undefined if all are. */
  known(): Promise<unknown> | undefined {
    return this.#joining.size === 0 ? undefined : Promise.all(this.#joining)
  }

  /** An event is emitted that is not stored for them: told once of each that observes it. */
  warnOfUndeclared(message: Message): void {
    if (this.#warned.size >= this.#servings.size) return
    for (const [name, { durable }] of this.#servings) {
      if (this.#warned.has(name) || !patternMatches(durable.pattern, message)) continue
      this.#warned.add(name)
      durable.action.log.warn(
        { subscription: name, pattern: durable.pattern.text },
        'an event is emitted that a durable subscription observes, and is not stored for it: declare it with app.event(pattern, { durable: true }) where it is emitted',
      )
    }
  }

  /** Takes no more; what runs goes on. */
  drain(): void {
    this.#stage = 'closed'
    for (const timer of this.#timers) clearTimeout(timer)
    for (const serving of this.#servings.values()) this.#leave(serving)
  }

  /** Gives up what runs. */
  abort(): void {
    for (const serving of this.#leaving) serving.abort()
  }

  /** Resolves when nothing is under way any more in what takes no more. */
  async ended(): Promise<void> {
    await Promise.all([...this.#leaving].map((serving) => serving.ended()))
  }

  #attempt(serving: Serving, tries: number): void {
    const { name, action } = serving.durable
    const joining = this.#serve(serving)
      .catch((error) => {
        if (serving.isStopped) return
        const afterMs = backoffMs(tries, AGAIN)
        action.log.error({ subscription: name, afterMs, err: error }, 'a durable subscription is not served yet')
        this.#later(afterMs, () => this.#attempt(serving, tries + 1))
      })
      .finally(() => this.#joining.delete(joining))
    this.#joining.add(joining)
  }

  async #serve(serving: Serving): Promise<void> {
    for (const one of this.#leaving) if (one.durable.name === serving.durable.name) await one.stop()
    await this.#ask((store) => store.know(serving.subscription))
    if (this.#stage === 'known' || this.#stage === 'closed') return
    await this.#ask((store) => serving.serve(store))
    if (this.#stage === 'open') serving.go()
  }

  #later(afterMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      work()
    }, afterMs)
    this.#timers.add(timer)
  }

  #leave(serving: Serving): void {
    this.#leaving.add(serving)
    void serving.ended().then(() => this.#leaving.delete(serving))
  }
}

/** The error for a second subscription of one name. */
export function nameTaken({ pattern, service, durable }: Durable): LuciliusError {
  return new LuciliusError(
    'LUC_OPTIONS_INVALID',
    `on '${pattern.text}': '${service}' has a durable subscription '${durable}' already: choose another name.`,
  )
}
