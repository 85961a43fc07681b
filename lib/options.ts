import { LuciliusError } from './errors.js'
import { harmless, type Logger, toLogger } from './logger.js'
import { checkCount, checkKeys, checkMilliseconds } from './option-checks.js'
import type { RetryOptions } from './peers/retry.js'
import type { EventStore } from './store.js'
import { newId } from './trace.js'

/** How many messages may wait until somebody can answer them. */
export interface ParkOptions {
  /** Messages, 1000 unless given. */
  readonly max?: number
  /** Bytes of their JSON, 16 MiB unless given. */
  readonly maxBytes?: number
  /** Parks messages for patterns that nobody has announced yet, instead of refusing them. */
  readonly unknown?: boolean
}

/** What {@link lucilius} takes. */
export interface AppOptions {
  /** The name that peers and logs show. Replicas of one app share it; without one each app has a name of its own. */
  readonly name?: string
  /** Milliseconds that an act may take unless it says otherwise: 10,000. */
  readonly timeoutMs?: number
  /** The most milliseconds that an act may ask for: 300,000. */
  readonly maxTimeoutMs?: number
  /** How many acts and priors may follow from one another: 32. */
  readonly maxHops?: number
  /** How many runs of an action may go on after their callers gave up, before acts from outside are refused: 1000. */
  readonly maxAbandoned?: number
  /** How many runs of observers events of clients may have under way, before more are refused: 10,000. */
  readonly maxClientEvents?: number
  /** `strict`: local acts behave like remote ones. The default, unless `NODE_ENV` is `production`: then `off`. */
  readonly parity?: 'strict' | 'off'
  /** Bounds on messages that wait for somebody who can answer them. */
  readonly park?: ParkOptions
  /** Second tries of idempotent actions whose fate is unknown. */
  readonly retry?: RetryOptions
  /** Milliseconds that running work is given when the app closes: 10,000. */
  readonly drainMs?: number
  /** Milliseconds for which the patterns of a lost peer are kept: 30,000. */
  readonly forgetMs?: number
  /** Keeps durable events: `embedded({ path })`, or `nats(…)` or `amqp(…)` of a broker. Opened when something needs it. */
  readonly store?: EventStore
  /** Anything shaped like pino; `true` writes JSON lines to stdout. Silent by default. */
  readonly logger?: boolean | Logger
}

/** The options with every default filled in. */
export interface Settings {
  readonly name: string
  /** The name under which the app's own durable subscriptions are known: one that does not change from start to start. */
  readonly lastingName: string
  readonly instance: string
  readonly store: EventStore | undefined
  readonly timeoutMs: number
  readonly maxTimeoutMs: number
  readonly maxHops: number
  readonly maxAbandoned: number
  readonly maxClientEvents: number
  readonly strict: boolean
  readonly park: Required<ParkOptions>
  readonly retry: Required<RetryOptions>
  readonly drainMs: number
  readonly forgetMs: number
  readonly log: Logger
}

const KNOWN = [
  'name',
  'timeoutMs',
  'maxTimeoutMs',
  'maxHops',
  'maxAbandoned',
  'maxClientEvents',
  'parity',
  'park',
  'retry',
  'drainMs',
  'forgetMs',
  'store',
  'logger',
]

/** Milliseconds that running work is given when an app closes, unless it is told otherwise. */
export const DRAIN_MS = 10_000

