/**
 * Remembers replies for a while.
 *
 * @module
 */
import { type Handler, LuciliusError, type Middleware, type Plugin, type Scalar } from '../../lib/index.js'
import { keyOf } from './key.js'
import { Replies } from './replies.js'
import { shared } from './shared.js'

/** Options of {@link cache}. */
export interface CacheOptions {
  /** The actions whose replies are remembered: those that this pattern covers. */
  readonly pattern: string | { readonly [key: string]: Scalar }
  /**
   * The properties of a message that its reply depends on, beyond the pattern's. Messages that agree in these get the
   * same reply, whatever else they say.
   */
  readonly keys: readonly string[]
  /** How long a reply is used, in ms. */
  readonly ttlMs: number
  /** How many replies are kept, 1000 unless given. The one that was not asked for longest goes first. */
  readonly max?: number
  /** `caller` remembers where the act is called, so that a hit saves the way to a peer. Where the handler runs by default. */
  readonly at?: 'caller'
  /** `false` shares replies among identities, which is right only if they never depend on who asks. */
  readonly perIdentity?: boolean
  /** A clock in ms that never goes back. For tests. */
  readonly now?: () => number
}

/** A plugin that remembers replies. */
export type Cache = Plugin & {
  /** Forgets every reply, and does not keep those that are being made. */
  clear(): void
}

const KNOWN = ['pattern', 'keys', 'ttlMs', 'max', 'at', 'perIdentity', 'now']

/**
 * Makes a plugin that remembers the replies of the actions that a pattern covers.
 *
 * Acts with equal keys while a reply is being made wait for that one run, each within its own deadline. Its error goes
 * to all of them, and is not remembered. If the run ends because its caller gave up, the next one that waits runs
 * instead. Replies are kept apart by identity, and are frozen copies. An action must not act on itself with equal keys:
 * it would wait for its own reply until the deadline.
 *
 * Throws `LUC_OPTIONS_INVALID`.
 *
 * @example
 * ```ts
 * import { lucilius } from 'lucilius'
 * import { cache } from 'lucilius/plugins/cache'
 *
 * const app = lucilius()
 * const rates = cache({ pattern: 'role:rates,cmd:get', keys: ['currency'], ttlMs: 60_000 })
 * app.use(rates)
 * app.add('role:rates,cmd:get', () => ({ at: Date.now() }))
 * await app.act('role:rates,cmd:get', { currency: 'usd' })
 * await app.act('role:rates,cmd:get', { currency: 'usd' }) // the same reply
 * rates.clear()
 * await app.close()
 * ```
 */
export function cache(options: CacheOptions): Cache {
  check(options)
  const { pattern, keys, ttlMs, max = 1000, at, perIdentity = true, now = () => performance.now() } = options
  const replies = new Replies({ ttlMs, max, now })
  let actions = 0
  // Made once for each action: two of the same pattern, one the prior of the other, do not share replies.
  const middleware: Middleware = (next: Handler) => {
    const action = ++actions
    return shared(next, replies, (message, { meta }) =>
      keyOf(action, keys, message, perIdentity ? meta.identity : undefined),
    )
  }
  return {
    name: `cache(${typeof pattern === 'string' ? pattern : JSON.stringify(pattern)})`,
    setup: (app) => {
      if (at === undefined) app.wrap(pattern, middleware)
      else app.wrap(pattern, { at }, middleware)
    },
    clear: () => replies.clear(),
  }
}

function check(options: CacheOptions): void {
  const { keys, ttlMs, max, at } = options
  const unknown = Object.keys(options).find((key) => !KNOWN.includes(key))
  if (unknown !== undefined) throw invalid(`there is no option '${unknown}'. Known: ${KNOWN.join(', ')}`)
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string')) {
    throw invalid("'keys' names the properties that the reply depends on: ['from', 'to'], or [] if it depends on none")
  }
  if (typeof ttlMs !== 'number' || !(ttlMs > 0)) throw invalid("'ttlMs' is a number of milliseconds above 0")
  if (max !== undefined && (!Number.isInteger(max) || max < 1)) throw invalid("'max' is a whole number above 0")
  if (at !== undefined && at !== 'caller') throw invalid("'at' is 'caller', or is left out")
}

function invalid(what: string): LuciliusError {
  return new LuciliusError('LUC_OPTIONS_INVALID', `cache(options): ${what}.`)
}
