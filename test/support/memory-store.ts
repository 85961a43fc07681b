import { LuciliusError } from '../../lib/errors.js'
import type { Message } from '../../lib/message.js'
import {
  type DeadLetter,
  DUPLICATES_MS,
  type DurableSubscription,
  type EventStore,
  type Failure,
  type OpenStore,
  type StoreAdmin,
  type StoreDelivery,
  type StoredEvent,
  type StoreHost,
  type Verdict,
} from '../../lib/store.js'

/** What a {@link MemoryStore} can be told to do to those who use it. Each is asked once for each occasion. */
export interface Mischief {
  /** The store says nothing of a delivery for so long that it takes it for lost, and delivers it once more beside it. */
  deliverTwice?(event: StoredEvent, subscription: string): boolean
  /** An end never arrives: the event is delivered again, as if it had not been handled. */
  loseEnd?(event: StoredEvent, verdict: Verdict, subscription: string): boolean
  /** `before`: the event is not stored. `after`: it is, and the emitter does not hear of it. */
  failAppend?(event: StoredEvent): 'before' | 'after' | undefined
  /** Milliseconds until an append or a question is answered, or an end has arrived. 0: in a later turn. */
  delayMs?(): number
}

/** An event on its way to one subscription. */
interface Item {
  readonly event: StoredEvent
  attempt: number
  firstAt: number | undefined
  failures: readonly Failure[]
  /** Who has it; undefined while it waits. */
  holder: Server | undefined
  /** Which of its deliveries counts: what was ended before by another is over. */
  token: object | undefined
  /** It may not be delivered before, ms since the epoch. */
  dueAt: number
}

/** An instance that serves a subscription. */
interface Server {
  readonly handle: Handle
  readonly subscription: DurableSubscription
  readonly deliver: (delivery: StoreDelivery) => void
  stopped: boolean
  /** It has been told that nothing comes any more. */
  hasLeft: boolean
  running: number
}

interface Known {
  readonly name: string
  pattern: string
  ordered: boolean
  matches: (message: Message) => boolean
  /** In the order in which they were stored. */
  items: Item[]
  servers: Server[]
  /** The one that gets what is in order. */
  leader: Server | undefined
  turn: number
}

/** An instance that has the store open. */
class Handle {
  readonly host: StoreHost
  readonly store: OpenStore
  isGone = false
  isDead = false
  readonly #crash: () => void

  constructor(host: StoreHost, store: OpenStore, crash: () => void) {
    this.host = host
    this.store = store
    this.#crash = crash
  }

  /** Ends it as the death of its process would: what it says from now on nobody hears, what it had goes to others. */
  crash(): void {
    this.isDead = true
    this.#crash()
  }
}

/**
 * A store in memory that keeps the contract of lib/store.ts to the letter, and may be told to do whatever that allows.
 * Several apps of a test share it as processes share a broker.
 */
export class MemoryStore implements EventStore {
  readonly name = 'memory'
  /** Who has opened it, in order. */
  readonly handles: Handle[] = []
  /** What was stored, in order. */
  readonly events: StoredEvent[] = []
  readonly dead: DeadLetter[] = []
  /** Every end that arrived: event, subscription and kind. */
  readonly ends: { readonly id: string; readonly subscription: string; readonly kind: Verdict['kind'] }[] = []
  /** What those who use it did that they must not. */
  readonly complaints: string[] = []
  /** How often it was told that a delivery is still at work. */
  extended = 0
  mischief: Mischief
  /** While set, opening fails with it; `wait` waits until the signal aborts. */
  refusal: 'fail' | 'wait' | undefined
  readonly #known = new Map<string, Known>()
  readonly #retained = new Map<string, StoredEvent>()
  readonly #ids = new Map<string, number>()
  #letters = 0

  constructor(mischief: Mischief = {}) {
    this.mischief = mischief
  }

