import type { Core } from './core.js'
import type { Action, ActionOptions } from './dispatch/action.js'
import { followed } from './dispatch/followed.js'
import { heardHandler, heardMiddleware } from './dispatch/sent-by.js'
import type { Side } from './dispatch/wraps.js'
import { LuciliusError } from './errors.js'
import type { Declared } from './events/declarations.js'
import type { Durable } from './events/durable.js'
import { toDeclared, toOnWish } from './events/durable-options.js'
import { nameTaken } from './events/durables.js'
import type { Subscribed } from './events/subscriptions.js'
import type { EventHandler, Handler, Middleware } from './handler.js'
import { checkKeys, checkMilliseconds } from './option-checks.js'
import { type Pattern, toPattern } from './pattern.js'
import type { PluginUse } from './plugin-use.js'
import type { Registration, Subscription } from './registration.js'

const REPLIES = '(message, context) => reply'
const OBSERVES = '(message, context) => …'
const WRAPS = '(next) => (message, context) => next(message, context)'

type PatternInput = Parameters<typeof toPattern>[0]

/** Puts what one plugin registers into the app: actions, wraps, subscriptions. Mistakes are thrown where they are made. */
export class Registrar {
  readonly #core: Core
  readonly #use: PluginUse

  constructor(core: Core, use: PluginUse) {
    this.#core = core
    this.#use = use
  }

  add(pattern: PatternInput, given: unknown, handler: unknown): Registration {
    const checked = toPattern(pattern)
    checkThird('add', checked, given, handler, REPLIES)
    const options = toActionOptions(given)
    checkFunction('add', checked, handler, REPLIES)
    const action = this.#action(checked, options, handler as Handler)
    const { composition } = this.#core.dispatcher
    const put = () => composition.add(action)
    return this.#register(this.#use.actions, action, put, () => composition.actions.remove(action))
  }

  on(pattern: PatternInput, given: unknown, handler: unknown): Subscription {
    const checked = toPattern(pattern)
    checkThird('on', checked, given, handler, OBSERVES)
    const { each, durable } = toOnWish(given, this.#lastingName, this.#core.settings)
    checkFunction('on', checked, handler, OBSERVES)
    const action = this.#action(checked, {}, handler as EventHandler)
    const run = this.#core.settings.strict ? followed(action.handler) : action.handler
    action.run = this.#core.running?.follow(action, run) ?? run
    const subscribed = { pattern: checked, service: this.#use.name, action, failures: 0 }
    return durable === undefined
      ? this.#observe({ ...subscribed, each })
      : this.#observeDurably({ ...subscribed, ...durable })
  }

  #observe(subscribed: Subscribed): Subscription {
    const { events, durableLife } = this.#core
    const put = () => {
      events.subscriptions.add(subscribed)
      durableLife.arrived([subscribed])
    }
    const take = () => events.subscriptions.remove(subscribed)
    return countingFailures(this.#register(this.#use.subscriptions, subscribed, put, take), subscribed)
  }

  #observeDurably(durable: Durable): Subscription {
    const { events, durableLife } = this.#core
    const { durables } = events
    durableLife.need(durable)
    // What is staged enters together: two of a name would be found too late.
    for (const { name } of this.#use.durables) if (name === durable.name) throw nameTaken(durable)
    const put = () => {
      durables.add(durable)
      durables.join(durable)
    }
    return countingFailures(
      this.#register(this.#use.durables, durable, put, () => durables.remove(durable)),
      durable,
    )
  }

  event(pattern: PatternInput, given: unknown): Registration {
    const checked = toPattern(pattern)
    const { name: service, tenure } = this.#use
    const declared: Declared = { pattern: checked, service, ...toDeclared(given), order: tenure.orders.next() }
    const { events, durableLife } = this.#core
    durableLife.need(declared)
    const put = () => events.declarations.add(declared)
    return this.#register(this.#use.declarations, declared, put, () => events.declarations.remove(declared))
  }

  wrap(pattern: PatternInput, given: unknown, middleware: unknown): Registration {
    const checked = toPattern(pattern)
    checkThird('wrap', checked, given, middleware, WRAPS)
    const { at } = checkKeys<{ at?: unknown }>('wrap', given, ['at'])
    if (at !== undefined && at !== 'caller') {
      throw new LuciliusError(
        'LUC_OPTIONS_INVALID',
        "wrap: 'at' is 'caller', or is left out to run where the handler runs.",
      )
    }
    checkFunction('wrap', checked, middleware, WRAPS)
    const side: Side = at ?? 'handler'
    const { name, tenure } = this.#use
    const hear = this.#hearing
    const wrap = {
      pattern: checked,
      service: name,
      at: side,
      middleware:
        hear === undefined ? (middleware as Middleware) : heardMiddleware(name, middleware as Middleware, hear),
      order: tenure.orders.next(),
    }
    const { composition } = this.#core.dispatcher
    const put = () => composition.wrap(wrap)
    return this.#register(this.#use.wraps, wrap, put, () => composition.unwrap(wrap))
  }

  /** Puts something into the app, at once or, for a plugin that is staged, with everything else. */
  #register<T>(those: Set<T>, one: T, put: () => void, take: () => void): Registration {
    const { name, tenure } = this.#use
    if (tenure.standing === 'out') {
      throw new LuciliusError('LUC_PLUGIN_INVALID', `Plugin '${name}' has been replaced, and registers nothing more.`)
    }
    if (tenure.standing !== 'staged') {
      put()
      this.#core.warnOfForeignWraps()
    }
    those.add(one)
    return registration(() => {
      those.delete(one)
      take()
    })
  }

  /** The service by which a store knows its subscriptions. */
  get #lastingName(): string {
    return this.#use === this.#core.self ? this.#core.settings.lastingName : this.#use.name
  }

