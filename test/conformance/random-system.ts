import type { StandardSchemaV1 } from '@standard-schema/spec'
import fc from 'fast-check'
import { ActionError, type App, type Context, type Message, type Scalar } from '../../lib/index.js'

/** The pairs of a pattern. */
type Pairs = Readonly<Record<string, Scalar>>

/** The first argument of `act`, and whether it alone decides the route. */
export interface Head {
  readonly head: Message
  readonly exact: boolean
}

/** What a handler of a random system does with its message. */
export type Deed =
  | { readonly does: 'tell' }
  | { readonly does: 'give'; readonly value: unknown }
  | { readonly does: 'prior'; readonly message?: Message }
  | { readonly does: 'act'; readonly what: Head; readonly message: Message; readonly catches: boolean }
  | { readonly does: 'emit'; readonly message: Message }
  | { readonly does: 'refuse'; readonly details: unknown }
  | { readonly does: 'throw' }

/** A service of a random system: patterns and what is done for them. */
export interface ServicePlan {
  readonly actions: readonly { readonly pattern: Pairs; readonly deed: Deed; readonly asks: string | null }[]
  readonly subscriptions: readonly Pairs[]
}

/** A whole random system. */
export interface SystemPlan {
  readonly services: readonly ServicePlan[]
  /** A pattern around which every app of the system has the same wrap. */
  readonly policy: Pairs | null
}

/** How often each subscription ran. */
export type Counts = Map<string, number>

// Few keys and values, so that special cases, globs, priors and circles are the rule.
const value = fc.constantFrom<Scalar>(0, 1, 2, 10, '1', '*', '1*', '?', true)
const pattern = fc.dictionary(fc.constantFrom('a', 'b', 'c'), value, { minKeys: 1 })
const odd = fc.constantFrom<unknown>(null, { inside: [1] }, [], '', 1.5, 'Grüße', new Date(0), Number.NaN, undefined)

/** Messages that find one of the actions more often than not. */
export const messages: fc.Arbitrary<Message> = fc.dictionary(
  fc.constantFrom('a', 'b', 'c', 'd'),
  fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: odd }),
)

/** What to send: with `exact` the first part is what the message is routed by. */
export const heads: fc.Arbitrary<Head> = fc.record({ head: messages, exact: fc.boolean() })

const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Deed>({ does: 'tell' }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('give' as const), value: fc.oneof(odd, fc.jsonValue()) }) },
  {
    weight: 4,
    arbitrary: fc.record({ does: fc.constant('prior' as const), message: messages }, { requiredKeys: ['does'] }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('act' as const),
      what: heads,
      message: messages,
      catches: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('emit' as const), message: messages }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('refuse' as const), details: fc.oneof(odd, fc.jsonValue()) }) },
  { weight: 1, arbitrary: fc.constant<Deed>({ does: 'throw' }) },
)

const service: fc.Arbitrary<ServicePlan> = fc.record({
  actions: fc.array(fc.record({ pattern, deed, asks: fc.option(fc.constantFrom('a', 'd'), { freq: 4 }) }), {
    maxLength: 5,
  }),
  subscriptions: fc.array(pattern, { maxLength: 2 }),
})

/** Systems of one to five services. A pattern belongs to one service, which may have several actions for it. */
export const systems: fc.Arbitrary<SystemPlan> = fc
  .record({ services: fc.array(service, { minLength: 1, maxLength: 5 }), policy: fc.option(pattern) })
  .map(({ services, policy }) => {
    const owners = new Map<string, ServicePlan>()
    const mine = (service: ServicePlan, pattern: Pairs) => {
      const text = JSON.stringify(
        Object.entries(pattern)
          .map(([key, value]) => `${key}:${value}`)
          .sort(),
      )
      if (!owners.has(text)) owners.set(text, service)
      return owners.get(text) === service
    }
    const own = (service: ServicePlan) => service.actions.filter(({ pattern }) => mine(service, pattern))
    return { services: services.map((service) => ({ ...service, actions: own(service) })), policy }
  })

/** The service of a plan as a plugin. */
export function toPlugin(plan: ServicePlan, index: number, counts: Counts) {
  const name = `service-${index}`
  const setup = (app: App) => {
    for (const [place, { pattern, deed, asks }] of plan.actions.entries()) {
      const who = `${name}.${place}`
      const options = asks === null ? {} : { message: asking(asks) }
      app.add(pattern, options, (message, context) => perform(deed, who, message, context))
    }
    for (const [place, pattern] of plan.subscriptions.entries()) {
      const who = `${name}.${place}`
      app.on(pattern, () => void counts.set(who, (counts.get(who) ?? 0) + 1))
    }
  }
  return { name, setup }
}

/** A policy that every process of a system loads: it marks replies, and lets errors pass. */
export function toPolicy(pattern: Pairs | null) {
  const setup = (app: App) => {
    if (pattern === null) return
    app.wrap(pattern, (next) => async (message, context) => ({ by: 'policy', of: await next(message, context) }))
  }
  return { name: 'policy', setup }
}

async function perform(deed: Deed, who: string, message: Message, context: Context): Promise<unknown> {
  const { act, emit, prior, meta } = context
  if (deed.does === 'tell') {
    const { hops, identity } = meta
    return { who, message, pattern: context.pattern, service: context.service, hops, identity }
  }
  if (deed.does === 'give') return deed.value
  if (deed.does === 'prior') return [who, (await prior(deed.message)) ?? 'nothing']
  if (deed.does === 'act') {
    const { message, catches } = deed
    const { head, exact } = deed.what
    const reply = act(head, message, { exact })
    return [who, (await (catches ? reply.catch(({ code, handled }) => ({ code, handled })) : reply)) ?? 'nothing']
  }
  if (deed.does === 'emit') {
    await emit(deed.message)
    return who
  }
  if (deed.does === 'refuse') throw new ActionError('REFUSED', `${who} refuses`, deed.details)
  throw new RangeError(who)
}

/** A schema that asks for a key, and adds one. */
function asking(key: string): StandardSchemaV1<Message, Message> {
  const check = (value: unknown) => {
    const message = value as Message // handlers get nothing else
    if (Object.hasOwn(message, key)) return { value: { ...message, checked: true } }
    return { issues: [{ message: `${key} is missing`, path: [key] }] }
  }
  return { '~standard': { version: 1, vendor: 'test', validate: check } }
}
