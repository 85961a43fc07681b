import * as v from 'valibot'
import { z } from 'zod'
import type { Delivery } from '../../../lib/handler.js'
import type { Registration, Subscription } from '../../../lib/registration.js'
import type { Typed } from '../../../lib/typed/typed.js'
import { equal } from '../equal.js'
import type { Api, Currency, Happenings } from '../rates.js'

declare const app: Typed<Api, Happenings>
declare const strict: Typed<Api, Happenings, 'strict'>
declare const bare: Typed
declare const text: string

export function theRegistryTypesAHandler() {
  const added = app.add('role:convert,cmd:rate', async (message, context) => {
    equal<typeof message.from, Currency>(true)
    equal<typeof message.cmd, 'rate'>(true)
    equal<typeof context.signal, AbortSignal>(true)
    equal<typeof context.meta.hops, number>(true)
    context.log.info({ pattern: context.pattern })
    const list = await context.act('role:convert,cmd:list')
    equal<typeof list, Currency[]>(true)
    await context.emit('role:rates,event:changed', { pair: 'usd_eur', rate: 1 })
    return { rate: 1 }
  })
  equal<typeof added, Registration>(true)
  app.add('cmd:rate, role:convert', (message) => ({ rate: message.from === 'usd' ? 1 : 2 }))
  app.add({ role: 'convert', cmd: 'rate' }, (message) => ({ rate: message.from === 'usd' ? 1 : 2 }))
  app.add('role:convert,cmd:list', () => ['usd'])
  strict.add('role:convert,cmd:list', () => Promise.resolve(['usd' as const]))
  app.add('v:2,cmd:get,sys:user', (message) => {
    equal<typeof message.v, '2' | 2>(true)
    return { id: message.id, name: 'x' }
  })
}

export function anOpenPatternIsTypedByItsPairs() {
  app.add('role:new,cmd:thing', (message) => {
    equal<typeof message.role, 'new'>(true)
    equal<typeof message.other, unknown>(true)
    return 1
  })
  bare.add('role:any', () => undefined)
  bare.add('', (message) => message.any)
  bare.add(text, (message) => message.any)
  app.add('role:new,cmd:*', (message) => {
    equal<typeof message.cmd, string | number | boolean>(true)
  })
}

export function aSpecialCaseKeepsTheContractOfTheWiderPattern() {
  app.add('role:convert,cmd:rate,to:jpy', async (message, context) => {
    equal<typeof message.to, 'jpy'>(true)
    equal<typeof message.from, Currency>(true)
    const general = await context.prior()
    equal<typeof general, { rate: number } | 'fallback' | undefined>(true)
    await context.prior({ ...message, to: 'eur' })
    return { rate: 1 }
  })
  app.add('role:file,name:a*.txt', (message) => ({ size: message.text.length }))
}

export function aPriorIsTypedWhereItIsKnown() {
  app.add('sys:user,cmd:get,v:2', async (_message, context) => {
    const user = await context.prior()
    equal<typeof user, { id: number; name: string } | undefined>(true)
    return user ?? { id: 1, name: 'x' }
  })
  app.add('role:new', async (_message, context) => {
    const unknown = await context.prior()
    equal<typeof unknown, unknown>(true)
  })
}

export function schemasTypeAHandler() {
  const schema = z.object({ from: z.string(), amount: z.coerce.number().default(1) })
  app.add('role:new,cmd:amount', { message: schema }, (message, context) => {
    equal<typeof message.amount, number>(true)
    equal<typeof message.from, string>(true)
    equal<typeof message.cmd, 'amount'>(true)
    context.signal.throwIfAborted()
    return message.amount
  })
  app.add('role:new,cmd:v', { message: v.object({ id: v.number() }), idempotent: true }, ({ id }) => {
    equal<typeof id, number>(true)
  })
  app.add(
    'role:new,cmd:both',
    { message: schema, reply: z.object({ rate: z.number() }), timeoutMs: 5 },
    async (message) => ({
      rate: message.amount,
    }),
  )
  app.add('role:convert,cmd:rate', { reply: z.object({ rate: z.coerce.number<string>() }) }, (message) => ({
    rate: message.from,
  }))
  app.add('role:convert,cmd:rate', { idempotent: true }, (message) => ({ rate: message.from === 'usd' ? 1 : 2 }))
  strict.add('role:convert,cmd:rate', { message: schema, timeoutMs: 5 }, (message) => ({ rate: message.amount }))
}