  /** What the app itself sends is no service's doing. */
  get #hearing() {
    return this.#use === this.#core.self ? undefined : this.#core.hear
  }

  #action(pattern: Pattern, options: ActionOptions, handler: Handler): Action {
    const { name, log, tenure } = this.#use
    const hear = this.#hearing
    return {
      pattern,
      service: name,
      options,
      handler: hear === undefined ? handler : heardHandler(name, handler, hear),
      remote: undefined,
      log,
      order: tenure.orders.next(),
      timeoutMs: options.timeoutMs ?? Number.POSITIVE_INFINITY,
      run: handler,
      outer: undefined,
      abandoned: 0,
    }
  }
}

function toActionOptions(given: unknown): ActionOptions {
  const options = checkKeys<ActionOptions>('add', given, ['message', 'reply', 'idempotent', 'timeoutMs'])
  checkSchema('message', options.message)
  checkSchema('reply', options.reply)
  if (options.timeoutMs !== undefined) checkMilliseconds('add', 'timeoutMs', options.timeoutMs)
  if (options.idempotent !== undefined && typeof options.idempotent !== 'boolean') {
    throw new LuciliusError('LUC_OPTIONS_INVALID', "add: 'idempotent' is true or false.")
  }
  return options
}

function checkSchema(key: string, schema: unknown): void {
  if (schema === undefined) return
  const standard = (schema as { '~standard'?: { validate?: unknown } } | null)?.['~standard']
  if (typeof standard?.validate === 'function') return
  throw new LuciliusError(
    'LUC_OPTIONS_INVALID',
    `add: '${key}' is a Standard Schema, as zod, valibot and others make them.`,
  )
}

/** Without a third argument the second was meant to be the function, unless it is an object as options are. */
function checkThird(where: string, pattern: Pattern, second: unknown, third: unknown, shape: string): void {
  if (third !== undefined) return
  checkFunction(where, pattern, typeof second === 'object' ? undefined : second, shape)
}

function checkFunction(where: string, pattern: Pattern, value: unknown, shape: string): void {
  if (typeof value === 'function') return
  const what = value === undefined ? 'nothing' : value === null ? 'null' : `a ${typeof value}`
  throw new LuciliusError(
    'LUC_HANDLER_INVALID',
    `${where} '${pattern.text}': expected a function ${shape}, got ${what}.`,
  )
}

function countingFailures(registered: Registration, of: { readonly failures: number }): Subscription {
  return Object.defineProperty(registered, 'failures', { enumerable: true, get: () => of.failures }) as Subscription
}

function registration(take: () => void): Registration {
  let there = true
  const remove = () => {
    if (!there) return
    there = false
    take()
  }
  return { remove, [Symbol.dispose]: remove }
}
