import type { Channel } from 'amqplib'
import {
  type DurableSubscription,
  decodeJson,
  encodeJson,
  isMessage,
  LuciliusError,
  type Message,
  matcherOf,
} from '../../../lib/transport-kit.js'
import type { Ledger } from './ledger.js'
import type { Names } from './names.js'
import { pause } from './patiently.js'
import type { Table } from './table.js'
import { bindPattern, declareDelay, declareSubscription, unbindPattern } from './topology.js'

/** A subscription, as everybody knows it. */
export interface KnownSubscription {
  readonly name: string
  readonly pattern: string
  readonly ordered: boolean
  /** The pattern that somebody is about to give it. */
  readonly next: string | undefined
  /** Somebody is removing it. */
  readonly isGoing: boolean
  /** Of the queues in which its retries wait: their times, in ms. */
  readonly delays: readonly number[]
}

/** Which subscriptions there are, and their queues. */
export class Registry {
  readonly #names: Names
  readonly #ledger: Ledger
  readonly #closing: AbortSignal
  readonly #settleMs: number
  /** The patterns under which this instance has made subscriptions known, by their names. */
  readonly #entered = new Map<string, string>()
  /** The table of subscriptions as it was last asked what others want, when that reading began, and what they want. */
  #seen: { readonly at: number; readonly table: Table; readonly wishes: Map<string, Wishes> } | undefined
  /** Queues of retries that this instance has declared on a channel that may still be up. */
  readonly #declared = new WeakMap<Channel, Map<string, Promise<void>>>()

  constructor(names: Names, ledger: Ledger, settleMs: number, closing: AbortSignal) {
    this.#settleMs = settleMs
    this.#names = names
    this.#ledger = ledger
    this.#closing = closing
  }

