import type { Context, Delivery, Meta } from '../handler.js'
import type { Logger } from '../logger.js'
import type { Call } from './call.js'
import { deliveryOf } from './delivery.js'

/** Where a context finds its call and app. Symbols and not private fields, so that a wrap may pass on an object made from it. */
const CALL = Symbol('lucilius.call')
const WITHIN = Symbol('lucilius.within')

/** What a context needs of the app: acting, emitting and asking for the prior within a call. */
export interface Within {
  act(call: Call, first: unknown, data: unknown, options: unknown): Promise<unknown>
  emit(call: Call, first: unknown, data: unknown, options: unknown): Promise<void>
  prior(call: Call, message: unknown): Promise<unknown>
}

/**
 * A handler's second argument. The functions are made when they are read, so that a handler may take them apart:
 * `(message, { act, prior }) => …`.
 */
export class CallContext implements Context {
  readonly [CALL]: Call
  readonly [WITHIN]: Within

  constructor(call: Call, within: Within) {
    this[CALL] = call
    this[WITHIN] = within
  }

  get pattern(): string {
    return this[CALL].action.pattern.text
  }

  get service(): string {
    return this[CALL].action.service
  }

  get signal(): AbortSignal {
    return this[CALL].signal
  }

  get log(): Logger {
    return this[CALL].action.log
  }

  get meta(): Meta {
    return metaOf(this[CALL])
  }

  /** For handlers of events. */
  get delivery(): Delivery | undefined {
    return deliveryOf(this[CALL])
  }

  get act(): Context['act'] {
    const call = this[CALL]
    const within = this[WITHIN]
    return (first: unknown, data?: unknown, options?: unknown) => within.act(call, first, data, options)
  }

  get emit(): Context['emit'] {
    const call = this[CALL]
    const within = this[WITHIN]
    return (first: unknown, data?: unknown, options?: unknown) => within.emit(call, first, data, options)
  }

  get prior(): Context['prior'] {
    const call = this[CALL]
    const within = this[WITHIN]
    return (message?: unknown) => within.prior(call, message)
  }
}

/** The call that a context belongs to; undefined for an object that no call made. */
export function callOf(context: Context): Call | undefined {
  return (context as Partial<CallContext>)[CALL]
}

/** What contexts made by {@link through} reached the app by before. */
const BEFORE = Symbol('lucilius.before')

/** The same context, reaching the app by what `change` makes of its way; a way that was changed before is not changed twice. */
export function through(context: Context, change: (within: Within) => Within): Context {
  const given = context as Partial<CallContext> & { readonly [BEFORE]?: Within }
  const call = given[CALL]
  const within = given[BEFORE] ?? given[WITHIN]
  if (call === undefined || within === undefined) return context
  // Own properties, so that a copy of it has them too; everything else is the context's own, or what a wrap made of it.
  const changed = Object.create(context)
  changed[CALL] = call
  changed[WITHIN] = change(within)
  changed[BEFORE] = within
  return changed
}

const metas = new WeakMap<Call, Meta>()

function metaOf(call: Call): Meta {
  const known = metas.get(call)
  if (known !== undefined) return known
  const { identity, peer } = call.origin
  const meta: Meta = Object.freeze({
    id: call.id,
    traceparent: call.traceparent,
    deadline: call.deadline,
    hops: call.hops,
    ...(identity === undefined ? {} : { identity }),
    ...(peer === undefined ? {} : { peer }),
  })
  metas.set(call, meta)
  return meta
}
