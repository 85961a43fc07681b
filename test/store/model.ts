import assert from 'node:assert/strict'
import type { Failure, StoreDelivery, StoredEvent } from '../../lib/store.js'
import { served } from './inbox.js'
import { sample, soon, subscription } from './sample.js'
import { hostOf, type Opened, type Place, type StoreStage } from './stage.js'
import { failure } from './verdicts.js'

/** Something that happens to a store. */
export type Step =
  | { kind: 'append'; role: number; key: number; retain: boolean; durable: boolean; again: boolean }
  | { kind: 'serve'; name: number; concurrency: number }
  | { kind: 'stop' | 'remove'; name: number }
  | { kind: 'end'; name: number; verdict: 'done' | 'again' | 'dead' | 'back' }
  | { kind: 'replay' | 'drop'; at: number }
  | { kind: 'close' | 'crash' }

/** An event that a subscription has yet to handle. */
interface Waiting {
  readonly event: StoredEvent
  /** How often it was ended without an end, and how often it may have been delivered beyond that. */
  attempts: number
  spare: number
  failures: Failure[]
  /** Its place among what was stored; what is replayed stands last. */
  readonly order: number
}

interface Known {
  readonly waiting: Map<string, Waiting>
  inbox: Awaited<ReturnType<typeof served>> | undefined
  /** What came and was not ended. */
  held: Map<string, StoreDelivery>
  /** The order of what came last, where that matters. */
  last: number
}

interface Dead {
  readonly name: string
  readonly event: StoredEvent
  readonly failures: readonly Failure[]
}

const patterns = ['role:r0', 'role:r?', 'event:created'] as const
const names = ['shop.zero', 'shop.one', 'shop.ordered'] as const
const ordered = 2

/** What a store should do, beside one that does it: throws where they part. */
export class StoreModel {
  readonly #stage: StoreStage
  readonly #place: Place
  readonly #known = new Map<number, Known>()
  readonly #retained = new Map<string, StoredEvent>()
  #dead: Dead[] = []
  #last: StoredEvent | undefined
  #stored = 0
  #instance: Opened | undefined

  constructor(stage: StoreStage, place: Place) {
    this.#stage = stage
    this.#place = place
  }

  async take(step: Step): Promise<void> {
    if (step.kind === 'append') return this.#append(step)
    if (step.kind === 'serve') return this.#serve(step.name, step.concurrency)
    if (step.kind === 'stop') return this.#stop(step.name)
    if (step.kind === 'remove') return this.#remove(step.name)
    if (step.kind === 'end') return this.#end(step.name, step.verdict)
    if (step.kind === 'replay' || step.kind === 'drop') return this.#letter(step.kind, step.at)
    return this.#leave(step.kind)
  }

