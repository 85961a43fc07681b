import { LuciliusError } from '../errors.js'
import { checkCount, checkKeys, checkMilliseconds } from '../option-checks.js'
import type { BackoffOptions, EventOptions, OnOptions } from '../typed/typed.js'
import type { Declared } from './declarations.js'
import type { Durable } from './durable.js'

const ON_KEYS = ['each', 'durable', 'orderBy', 'maxDeliveries', 'concurrency', 'backoff', 'timeoutMs']
const EVENT_KEYS = ['durable', 'retain', 'key', 'orderBy']

/** What a store takes as the name of a subscription. */
const NAME = /^[\w-][\w.-]{0,99}$/

/** What the options of `on` say. */
export interface OnWish {
  readonly each: boolean
  readonly durable: DurableWish | undefined
}

/** What they say of a durable subscription. */
export type DurableWish = Pick<
  Durable,
  'durable' | 'name' | 'orderBy' | 'maxDeliveries' | 'concurrency' | 'backoff' | 'timeoutMs'
>

/** Durations that hold unless an option says otherwise. */
interface Limits {
  readonly timeoutMs: number
  readonly maxTimeoutMs: number
}

/** Reads the second of three arguments of `on`. Throws `LUC_OPTIONS_INVALID`. */
export function toOnWish(given: unknown, service: string, limits: Limits): OnWish {
  const options = checkKeys<OnOptions>('on', given, ON_KEYS)
  const { each, durable } = options
  if (each !== undefined && each !== 'instance') throw invalid("on: 'each' is 'instance', or is left out.")
  if (durable === undefined) {
    const lost = ON_KEYS.slice(2).find((key) => options[key as keyof OnOptions] !== undefined)
    if (lost !== undefined) throw invalid(`on: '${lost}' goes with 'durable': give the subscription a name.`)
    return { each: each === 'instance', durable: undefined }
  }
  if (each !== undefined) {
    throw invalid("on: a durable event goes to one instance of a service: leave out 'each', or 'durable'.")
  }
  return { each: false, durable: toDurableWish(options, durable, service, limits) }
}

function toDurableWish(options: OnOptions, durable: unknown, service: string, limits: Limits): DurableWish {
  const { orderBy, maxDeliveries = 10, concurrency = 16, backoff = {}, timeoutMs } = options
  checkCount('on', 'maxDeliveries', maxDeliveries, 1)
  checkCount('on', 'concurrency', concurrency, 1)
  if (timeoutMs !== undefined) checkMilliseconds('on', 'timeoutMs', timeoutMs)
  const { firstMs = 200, maxMs = 30_000 } = checkKeys<BackoffOptions>('on.backoff', backoff, ['firstMs', 'maxMs'])
  checkMilliseconds('on.backoff', 'firstMs', firstMs)
  checkMilliseconds('on.backoff', 'maxMs', maxMs)
  return {
    ...nameOf(durable, service),
    orderBy: orderBy === undefined ? undefined : toNames('on', 'orderBy', orderBy),
    maxDeliveries,
    concurrency,
    backoff: { firstMs, maxMs },
    timeoutMs: Math.min(timeoutMs ?? limits.timeoutMs, limits.maxTimeoutMs),
  }
}

function nameOf(durable: unknown, service: string): Pick<Durable, 'durable' | 'name'> {
  if (typeof durable !== 'string' || !/^[\w-]+$/.test(durable)) {
    throw invalid("on: 'durable' is a name of letters, digits, - and _.")
  }
  const name = `${service}.${durable}`
  if (NAME.test(name)) return { durable, name }
  throw invalid(
    `on: the store would know the subscription as '${name}', and takes at most 100 letters, digits, -, _ and '.': name the service with app.use(plugin, options, { as: '…' }), or the app with lucilius({ name: '…' }).`,
  )
}

/** Reads the second argument of `event`. Throws `LUC_OPTIONS_INVALID`. */
export function toDeclared(given: unknown): Pick<Declared, 'durable' | 'retain' | 'key'> {
  const { durable, retain, key, orderBy } = checkKeys<EventOptions>('event', given, EVENT_KEYS)
  for (const [name, value] of Object.entries({ durable, retain })) {
    if (value !== undefined && typeof value !== 'boolean') throw invalid(`event: '${name}' is true or false.`)
  }
  if (durable === undefined && retain === undefined) {
    throw invalid('event: say what becomes of it: { durable: true }, { retain: true } or both.')
  }
  if (key !== undefined && orderBy !== undefined) {
    throw invalid("event: 'orderBy' is another word for 'key': give one of them.")
  }
  const by = key ?? orderBy
  return {
    durable: durable === true,
    retain: retain === true,
    key: by === undefined ? [] : toNames('event', key === undefined ? 'orderBy' : 'key', by),
  }
}

function toNames(where: string, option: string, given: unknown): readonly string[] {
  const names = typeof given === 'string' ? [given] : given
  const isList = Array.isArray(names) && names.length > 0 && new Set(names).size === names.length
  if (isList && names.every((name) => typeof name === 'string' && name !== '')) return [...names]
  throw invalid(`${where}: '${option}' is the name of a property of the message, or a list of such names.`)
}

function invalid(message: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', message)
}
