import type { Channel } from 'amqplib'
import {
  type DurableSubscription,
  decodeJson,
  encodeJson,
  isMessage,
  LuciliusError,
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
  /** Of the queues in which its retries wait: their times, in ms. */
  readonly delays: readonly number[]
}

/** Which subscriptions there are, and their queues. */
export class Registry {
  readonly #names: Names
  readonly #ledger: Ledger
  readonly #closing: AbortSignal
  readonly #settleMs: number
  /** Queues of retries that this instance has declared on a channel that may still be up. */
  readonly #declared = new WeakMap<Channel, Map<string, Promise<void>>>()

  constructor(names: Names, ledger: Ledger, settleMs: number, closing: AbortSignal) {
    this.#settleMs = settleMs
    this.#names = names
    this.#ledger = ledger
    this.#closing = closing
  }

  /** Makes a subscription known, or its pattern where it has changed. Whatever is stored after that waits for it. */
  async enter(channel: Channel, { name, pattern, ordered }: DurableSubscription): Promise<void> {
    const table = await this.#ledger.read(this.#closing)
    const known = toKnown(name, table)
    if (known !== undefined && known.ordered !== ordered) throw otherOrder(known)
    await declareSubscription(channel, this.#names, { name, ordered })
    await bindPattern(channel, this.#names, name, pattern)
    if (known?.pattern === pattern) return
    if (known === undefined) await pause(this.#settleMs, this.#closing)
    else await unbindPattern(channel, this.#names, name, { former: known.pattern, now: pattern })
    await this.#ledger.write(ON + name, Buffer.from(encodeJson({ pattern, ordered })))
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

  /** Forgets one of them: its queues were deleted. */
  async remove({ name, delays }: KnownSubscription): Promise<void> {
    for (const ms of delays) await this.#ledger.write(delayKey(name, ms), nothing)
    await this.#ledger.write(ON + name, nothing)
  }
}

const ON = 'on/'
const nothing = Buffer.alloc(0)

function delayKey(name: string, ms: number | string): string {
  return `after/${name}/${ms}`
}

function toKnown(name: string, table: Table): KnownSubscription | undefined {
  const body = table.get(ON + name)
  if (body === undefined) return undefined
  const { pattern, ordered } = read(body)
  if (typeof pattern !== 'string') return undefined
  const keys = table.entries().map(({ key }) => key)
  const delays = keys.flatMap((key) =>
    key.startsWith(delayKey(name, '')) ? [Number(key.slice(delayKey(name, '').length))] : [],
  )
  return { name, pattern, ordered: ordered === true, delays }
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

function read(body: Buffer): { readonly pattern?: unknown; readonly ordered?: unknown } {
  try {
    const value = decodeJson(body)
    return isMessage(value) ? value : {}
  } catch {
    return {} // Nobody of ours wrote it.
  }
}