  get subscriptions(): string[] {
    return [...this.#known.keys()]
  }

  /** What has yet to be ended for a subscription. */
  waiting(name: string): StoredEvent[] {
    return (this.#known.get(name)?.items ?? []).map(({ event }) => event)
  }

  async openStore(host: StoreHost): Promise<OpenStore> {
    if (this.refusal === 'fail') throw failed('memory://here cannot be reached', 'no')
    if (this.refusal === 'wait') {
      await new Promise<void>((resolve) => {
        host.signal.addEventListener('abort', () => resolve())
        if (host.signal.aborted) resolve()
      })
      throw failed('memory://here could not be reached in time', 'no')
    }
    const servers = new Set<Server>()
    const leave = () => {
      handle.isGone = true
      for (const server of servers) this.#leave(server, true)
    }
    const check = () => {
      if (handle.isGone) throw failed('the store is closed', 'no')
    }
    const store: OpenStore = {
      append: async (event, signal) => {
        check()
        await this.#append(copy(event), signal, handle)
      },
      know: async (subscription) => {
        check()
        await this.#later()
        this.#know(subscription)
      },
      serve: async (subscription, deliver) => {
        check()
        const known = this.#know(subscription)
        if (known.servers.some((one) => one.handle === handle && !one.hasLeft)) {
          this.complaints.push(`an instance serves '${known.name}' twice at once`)
        }
        const server: Server = { handle, subscription, deliver, stopped: false, hasLeft: false, running: 0 }
        servers.add(server)
        known.servers.push(server)
        this.#pumpSoon(known)
        return {
          stop: async () => {
            this.#leave(server, false)
            await this.#later()
            await this.#later()
            server.hasLeft = true
          },
        }
      },
      retained: async (matches) => {
        check()
        const events = [...this.#retained.values()].filter(({ message }) => matches(message)).map(copy)
        await this.#later()
        return events
      },
      admin: this.#admin(),
      close: async () => leave(),
    }
    const handle = new Handle(host, store, leave)
    this.handles.push(handle)
    return store
  }

  async #append(event: StoredEvent, signal: AbortSignal, handle: Handle): Promise<void> {
    const trouble = this.mischief.failAppend?.(event)
    if (trouble === 'before' || signal.aborted) throw failed('the event was not stored', 'no')
    // In the order in which it was called: the answer may come later.
    const isNew = !handle.isGone && this.#isNew(event)
    if (isNew) this.#keep(event)
    await this.#later()
    if (handle.isDead) await new Promise(() => {})
    if (trouble === 'after' || signal.aborted || handle.isGone)
      throw failed('nobody said that the event was stored', 'unknown')
  }

  #isNew({ id }: StoredEvent): boolean {
    const at = this.#ids.get(id)
    if (at !== undefined && Date.now() - at <= DUPLICATES_MS) return false
    this.#ids.set(id, Date.now())
    return true
  }

  #keep(event: StoredEvent): void {
    this.events.push(event)
    if (event.retain) {
      const place = `${event.declared}\n${event.key}`
      this.#retained.delete(place)
      this.#retained.set(place, event)
    }
    if (!event.durable) return
    for (const known of this.#known.values()) {
      if (!known.matches(event.message)) continue
      known.items.push(itemOf(event))
      this.#pumpSoon(known)
    }
  }

