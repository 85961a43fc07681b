import { decodeJson, encodeJson, isMessage } from '../../../lib/transport-kit.js'
import type { Table } from './table.js'

/** A subscription, as everybody knows it. */
export interface KnownSubscription {
  readonly name: string
  readonly pattern: string
  readonly ordered: boolean
  /** The pattern that somebody is about to give it. */
  readonly next: string | undefined
  /** Former patterns with which instances may still serve it. Of an ordered one there are none. */
  readonly also: readonly string[]
  /** Somebody is removing it. */
  readonly isGoing: boolean
  /** Of the queues in which its retries wait: their times, in ms. */
  readonly delays: readonly number[]
}

const ON = 'on/'

/** The keys of a ledger under which it is written what there is of a subscription. */
export const keyOf = {
  subscription: (name: string) => `${ON}${name}`,
  /** That there is a queue of retries. */
  delay: (name: string, ms: number | string) => `after/${name}/${ms}`,
  /** That a former pattern may be in use. */
  also: (name: string, pattern: string) => `also/${name}/${pattern}`,
} as const

/** The body of a key whose name says all. */
export const there = Buffer.from('{}')
/** The body that removes a key. */
export const nothing = Buffer.alloc(0)

/** What is written of a subscription at its own key. */
export function bodyOf({ pattern, ordered, next, isGoing }: Partial<KnownSubscription>): Buffer {
  const body = { pattern, ordered, ...(next !== undefined && { next }), ...(isGoing && { isGoing }) }
  return Buffer.from(encodeJson(body))
}

/** All names that a table has, sorted. */
export function namesIn(table: Table): string[] {
  return endsOf(table, ON).toSorted()
}

/** A subscription as a table says; undefined if it has none of this name. */
export function toKnown(name: string, table: Table): KnownSubscription | undefined {
  const body = table.get(keyOf.subscription(name))
  if (body === undefined) return undefined
  const { pattern, ordered, next, isGoing } = read(body)
  if (typeof pattern !== 'string') return undefined
  return {
    name,
    pattern,
    ordered: ordered === true,
    next: typeof next === 'string' ? next : undefined,
    also: endsOf(table, keyOf.also(name, '')).filter((one) => one !== pattern),
    isGoing: isGoing === true,
    delays: endsOf(table, keyOf.delay(name, '')).map(Number),
  }
}

/** What is behind the beginning of the keys that have it. */
function endsOf(table: Table, start: string): string[] {
  return table.entries().flatMap(({ key }) => (key.startsWith(start) ? [key.slice(start.length)] : []))
}

function read(body: Buffer): { readonly [key: string]: unknown } {
  try {
    const value = decodeJson(body)
    return isMessage(value) ? value : {}
  } catch {
    return {} // Nobody of ours wrote it.
  }
}