  /** Handles all that waits, and compares what is left. */
  async finish(): Promise<void> {
    for (const [name, known] of this.#known) {
      await this.#serve(name, 3)
      while (known.waiting.size > 0) await this.#end(name, 'done')
    }
    const store = await this.#store()
    await this.#comparesDead()
    assert.deepEqual(await store.retained(() => true), [...this.#retained.values()])
    const end = performance.now() + 5000
    for (;;) {
      const { subscriptions } = await store.admin.report()
      const found = subscriptions.map(({ name, waiting, dead }) => ({ name, waiting, dead })).toSorted(byName)
      const expected = [...this.#known.keys()].map((name) => this.#row(name)).toSorted(byName)
      if (JSON.stringify(found) === JSON.stringify(expected)) break
      if (performance.now() > end) assert.deepEqual(found, expected)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    for (const { held } of this.#known.values()) assert.equal(held.size, 0, 'nothing came that was not expected')
  }

  async close(): Promise<void> {
    await this.#instance?.store.close()
    this.#instance = undefined
  }

  async #append({ role, key, retain, durable, again }: Step & { kind: 'append' }): Promise<void> {
    const store = await this.#store()
    if (again && this.#last !== undefined) return store.append(this.#last, soon())
    const n = this.#stored++
    const event = sample(n, {
      message: { role: `r${role}`, event: 'created', n },
      declared: 'event:created',
      key: `key ${key}`,
      retain,
      durable: durable || !retain,
    })
    await store.append(event, soon())
    this.#last = event
    if (event.retain) {
      this.#retained.delete(event.key)
      this.#retained.set(event.key, event)
    }
    if (!event.durable) return
    for (const [name, known] of this.#known) if (matches(name, event)) this.#waits(known, event)
  }

  #waits(known: Known, event: StoredEvent): void {
    known.waiting.set(event.id, { event, attempts: 0, spare: 0, failures: [], order: this.#stored })
    this.#stored++
  }

  async #serve(name: number, concurrency: number): Promise<void> {
    const store = await this.#store()
    const known = this.#known.get(name) ?? { waiting: new Map(), inbox: undefined, held: new Map(), last: -1 }
    this.#known.set(name, known)
    if (known.inbox !== undefined) return
    const wish = { name: nameOf(name), pattern: patternOf(name), ordered: name === ordered, concurrency }
    known.last = -1
    known.inbox = await served(store, subscription(wish))
  }

  async #stop(name: number): Promise<void> {
    const known = this.#known.get(name)
    if (known?.inbox === undefined) return
    const { inbox } = known
    known.inbox = undefined
    await inbox.service.stop()
    while (inbox.waiting > 0) this.#holds(name, known, await inbox.next())
    for (const [id, delivery] of known.held) {
      await delivery.end({ kind: 'back' })
      this.#isCounted(known.waiting.get(id))
    }
    known.held.clear()
  }

  async #remove(name: number): Promise<void> {
    await this.#stop(name)
    const store = await this.#store()
    assert.equal(await store.admin.removeSubscription(nameOf(name)), this.#known.delete(name))
    this.#dead = this.#dead.filter((letter) => letter.name !== nameOf(name))
  }

  async #end(name: number, kind: 'done' | 'again' | 'dead' | 'back'): Promise<void> {
    const known = this.#known.get(name)
    if (known?.inbox === undefined || known.waiting.size === 0) return
    if (name === ordered && (kind === 'again' || kind === 'back')) return // the core does neither while it serves
    if (known.held.size === 0 || known.inbox.waiting > 0) {
      this.#holds(name, known, await known.inbox.next(this.#stage.recoversMs + 5000))
    }
    const [id, delivery] = [...known.held][0] as [string, StoreDelivery] // one was just put there
    const waiting = known.waiting.get(id) as Waiting // as #holds has seen
    known.held.delete(id)
    const failed = failure(delivery.attempt)
    if (kind === 'back') {
      this.#isCounted(waiting)
      return delivery.end({ kind })
    }
    if (kind === 'again') {
      waiting.attempts++
      waiting.failures = [...waiting.failures, failed]
      return delivery.end({ kind, afterMs: 5, failure: failed })
    }
    known.waiting.delete(id)
    if (kind === 'done') return delivery.end({ kind })
    const failures = [...delivery.failures, failed]
    this.#dead.push({ name: nameOf(name), event: waiting.event, failures })
    return delivery.end({ kind, failures })
  }

  /** A delivery came: it must be one that waits, in its turn, and tell its history. */
  #holds(name: number, known: Known, delivery: StoreDelivery): void {
    const { event, attempt, failures } = delivery
    const waiting = known.waiting.get(event.id)
    assert.ok(waiting !== undefined, `${nameOf(name)}: ${event.id} came, and does not wait`)
    assert.ok(!known.held.has(event.id), `${nameOf(name)}: ${event.id} came while it is under way`)
    assert.deepEqual(event, waiting.event)
    assert.deepEqual(failures, waiting.failures)
    const least = waiting.attempts + 1
    assert.ok(attempt >= least && attempt <= least + waiting.spare, `attempt ${attempt}, not ${least} or a little more`)
    if (name === ordered) {
      assert.ok(waiting.order > known.last, `${event.id} came out of order`)
      known.last = waiting.order
    }
    known.held.set(event.id, delivery)
  }

  /** It was under way without being ended: that may count, or not. */
  #isCounted(waiting: Waiting | undefined): void {
    if (waiting !== undefined) waiting.spare++
  }

  async #letter(kind: 'replay' | 'drop', at: number): Promise<void> {
    const store = await this.#store()
    const listed = await this.#comparesDead()
    const letter = listed[at]
    if (letter === undefined) return
    assert.equal(await store.admin[kind](letter.id), true)
    const [dead] = this.#dead.splice(
      this.#dead.findIndex((one) => isOf(one, letter)),
      1,
    )
    const known = this.#known.get(names.indexOf(letter.subscription as (typeof names)[number]))
    if (kind === 'replay' && dead !== undefined && known !== undefined) this.#waits(known, dead.event)
  }

  async #comparesDead() {
    const store = await this.#store()
    const listed = await store.admin.deadLetters({ limit: 1000 })
    const plain = listed.map(({ subscription: name, event, failures }) => ({ name, event, failures }))
    assert.deepEqual(plain.toSorted(byId), this.#dead.toSorted(byId))
    return listed
  }

  async #leave(how: 'close' | 'crash'): Promise<void> {
    const instance = this.#instance
    if (instance === undefined) return
    this.#instance = undefined
    if (how === 'close') await instance.store.close()
    else await instance.crash()
    for (const known of this.#known.values()) {
      known.inbox = undefined
      known.held.clear()
      for (const waiting of known.waiting.values()) waiting.spare++
    }
  }

  #row(name: number) {
    const dead = this.#dead.filter((letter) => letter.name === nameOf(name)).length
    return { name: nameOf(name), waiting: this.#known.get(name)?.waiting.size, dead }
  }

  async #store() {
    this.#instance ??= await this.#place.open(hostOf())
    return this.#instance.store
  }
}

const nameOf = (name: number) => names[name] as string // names are 0 to 2
const patternOf = (name: number) => patterns[name] as string // so are patterns
const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1)
const byId = (a: Dead, b: Dead) => (`${a.event.id} ${a.name}` < `${b.event.id} ${b.name}` ? -1 : 1)
const isOf = (dead: Dead, letter: { subscription: string; event: StoredEvent }) =>
  dead.name === letter.subscription && dead.event.id === letter.event.id
const matches = (name: number, event: StoredEvent) => subscription({ pattern: patternOf(name) }).matches(event.message)
