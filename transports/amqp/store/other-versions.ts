import type { Channel } from 'amqplib'
import { type DurableSubscription, type Message, matcherOf } from '../../../lib/transport-kit.js'
import { type KnownSubscription, keyOf, nothing, toKnown } from './known.js'
import type { Ledger } from './ledger.js'
import type { Names } from './names.js'
import type { Table } from './table.js'
import { unbindPattern } from './topology.js'

/** How patient {@link OtherVersions} is. */
export interface Patience {
  /** For how long it is believed what was found out: less than the time from a pattern's announcement to its first event. */
  readonly believedMs: number
  /** For how long nobody serves a subscription with a former pattern until that is taken for gone. */
  readonly goneMs: number
}

/** Tells whether any open store serves a subscription with a pattern. */
export type IsServed = (name: string, pattern: string, signal: AbortSignal) => Promise<boolean>

type Wishes = readonly ((message: Message) => boolean)[]

/** What was found out last, and when that began. */
interface Seen {
  readonly at: number
  readonly table: Table
  /** By subscription and own pattern. */
  readonly wishes: Map<string, Promise<Wishes>>
}

/** What instances of other versions want of the subscriptions that this one serves. */
export class OtherVersions {
  readonly #names: Names
  readonly #ledger: Ledger
  readonly #isServed: IsServed
  readonly #patience: Patience
  readonly #closing: AbortSignal
  /** Since when nobody serves a subscription with a former pattern. */
  readonly #silent = new Map<string, number>()
  #seen: Seen | undefined

  constructor(names: Names, ledger: Ledger, isServed: IsServed, patience: Patience, closing: AbortSignal) {
    this.#names = names
    this.#ledger = ledger
    this.#isServed = isServed
    this.#patience = patience
    this.#closing = closing
  }

  /**
   * Whether an event that the pattern of this instance does not match is for instances with another one: the one that was
   * written last, whether any is there or not, or one with which somebody serves the subscription now.
   */
  async want(channel: Channel, { name, pattern }: DurableSubscription, message: Message): Promise<boolean> {
    if (this.#seen === undefined || performance.now() - this.#seen.at >= this.#patience.believedMs) {
      const at = performance.now()
      this.#seen = { at, table: await this.#ledger.read(this.#closing), wishes: new Map() }
    }
    const { table, wishes } = this.#seen
    const place = `${name} ${pattern}`
    const others = wishes.get(place) ?? this.#wishesOf(channel, toKnown(name, table), pattern)
    wishes.set(place, others)
    return (await others).some((matches) => matches(message))
  }

  async #wishesOf(channel: Channel, known: KnownSubscription | undefined, own: string): Promise<Wishes> {
    if (known === undefined) return []
    const { name, pattern, next, also } = known
    const former = also.filter((one) => one !== own)
    const gone = await Promise.all(former.map((one) => this.#isGone(name, one)))
    for (const [n, one] of former.entries()) if (gone[n]) await this.#takeOut(channel, name, one)
    const wanted = [pattern, ...(next === undefined ? [] : [next]), ...former.filter((_, n) => !gone[n])]
    return wanted.filter((one) => one !== own).map((one) => matcherOf(one))
  }

  async #isGone(name: string, pattern: string): Promise<boolean> {
    const place = `${name} ${pattern}`
    if (await this.#isServed(name, pattern, this.#closing)) {
      this.#silent.delete(place)
      return false
    }
    const since = this.#silent.get(place) ?? performance.now()
    this.#silent.set(place, since)
    return performance.now() - since >= this.#patience.goneMs
  }

  /** Nobody serves it with this pattern any more, unless somebody is about to: that would have been announced. */
  async #takeOut(channel: Channel, name: string, former: string): Promise<void> {
    const known = toKnown(name, await this.#ledger.read(this.#closing))
    if (known === undefined || !known.also.includes(former) || known.next === former) return
    await this.#ledger.write(keyOf.also(name, former), nothing)
    const next = known.next === undefined ? [] : [known.next]
    const kept = [known.pattern, ...next, ...known.also.filter((one) => one !== former)]
    await unbindPattern(channel, this.#names, name, { former, kept })
  }
}
