import type { Channel } from 'amqplib'
import { type DurableSubscription, LuciliusError } from '../../../lib/transport-kit.js'
import { bodyOf, type KnownSubscription, keyOf, namesIn, nothing, there, toKnown } from './known.js'
import type { Ledger } from './ledger.js'
import type { Names } from './names.js'
import { pause } from './patiently.js'
import { bindPattern, declareDelay, declareSubscription, unbindPattern } from './topology.js'

/** Which subscriptions there are, and their queues. */
export class Registry {
  readonly #names: Names
  readonly #ledger: Ledger
  readonly #closing: AbortSignal
  readonly #settleMs: number
  /** The patterns under which this instance has made subscriptions known, by their names. */
  readonly #entered = new Map<string, string>()
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
      await this.#enterAgain(channel, known, pattern)
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

  /** After a loss. Who was taken for gone meanwhile puts its pattern in again. */
  async #enterAgain(channel: Channel, known: KnownSubscription, own: string): Promise<void> {
    const { name, ordered, pattern, also } = known
    const isMissing = !ordered && own !== pattern && !also.includes(own)
    if (isMissing) await this.#ledger.write(keyOf.also(name, own), there)
    for (const one of [pattern, ...also, ...(isMissing ? [own] : [])]) {
      await bindPattern(channel, this.#names, name, one)
    }
  }

  /**
   * Changes a pattern. It is announced first, so that no instance of the former one drops what only the new one lets in. The
   * former one stays while instances use it; an ordered subscription is left to those of the new one.
   */
  async #change(channel: Channel, known: KnownSubscription, pattern: string): Promise<void> {
    const { name, ordered } = known
    const formers = [known.pattern, known.next ?? pattern].filter((one) => one !== pattern)
    if (!ordered) for (const former of formers) await this.#ledger.write(keyOf.also(name, former), there)
    await this.#write({ ...known, next: pattern })
    await pause(this.#settleMs, this.#closing)
    await bindPattern(channel, this.#names, name, pattern)
    if (ordered) {
      for (const former of formers) await unbindPattern(channel, this.#names, name, { former, kept: [pattern] })
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
    await this.#ledger.write(keyOf.subscription(one.name), bodyOf(one))
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
    if (table.get(keyOf.delay(name, ms)) !== undefined) return
    await this.#ledger.write(keyOf.delay(name, ms), there)
    await pause(this.#settleMs, this.#closing)
  }

  /** All of them, by their names. */
  async list(signal: AbortSignal): Promise<KnownSubscription[]> {
    const table = await this.#ledger.read(signal)
    return namesIn(table).flatMap((name) => toKnown(name, table) ?? [])
  }

  /** Tells that one of them is about to be removed: who serves it does not begin anew before it is forgotten. */
  async leave(known: KnownSubscription): Promise<void> {
    await this.#write({ ...known, isGoing: true })
  }

  /** Forgets one of them: its queues were deleted. */
  async remove({ name, delays, also }: KnownSubscription): Promise<void> {
    for (const pattern of also) await this.#ledger.write(keyOf.also(name, pattern), nothing)
    for (const ms of delays) await this.#ledger.write(keyOf.delay(name, ms), nothing)
    await this.#ledger.write(keyOf.subscription(name), nothing)
  }
}

/** How long the removal of a subscription may take, in ms. */
const REMOVAL_MS = 5_000

/** Whether one instance at a time gets events is a property of the queue, which cannot change. */
function otherOrder({ name, ordered }: KnownSubscription): LuciliusError {
  const is = ordered ? 'ordered' : 'not ordered'
  const advice = `give it another name, or remove it first: lucilius events remove ${name}`
  return new LuciliusError(
    'LUC_OPTIONS_INVALID',
    `The subscription '${name}' is kept ${is}, and not so here: ${advice}`,
  )
}
