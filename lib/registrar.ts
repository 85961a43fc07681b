import type { Core } from './core.js'
import type { Action, ActionOptions } from './dispatch/action.js'
import { followed } from './dispatch/followed.js'
import type { Side } from './dispatch/wraps.js'
import { LuciliusError } from './errors.js'
import type { Subscribed } from './events/subscriptions.js'
import type { EventHandler, Handler, Middleware } from './handler.js'
import type { Logger } from './logger.js'
import { checkKeys, checkMilliseconds } from './option-checks.js'
import { type Pattern, toPattern } from './pattern.js'
import type { Registration, Subscription } from './registration.js'

type PatternInput = Parameters<typeof toPattern>[0]

/** Puts what one plugin registers into the app: actions, wraps, subscriptions. Mistakes are thrown where they are made. */
export class Registrar {
  readonly #core: Core
  readonly #service: string
  readonly #log: Logger

  constructor(core: Core, service: string, log: Logger) {
    this.#core = core
    this.#service = service
    this.#log = log
  }

  add(pattern: PatternInput, given: unknown, handler: unknown): Registration {
    const checked = toPattern(pattern)
    // Without a third argument the second was meant to be the handler.
    if (handler === undefined) checkFunction('add', checked, handler, '(message, context) => reply')
    const options = toActionOptions(given)
    checkFunction('add', checked, handler, '(message, context) => reply')
    const action = this.#action(checked, options, handler as Handler)
    const { composition } = this.#core.dispatcher
    composition.add(action)
    this.#core.warnOfForeignWraps()
    return registration(() => composition.actions.remove(action))
  }

  on(pattern: PatternInput, given: unknown, handler: unknown): Subscription {
    const checked = toPattern(pattern)
    const { each } = checkKeys<{ each?: unknown }>('on', given, ['each'])
    if (each !== undefined && each !== 'instance') {
      throw new LuciliusError('LUC_OPTIONS_INVALID', "on: 'each' is 'instance', or is left out.")
    }
    checkFunction('on', checked, handler, '(message, context) => …')
    const action = this.#action(checked, {}, handler as EventHandler)
    if (this.#core.settings.strict) action.run = followed(action.handler)
    const subscribed: Subscribed = {
      pattern: checked,
      service: this.#service,
      each: each === 'instance',
      action,
      failures: 0,
    }
    const { subscriptions } = this.#core.events
    subscriptions.add(subscribed)
    return Object.defineProperty(
      registration(() => subscriptions.remove(subscribed)),
      'failures',
      { enumerable: true, get: () => subscribed.failures },
    ) as Subscription
  }

  wrap(pattern: PatternInput, given: unknown, middleware: unknown): Registration {
    const checked = toPattern(pattern)
    const { at } = checkKeys<{ at?: unknown }>('wrap', given, ['at'])
    if (at !== undefined && at !== 'caller') {
      throw new LuciliusError(
        'LUC_OPTIONS_INVALID',
        "wrap: 'at' is 'caller', or is left out to run where the handler runs.",
      )
    }
    checkFunction('wrap', checked, middleware, '(next) => (message, context) => next(message, context)')
    const side: Side = at ?? 'handler'
    const wrap = {
      pattern: checked,
      service: this.#service,
      at: side,
      middleware: middleware as Middleware,
      order: ++this.#core.order,
    }
    const { composition } = this.#core.dispatcher
    composition.wrap(wrap)
    this.#core.warnOfForeignWraps()
    return registration(() => composition.unwrap(wrap))
  }

  #action(pattern: Pattern, options: ActionOptions, handler: Handler): Action {
    return {
      pattern,
      service: this.#service,
      options,
      handler,
      remote: undefined,
      log: this.#log,
      order: ++this.#core.order,
      timeoutMs: options.timeoutMs ?? Number.POSITIVE_INFINITY,
      run: handler,
      outer: undefined,
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

function checkFunction(where: string, pattern: Pattern, value: unknown, shape: string): void {
  if (typeof value === 'function') return
  const what = value === undefined ? 'nothing' : value === null ? 'null' : `a ${typeof value}`
  throw new LuciliusError(
    'LUC_HANDLER_INVALID',
    `${where} '${pattern.text}': expected a function ${shape}, got ${what}.`,
  )
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