  /**
   * Makes a subscription known, or its pattern where it has changed. Whatever is stored after that waits for it. Who has
   * done so before, and comes again after a loss, keeps to the pattern that was written since: that of a newer instance.
   */
  async enter(channel: Channel, { name, pattern, ordered }: DurableSubscription): Promise<void> {
    const known = await this.#lasting(name)
    if (known !== undefined && known.ordered !== ordered) throw otherOrder(known)
    await declareSubscription(channel, this.#names, { name, ordered })
    if (known !== undefined && this.#entered.get(name) === pattern) {
      await bindPattern(channel, this.#names, name, known.pattern)
      return
    }
    if (known !== undefined && (known.pattern !== pattern || known.next !== undefined)) {
      await this.#change(channel, known, pattern)
    } else {
      await bindPattern(channel, this.#names, name, pattern)
      if (known === undefined) {
        await pause(this.#settleMs, this.#closing)
        await this.#write({ name, pattern, ordered })
      }
    }
    this.#entered.set(name, pattern)
  }

  /**
   * Whether an event that the pattern of this instance does not match is for instances with another one, which was written
   * later. What it knows is younger than the time between the announcement of a pattern and its first event.
   */
  async isForOthers({ name, pattern }: DurableSubscription, message: Message): Promise<boolean> {
    if (this.#seen === undefined || performance.now() - this.#seen.at >= this.#settleMs / 2) {
      const at = performance.now()
      this.#seen = { at, table: await this.#ledger.read(this.#closing), wishes: new Map() }
    }
    const { table, wishes } = this.#seen
    const place = `${name} ${pattern}`
    const others = wishes.get(place) ?? wishesOf(toKnown(name, table), pattern)
    wishes.set(place, others)
    return others.some((matches) => matches(message))
  }

  /** Changes a pattern. It is announced first, so that no instance of the former one drops what only the new one lets in. */
  async #change(channel: Channel, known: KnownSubscription, pattern: string): Promise<void> {
    const { name } = known
    await this.#write({ ...known, next: pattern })
    await pause(this.#settleMs, this.#closing)
    await bindPattern(channel, this.#names, name, pattern)
    for (const former of [known.pattern, known.next]) {
      if (former !== undefined) await unbindPattern(channel, this.#names, name, { former, now: pattern })
    }
    await this.#write({ ...known, pattern, next: undefined })
  }

  /** A subscription as it is known; undefined if it is not, and if it is being removed: then that is waited for. */
  async #lasting(name: string): Promise<KnownSubscription | undefined> {
    const from = performance.now()
    for (;;) {
      const known = toKnown(name, await this.#ledger.read(this.#closing))
      if (known?.isGoing !== true) return known
      if (performance.now() - from > REMOVAL_MS) return undefined // Whoever was removing it is gone.
      await pause(REMOVAL_MS / 100, this.#closing)
    }
  }

  async #write(one: Partial<KnownSubscription> & Pick<KnownSubscription, 'name'>): Promise<void> {
    const { name, pattern, ordered, next, isGoing } = one
    const body = { pattern, ordered, ...(next !== undefined && { next }), ...(isGoing && { isGoing }) }
    await this.#ledger.write(ON + name, Buffer.from(encodeJson(body)))
  }

  /** Sees to it that there is a queue for retries after so many ms, and that everybody knows. */
  enterDelay(channel: Channel, name: string, ms: number): Promise<void> {
    const declared = this.#declared.get(channel) ?? new Map<string, Promise<void>>()
    this.#declared.set(channel, declared)
    const queue = this.#names.delayed(name, ms)
    const entering = declared.get(queue) ?? this.#enterDelay(channel, name, ms)
    declared.set(queue, entering)
    entering.catch(() => declared.delete(queue))
    return entering
  }

  /** Queues of retries may be gone: the next one who needs one declares it. */
  forgetDelays(channel: Channel): void {
    this.#declared.delete(channel)
  }

  async #enterDelay(channel: Channel, name: string, ms: number): Promise<void> {
    const table = await this.#ledger.read(this.#closing)
    await declareDelay(channel, this.#names, name, ms)
    if (table.get(delayKey(name, ms)) !== undefined) return
    await this.#ledger.write(delayKey(name, ms), Buffer.from('{}'))
    await pause(this.#settleMs, this.#closing)
  }

  /** All of them, by their names. */
  async list(signal: AbortSignal): Promise<KnownSubscription[]> {
    const table = await this.#ledger.read(signal)
    const names = table.entries().flatMap(({ key }) => (key.startsWith(ON) ? [key.slice(ON.length)] : []))
    return names.toSorted().flatMap((name) => toKnown(name, table) ?? [])
  }

  /** Tells that one of them is about to be removed: who serves it does not begin anew before it is forgotten. */
  async leave(known: KnownSubscription): Promise<void> {
    await this.#write({ ...known, isGoing: true })
  }

  /** Forgets one of them: its queues were deleted. */
  async remove({ name, delays }: KnownSubscription): Promise<void> {
    for (const ms of delays) await this.#ledger.write(delayKey(name, ms), nothing)
    await this.#ledger.write(ON + name, nothing)
  }
}

/** How long the removal of a subscription may take, in ms. */
const REMOVAL_MS = 5_000

type Wishes = readonly ((message: Message) => boolean)[]

const ON = 'on/'
const nothing = Buffer.alloc(0)

function delayKey(name: string, ms: number | string): string {
  return `after/${name}/${ms}`
}

/** What the other patterns of a subscription match: the one that was written, and the one to come. */
function wishesOf(known: KnownSubscription | undefined, own: string): Wishes {
  const patterns = [known?.pattern, known?.next].flatMap((one) => one ?? [])
  return patterns.flatMap((one) => (one === own ? [] : [matcherOf(one)]))
}

function toKnown(name: string, table: Table): KnownSubscription | undefined {
  const body = table.get(ON + name)
  if (body === undefined) return undefined
  const { pattern, ordered, next, isGoing } = read(body)
  if (typeof pattern !== 'string') return undefined
  const keys = table.entries().map(({ key }) => key)
  const delays = keys.flatMap((key) =>
    key.startsWith(delayKey(name, '')) ? [Number(key.slice(delayKey(name, '').length))] : [],
  )
  return {
    name,
    pattern,
    ordered: ordered === true,
    next: typeof next === 'string' ? next : undefined,
    isGoing: isGoing === true,
    delays,
  }
}

/** Whether one instance at a time gets events is a property of the queue, which cannot change. */
function otherOrder({ name, ordered }: KnownSubscription): LuciliusError {
  const is = ordered ? 'ordered' : 'not ordered'
  const advice = `give it another name, or remove it first: lucilius events remove ${name}`
  return new LuciliusError(
    'LUC_OPTIONS_INVALID',
    `The subscription '${name}' is kept ${is}, and not so here: ${advice}`,
  )
}

function read(body: Buffer): { readonly [key: string]: unknown } {
  try {
    const value = decodeJson(body)
    return isMessage(value) ? value : {}
  } catch {
    return {} // Nobody of ours wrote it.
  }
}