/** 24 days: a timer of Node that is set to more fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

const WHERE = 'lucilius(options)'

/** Checks the options of an app and fills in the defaults. Throws `LUC_OPTIONS_INVALID`. */
export function toSettings(options: AppOptions): Settings {
  const given = checkKeys<AppOptions>(WHERE, options, KNOWN)
  const maxTimeoutMs = milliseconds(given, 'maxTimeoutMs', 300_000)
  const timeoutMs = Math.min(milliseconds(given, 'timeoutMs', 10_000), maxTimeoutMs)
  const instance = newId()
  const ownName = nameOf(given.name)
  const name = ownName ?? `app-${instance}`
  return {
    name,
    lastingName: ownName ?? 'app',
    instance,
    store: toStore(given.store),
    timeoutMs,
    maxTimeoutMs,
    maxHops: count(WHERE, given, 'maxHops', 32, 1),
    maxAbandoned: count(WHERE, given, 'maxAbandoned', 1000, 1),
    maxClientEvents: count(WHERE, given, 'maxClientEvents', 10_000, 1),
    strict: isStrict(given.parity),
    park: toPark(given.park === undefined ? {} : given.park),
    retry: toRetry(given.retry ?? {}),
    drainMs: Math.min(milliseconds(given, 'drainMs', DRAIN_MS), LONGEST_TIMER_MS),
    forgetMs: Math.min(milliseconds(given, 'forgetMs', 30_000), LONGEST_TIMER_MS),
    log: harmless(toLogger(given.logger)).child({ name }),
  }
}

function nameOf(name: unknown): string | undefined {
  if (name === undefined || (typeof name === 'string' && name !== '' && name.length <= 200))
    return name as string | undefined
  throw new LuciliusError('LUC_OPTIONS_INVALID', `${WHERE}: 'name' is a text of 1 to 200 characters.`)
}

/** Whether parity is strict: unless it is said, everywhere but in production. Throws `LUC_OPTIONS_INVALID`. */
export function isStrict(parity: unknown): boolean {
  if (parity === undefined) return process.env.NODE_ENV !== 'production'
  if (parity === 'strict' || parity === 'off') return parity === 'strict'
  throw new LuciliusError(
    'LUC_OPTIONS_INVALID',
    `${WHERE}: 'parity' is 'strict' or 'off', not ${typeof parity === 'string' ? `'${parity}'` : `a ${typeof parity}`}.`,
  )
}

function toStore(store: unknown): EventStore | undefined {
  if (store === undefined) return undefined
  const { name, openStore } = (store ?? {}) as Partial<EventStore>
  if (typeof name === 'string' && typeof openStore === 'function') return store as EventStore
  throw new LuciliusError(
    'LUC_OPTIONS_INVALID',
    `${WHERE}: 'store' keeps events: embedded({ path: './events' }) from 'lucilius/transports/embedded', or nats(…) or amqp(…).`,
  )
}

function toPark(park: ParkOptions): Required<ParkOptions> {
  const where = `${WHERE}.park`
  const given = checkKeys<ParkOptions>(where, park, ['max', 'maxBytes', 'unknown'])
  if (given.unknown !== undefined && typeof given.unknown !== 'boolean') {
    throw new LuciliusError('LUC_OPTIONS_INVALID', `${where}: 'unknown' is true or false.`)
  }
  return {
    max: count(where, given, 'max', 1000, 0),
    maxBytes: count(where, given, 'maxBytes', 16 * 1024 * 1024, 0),
    unknown: given.unknown ?? false,
  }
}

function toRetry(retry: RetryOptions): Required<RetryOptions> {
  const where = `${WHERE}.retry`
  const given = checkKeys<RetryOptions>(where, retry, ['attempts', 'ratio', 'perSecond'])
  return {
    attempts: count(where, given, 'attempts', 3, 1),
    ratio: share(where, given, 'ratio', 0.1),
    perSecond: share(where, given, 'perSecond', 3),
  }
}

function share<K extends string>(where: string, given: { readonly [P in K]?: number }, key: K, preset: number): number {
  const value = given[key] ?? preset
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value
  throw new LuciliusError('LUC_OPTIONS_INVALID', `${where}: '${key}' is a number of at least 0.`)
}

function milliseconds<K extends string>(given: { readonly [P in K]?: number }, key: K, preset: number): number {
  const value = given[key]
  if (value === undefined) return preset
  checkMilliseconds(WHERE, key, value)
  return value
}

function count<K extends string>(
  where: string,
  given: { readonly [P in K]?: number },
  key: K,
  preset: number,
  least: number,
): number {
  const value = given[key]
  if (value === undefined) return preset
  checkCount(where, key, value, least)
  return value
}