export function eventsAreTyped() {
  const subscription = app.on('role:rates,event:changed', (message, context) => {
    equal<typeof message.rate, number>(true)
    equal<typeof message.event, 'changed'>(true)
    context.log.info(message.pair)
  })
  equal<typeof subscription, Subscription>(true)
  app.on('event:changed,role:rates', { each: 'instance' }, async ({ pair }) => {
    equal<typeof pair, string>(true)
  })
  app.on('role:rates,event:changed,pair:usd_eur', ({ pair, rate }) => {
    equal<typeof pair, 'usd_eur'>(true)
    equal<typeof rate, number>(true)
  })
  app.on('role:rates', (message) => {
    equal<typeof message.role, 'rates'>(true)
    equal<typeof message.rate, unknown>(true)
  })
  strict.on('role:rates', (message) => {
    equal<typeof message.event, 'changed' | 'stale'>(true)
    if (message.event === 'changed') equal<typeof message.rate, number>(true)
  })
  bare.on('role:any', { each: 'instance' }, (message) => message.any)
}

export function durableEventsAreTyped() {
  const declared = app.event('event:changed,role:rates', { durable: true, retain: true, key: 'pair' })
  equal<typeof declared, Registration>(true)
  app.event('role:rates', { durable: true, orderBy: ['pair', 'event'] })
  strict.event('role:clock,event:tick', { retain: true })
  bare.event({ role: 'any' }, { durable: false })
  const backoff = { firstMs: 100, maxMs: 1000 }
  const options = { durable: 'books', orderBy: 'pair', maxDeliveries: 3, concurrency: 1, timeoutMs: 5, backoff }
  const subscription = app.on('role:rates,event:changed', options, (message, { delivery }) => {
    equal<typeof message.rate, number>(true)
    equal<typeof delivery, Delivery | undefined>(true)
    equal<Delivery['retained'], true | undefined>(true)
  })
  equal<typeof subscription, Subscription>(true)
}

export async function emitting() {
  await app.emit('event:changed,role:rates', { pair: 'usd_eur', rate: 1 })
  await app.emit({ role: 'rates', event: 'changed', pair: 'usd_eur', rate: 1 }, undefined, { identity: 'me' })
  await app.emit('role:clock,event:tick')
  await app.emit('role:clock,event:tick', undefined, { identity: 'me' })
  await app.emit('role:clock,event:tock', { any: 1 })
  await strict.emit('role:clock,event:tick')
  await bare.emit('role:clock', { at: 1 })
}

export function wrapping() {
  const wrapped = app.wrap('role:convert', (next) => async (message, context) => {
    equal<typeof message.role, 'convert'>(true)
    const reply = await next(message, context)
    equal<typeof reply, unknown>(true)
    return reply
  })
  equal<typeof wrapped, Registration>(true)
  app.wrap('cmd:get,sys:user,v:2', { at: 'caller' }, (next) => async (message, context) => {
    equal<typeof message.id, number>(true)
    const user = await next({ ...message, id: message.id + 1 }, context)
    equal<typeof user, { id: number; name: string }>(true)
    return user
  })
  app.wrap('', (next) => (message, context) => next(message, context))
  strict.wrap('role:convert', (next) => next)
  strict.wrap('role:*', (next) => next)
  bare.wrap({ role: 'any' }, { at: 'caller' }, (next) => next)
}
