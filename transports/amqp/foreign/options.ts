import type { ConnectionOptions } from 'node:tls'
import { checkCount, checkKeys, LuciliusError, matcherOf, toPattern } from '../../../lib/transport-kit.js'
import { type Settings, toSettings } from '../settings.js'

/** Messages of others that become events. */
export interface Consumed {
  /** The queue. One that is there is used as it is; else a durable quorum queue is declared. */
  readonly queue: string
  /** The exchange to which the queue is bound; a durable topic exchange is declared if it is not there. Not bound unless given. */
  readonly exchange?: string
  /** The routing keys of the binding, such as `order.created` or `order.*`: `#` unless given. */
  readonly key?: string | readonly string[]
  /** What they are emitted as: `role:order,event:created`. These pairs go over what the message says itself. */
  readonly as: string
  /** The event is durable: a message is acknowledged once it is stored. Needs an app with a store. */
  readonly durable?: boolean
  /** How many messages may be under way at once: 32. */
  readonly prefetch?: number
}

/** Events that become messages for others. */
export interface Published {
  /** Which events: `role:invoice,event:*`. */
  readonly match: string
  /** Where to: a durable topic exchange is declared if there is none. The empty text is the default exchange: the key is a queue. */
  readonly exchange: string
  /** The routing key; `{event}` stands for the property `event` of the message. */
  readonly key: string
  /** The name of a durable subscription: each event is published at least once. Needs an app with a store. */
  readonly durable?: string
}

/** Options of {@link foreign}: the broker as `amqp` takes it, and the mapping. */
export interface ForeignOptions {
  /** The broker: `amqp://127.0.0.1:5672` unless given. */
  readonly url?: string
  /** Who we are to the broker, instead of `user:pass@` in the url. */
  readonly user?: string
  /** Proves it. */
  readonly pass?: string
  /** Passed to `node:tls` with an `amqps:` url. */
  readonly tls?: ConnectionOptions
  /** Milliseconds between two signs of life of the broker: 10,000. */
  readonly heartbeatMs?: number
  /** Milliseconds for one attempt to reach the broker: 10,000. */
  readonly connectTimeoutMs?: number
  /** Bytes of a message: 1 MiB. */
  readonly maxBytes?: number
  /** Objects and arrays inside each other in a message: 64. */
  readonly maxDepth?: number
  /** What is taken from the broker. */
  readonly consume?: readonly Consumed[]
  /** What is given to it. */
  readonly publish?: readonly Published[]
}

/** One entry of `consume`, checked. */
export interface Inlet {
  readonly queue: string
  /** Where messages go that can never become events. */
  readonly dead: string
  readonly exchange: string | undefined
  readonly keys: readonly string[]
  readonly as: string
  readonly durable: boolean
  readonly prefetch: number
}

/** The options, checked. */
export interface Mapping {
  readonly settings: Settings
  readonly consume: readonly Inlet[]
  readonly publish: readonly Published[]
}

const WHERE = 'foreign'

/** Checks the options. Throws `LUC_OPTIONS_INVALID` and `LUC_PATTERN_INVALID`. */
export function toMapping(options: ForeignOptions): Mapping {
  const {
    consume = [],
    publish = [],
    ...broker
  } = checkKeys<ForeignOptions>(WHERE, options, [
    'url',
    'user',
    'pass',
    'tls',
    'heartbeatMs',
    'connectTimeoutMs',
    'maxBytes',
    'maxDepth',
    'consume',
    'publish',
  ])
  const settings = toSettings(broker)
  const inlets = toList('consume', consume).map(toInlet)
  const outlets = toList('publish', publish).map(toOutlet)
  if (inlets.length + outlets.length === 0) throw invalid("give 'consume' or 'publish', or both.")
  for (const inlet of inlets) for (const outlet of outlets) refuseCircle(inlet, outlet)
  return { settings, consume: inlets, publish: outlets }
}

function toInlet(given: Consumed): Inlet {
  const {
    queue,
    exchange,
    key,
    as,
    durable = false,
    prefetch = 32,
  } = checkKeys<Consumed>(`${WHERE}.consume`, given, ['queue', 'exchange', 'key', 'as', 'durable', 'prefetch'])
  checkCount(`${WHERE}.consume`, 'prefetch', prefetch, 1)
  if (typeof durable !== 'boolean') throw invalid("'durable' of 'consume' is true or false.")
  if (key !== undefined && exchange === undefined) throw invalid("'key' of 'consume' goes with an 'exchange'.")
  if (exchange === '') throw invalid("every queue is bound to the default exchange by its name: leave 'exchange' out.")
  if (toPattern(text('as', as)).globs > 0 || as === '') {
    throw invalid(`'as' is one event, such as role:order,event:created, not '${as}'.`)
  }
  return {
    queue: name('queue', queue),
    dead: `${queue}.dead`,
    exchange: exchange === undefined ? undefined : name('exchange', exchange),
    keys: (key === undefined ? ['#'] : [key].flat()).map((one) => name('key', one)),
    as,
    durable,
    prefetch,
  }
}

function toOutlet(given: Published): Published {
  const outlet = checkKeys<Published>(`${WHERE}.publish`, given, ['match', 'exchange', 'key', 'durable'])
  toPattern(text('match', outlet.match))
  if (outlet.exchange !== '') name('exchange', outlet.exchange)
  name('key', outlet.key)
  if (outlet.durable !== undefined) name('durable', outlet.durable)
  return outlet
}

/** Refuses what would bring each event back for ever. */
function refuseCircle({ as, exchange }: Inlet, { match, exchange: to }: Published): void {
  if (exchange !== to || !matcherOf(match)(toPattern(as).pairs)) return
  throw invalid(`what is consumed from the exchange '${to}' as ${as} would be published there again (${match}).`)
}

function toList<T>(key: string, list: readonly T[]): readonly T[] {
  if (Array.isArray(list)) return list
  throw invalid(`'${key}' is a list.`)
}

function text(key: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw invalid(`'${key}' is a text.`)
}

/** A name of AMQP: a short text. */
function name(key: string, value: unknown): string {
  const is = text(key, value)
  if (is !== '' && Buffer.byteLength(is) <= 250) return is
  throw invalid(`'${key}' is a text of 1 to 250 bytes.`)
}

function invalid(what: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', `${WHERE}: ${what}`)
}
