import { z } from 'zod'
import type { Typed } from '../../../lib/typed/typed.js'
import type { Api, Happenings } from '../rates.js'

declare const app: Typed<Api, Happenings>
declare const strict: Typed<Api, Happenings, 'strict'>

export function actions() {
  app.add('cmd:rate,role:convert', () => ({ rat: 1 })) // wrong: another reply
  app.add('cmd:rate,role:convert', async () => ({ rat: 1 })) // wrong: another reply
  app.add('cmd:rate,role:convert', () => undefined) // wrong: no reply
  app.add('cmd:rate,role:convert', (message) => ({ rate: message.form })) // wrong: a misspelt property
  app.add('cmd:get,sys:user,v:2', (message) => ({ id: message.id++, name: 'x' })) // wrong: a message is read-only
  app.add('cmd:rate,role:convert', { timeout: 1 }, () => ({ rate: 1 })) // wrong: a misspelt option
  app.add('cmd:rate,role:convert', { idempotent: true }, () => ({ rat: 1 })) // wrong: another reply
  app.add('role:new', { message: z.object({ a: z.number() }) }, (message) => message.b) // wrong: not in the schema
  app.add('role:new', { reply: z.object({ a: z.number() }) }, () => ({ a: 'x' })) // wrong: not what the schema takes
  app.add('role:new', { message: { a: 1 } }, () => 1) // wrong: no Standard Schema
  app.add('cmd:rate,role:convert') // wrong: no handler
  strict.add('role:covert,cmd:rate', () => ({ rate: 1 })) // wrong: not registered
}

export async function events() {
  await app.emit('role:rates,event:changed', { pair: 'usd_eur' }) // wrong: a property is missing
  await app.emit('role:rates,event:changed') // wrong: the message is missing
  await strict.emit('role:rates,event:changes', { pair: 'usd_eur' }) // wrong: not registered
  app.on('event:changed,role:rates', (message) => message.rat) // wrong: a misspelt property
  app.on('event:changed,role:rates', { each: 'service' }, () => {}) // wrong: no such choice
  app.on('event:changed,role:rates', (_message, context) => context.prior()) // wrong: an event has no prior
  strict.on('role:rats', () => {}) // wrong: not registered
}

export function wraps() {
  app.wrap('cmd:rate,role:convert,kind:spot', (next) => async (message, context) => (await next(message, context)).rat) // wrong: a misspelt property
  app.wrap('role:convert', { at: 'callee' }, (next) => next) // wrong: no such choice
  app.wrap('role:convert', () => 1) // wrong: a middleware makes a handler
  strict.wrap('role:covert', (next) => next) // wrong: covers nothing registered
}

export function durableEvents() {
  app.on('event:changed,role:rates', { durable: true }, () => {}) // wrong: it needs a name
  app.event('event:changed,role:rates', { durably: true }) // wrong: a misspelt option
  app.event('event:changed,role:rates') // wrong: no options
  strict.event('role:rats', { durable: true }) // wrong: not registered
  app.add('cmd:rate,role:convert', (_, context) => context.delivery) // wrong: an act is not delivered
}