  #know({ name, pattern, ordered, matches }: DurableSubscription): Known {
    const known = this.#known.get(name)
    if (known !== undefined) {
      known.items = known.items.filter(({ event, holder }) => holder !== undefined || matches(event.message))
      return Object.assign(known, { pattern, ordered, matches })
    }
    const made: Known = {
      name,
      pattern,
      ordered,
      matches,
      items: [],
      servers: [],
      leader: undefined,
      turn: 0,
    }
    this.#known.set(name, made)
    return made
  }

  /** A server takes no more; `lost`: what it had goes to others at once. */
  #leave(server: Server, lost: boolean): void {
    server.stopped = true
    const known = this.#known.get(server.subscription.name)
    if (known === undefined) return
    if (lost) {
      for (const item of known.items) if (item.holder === server) release(item)
      known.servers = known.servers.filter((one) => one !== server)
      server.running = 0
    }
    this.#pumpSoon(known)
  }

  #pumpSoon(known: Known): void {
    setImmediate(() => (known.ordered ? this.#pumpInOrder(known) : this.#pump(known)))
  }

  #pump(known: Known): void {
    const now = Date.now()
    for (const item of [...known.items]) {
      if (item.holder !== undefined || item.dueAt > now) continue
      const free = known.servers.filter((one) => !one.stopped && one.running < one.subscription.concurrency)
      const server = free[known.turn++ % free.length]
      if (server === undefined) return
      this.#deliver(known, item, server)
    }
  }

  /** To one instance at a time: another one takes over once what that one has is ended. */
  #pumpInOrder(known: Known): void {
    const { leader } = known
    if (leader !== undefined && (leader.stopped || leader.handle.isGone)) {
      if (known.items.some(({ holder }) => holder === leader)) return
      known.leader = undefined
    }
    known.leader ??= known.servers.find(({ stopped }) => !stopped)
    const server = known.leader
    if (server === undefined) return
    for (const item of [...known.items]) {
      if (item.holder !== undefined) continue
      if (server.stopped || server.running >= server.subscription.concurrency) return
      this.#deliver(known, item, server)
    }
  }

  #deliver(known: Known, item: Item, server: Server): void {
    const token = {}
    item.holder = server
    item.token = token
    item.attempt++
    item.firstAt ??= Date.now()
    server.running++
    const { attempt, firstAt, failures } = item
    const make = (): StoreDelivery => {
      let isOver = false
      return {
        event: copy(item.event),
        attempt,
        firstAt,
        failures: [...failures],
        extend: () => {
          this.extended++
        },
        end: async (verdict) => {
          if (isOver) this.complaints.push(`a delivery of ${item.event.id} was ended twice`)
          isOver = true
          await this.#later()
          if (server.handle.isGone) return
          if (this.mischief.loseEnd?.(item.event, verdict, known.name) === true) this.#lose(known, item, token)
          else this.#end(known, item, token, verdict)
        },
      }
    }
    server.deliver(make())
    if (this.mischief.deliverTwice?.(item.event, known.name) === true) server.deliver(make())
  }

  #lose(known: Known, item: Item, token: object): void {
    if (item.token !== token) return
    release(item)
    this.#pumpSoon(known)
  }

  #end(known: Known, item: Item, token: object, verdict: Verdict): void {
    // It was ended by its twin, or has gone to somebody else.
    if (item.token !== token) return
    release(item)
    const { event } = item
    this.ends.push({ id: event.id, subscription: known.name, kind: verdict.kind })
    if (verdict.kind === 'again') {
      if (known.ordered) this.complaints.push(`${event.id} is ordered, and was to come again later`)
      item.failures = [...item.failures, verdict.failure]
      item.dueAt = Date.now() + verdict.afterMs
      setTimeout(() => this.#pumpSoon(known), verdict.afterMs + 1).unref()
    }
    if (verdict.kind === 'back') {
      // It does not count as an attempt.
      item.attempt--
      item.dueAt = 0
    }
    if (verdict.kind === 'done' || verdict.kind === 'dead') known.items.splice(known.items.indexOf(item), 1)
    if (verdict.kind === 'dead') {
      const id = `letter-${++this.#letters}`
      this.dead.push({ id, subscription: known.name, event, at: Date.now(), failures: verdict.failures })
    }
    this.#pumpSoon(known)
  }

  #later(): Promise<void> {
    const ms = this.mischief.delayMs?.() ?? 0
    return new Promise((resolve) => {
      if (ms > 0) setTimeout(resolve, ms).unref()
      else setImmediate(resolve)
    })
  }

  #admin(): StoreAdmin {
    const take = (id: string) => {
      const at = this.dead.findIndex((letter) => letter.id === id)
      return at < 0 ? undefined : this.dead.splice(at, 1)[0]
    }
    return {
      report: async () => {
        const ats = this.events.map(({ at }) => at)
        return {
          store: 'memory',
          events: this.events.length,
          ...(ats.length === 0 ? {} : { oldestAt: Math.min(...ats) }),
          retained: this.#retained.size,
          subscriptions: [...this.#known.values()].map(({ name, pattern, ordered, items }) => ({
            name,
            pattern,
            ordered,
            waiting: items.length,
            running: items.filter(({ holder }) => holder !== undefined).length,
            dead: this.dead.filter(({ subscription }) => subscription === name).length,
          })),
        }
      },
      deadLetters: async ({ subscription, limit, after }) => {
        const those = this.dead.filter((letter) => subscription === undefined || letter.subscription === subscription)
        const from = after === undefined ? 0 : those.findIndex(({ id }) => id === after) + 1
        return those.slice(from, from + limit)
      },
      deadLetter: async (id) => this.dead.find((letter) => letter.id === id),
      replay: async (id) => {
        const letter = take(id)
        const known = letter && this.#known.get(letter.subscription)
        if (letter === undefined || known === undefined) return false
        known.items.push(itemOf(letter.event))
        this.#pumpSoon(known)
        return true
      },
      drop: async (id) => take(id) !== undefined,
      removeSubscription: async (name) => {
        const others = this.dead.filter(({ subscription }) => subscription !== name)
        this.dead.splice(0, this.dead.length, ...others)
        return this.#known.delete(name)
      },
    }
  }
}

function itemOf(event: StoredEvent): Item {
  return { event, attempt: 0, firstAt: undefined, failures: [], holder: undefined, token: undefined, dueAt: 0 }
}

/** Nobody has it any more. */
function release(item: Item): void {
  if (item.holder !== undefined) item.holder.running--
  item.holder = undefined
  item.token = undefined
}

function copy(event: StoredEvent): StoredEvent {
  return JSON.parse(JSON.stringify(event)) as StoredEvent
}

function failed(message: string, handled: 'no' | 'unknown'): LuciliusError {
  return new LuciliusError('LUC_STORE_FAILED', `The memory store: ${message}.`, { handled })
}
