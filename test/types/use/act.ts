import type { Typed } from '../../../lib/typed/typed.js'
import { equal } from '../equal.js'
import type { Api, Currency, Happenings } from '../rates.js'

declare const app: Typed<Api, Happenings>
declare const strict: Typed<Api, Happenings, 'strict'>
declare const bare: Typed
declare const currency: Currency
declare const text: string
declare const data: { readonly [key: string]: unknown }
declare const signal: AbortSignal

export async function anySpelling() {
  const written = await app.act('role:convert,cmd:rate', { from: 'usd', to: 'eur' })
  equal<typeof written, { rate: number }>(true)
  const swapped = await app.act('cmd:rate,role:convert', { from: 'usd', to: 'eur' })
  equal<typeof swapped, { rate: number }>(true)
  const spaced = await app.act('cmd:rate , role: convert', { from: currency, to: 'eur' })
  equal<typeof spaced, { rate: number }>(true)
  const lines = await app.act('cmd: rate\nrole: convert\n', { from: 'usd', to: 'eur' })
  equal<typeof lines, { rate: number }>(true)
  const quoted = await app.act(`{ "cmd": 'rate', role: convert }`, { from: 'usd', to: 'eur' })
  equal<typeof quoted, { rate: number }>(true)
  const whole = await app.act({ cmd: 'rate', role: 'convert', from: 'usd', to: currency })
  equal<typeof whole, { rate: number }>(true)
  const split = await app.act('role:convert', { cmd: 'rate', from: 'usd', to: 'eur' })
  equal<typeof split, { rate: number }>(true)
  const patternObject = await app.act({ role: 'convert', cmd: 'rate' }, { from: 'usd', to: 'eur' })
  equal<typeof patternObject, { rate: number }>(true)
  const wholeText = await app.act('role:convert,cmd:rate,from:usd,to:eur')
  equal<typeof wholeText, { rate: number }>(true)
  const numbers = await app.act('sys:user,cmd:get,v:2,id:7')
  equal<typeof numbers, { id: number; name: string }>(true)
  const halfText = await app.act('role:convert,cmd:rate,from:usd', { to: 'eur' })
  equal<typeof halfText, { rate: number }>(true)
}

export async function options() {
  const both = await app.act('role:convert,cmd:rate', { from: 'usd', to: 'eur' }, { timeoutMs: 5, signal })
  equal<typeof both, { rate: number }>(true)
  const none = await app.act('role:convert,cmd:list', undefined, { timeoutMs: 5 })
  equal<typeof none, Currency[]>(true)
  const empty = await app.act('role:convert,cmd:list', {}, { timeoutMs: 5 })
  equal<typeof empty, Currency[]>(true)
  const whole = await app.act({ role: 'convert', cmd: 'rate', from: 'usd', to: 'eur' }, undefined, { identity: 'me' })
  equal<typeof whole, { rate: number }>(true)
  const wholeText = await app.act('role:convert,cmd:rate,from:usd,to:eur', undefined, { timeoutMs: 5 })
  equal<typeof wholeText, { rate: number }>(true)
  const exact = await app.act('role:convert,cmd:rate', { from: 'usd', to: 'eur', at: 'now' }, { exact: true })
  equal<typeof exact, { rate: number }>(true)
  const dynamic = await app.act('role:convert', { raw: 'x', ...data }, { exact: true })
  equal<typeof dynamic, 'fallback'>(true)
}

export async function theMostSpecificPattern() {
  const spot = await app.act('kind:spot,cmd:rate,role:convert', { from: 'usd', to: 'eur' })
  equal<typeof spot, { rate: number; spot: true }>(true)
  const byData = await app.act('cmd:rate,role:convert', { kind: 'spot', from: 'usd', to: 'eur' })
  equal<typeof byData, { rate: number; spot: true }>(true)
  const whole = await app.act({ cmd: 'rate', role: 'convert', kind: 'spot', from: 'usd', to: 'eur' })
  equal<typeof whole, { rate: number; spot: true }>(true)
  const list = await app.act('cmd:list,role:convert')
  equal<typeof list, Currency[]>(true)
  const number = await app.act({ sys: 'user', cmd: 'get', v: 2, id: 7 })
  equal<typeof number, { id: number; name: string }>(true)
  const numberText = await app.act('v:2,sys:user,cmd:get', { id: 7 })
  equal<typeof numberText, { id: number; name: string }>(true)
  const wider = await app.act('role:convert,other:thing', { raw: 'x' })
  equal<typeof wider, 'fallback'>(true)
  const yes = await app.act({ on: true })
  equal<typeof yes, 'on'>(true)
  const glob = await app.act('role:file,name:notes.txt', { text: 'x' })
  equal<typeof glob, { size: number }>(true)
  const globWhole = await app.act({ role: 'file', name: 'notes.txt', text: 'x' })
  equal<typeof globWhole, { size: number }>(true)
  const noGlob = await app.act('role:file,name:notes.md', { text: 'x' })
  equal<typeof noGlob, unknown>(true)
}

export async function whatOnlyTheRunningProgramKnows() {
  const dynamic = await app.act(text, { a: 1 })
  equal<typeof dynamic, unknown>(true)
  const dynamicMessage = await app.act(data)
  equal<typeof dynamicMessage, unknown>(true)
  const dynamicValue = await app.act({ role: 'file', name: text })
  equal<typeof dynamicValue, unknown>(true)
  const perhapsSpot = await app.act({ role: 'convert', cmd: 'rate', kind: text, from: 'usd', to: 'eur' } as const)
  equal<typeof perhapsSpot, { rate: number } | { rate: number; spot: true }>(true)
  const nested = await app.act('role:convert,cmd:rate,items:[{sku:a1}]')
  equal<typeof nested, unknown>(true)
  const either = await app.act(Math.random() > 1 ? 'role:convert,cmd:list' : 'on:true')
  equal<typeof either, Currency[] | 'on'>(true)
}

export async function theOpenRegistry() {
  const unknown = await app.act('role:unknown', { any: 'thing' })
  equal<typeof unknown, unknown>(true)
  const empty = await app.act('', { any: 'thing' })
  equal<typeof empty, unknown>(true)
  const untyped = await bare.act('role:any,cmd:thing', { a: 1 }, { timeoutMs: 5 })
  equal<typeof untyped, unknown>(true)
  await bare.act({ role: 'any' })
  await bare.act('role:any,cmd:thing')
  await bare.act(text, undefined, { timeoutMs: 1 })
  const dollar = await app.act('role:unknown,timeout$:1', { wait$: true })
  equal<typeof dollar, unknown>(true)
}

export async function theStrictRegistry() {
  const rate = await strict.act('cmd:rate,role:convert', { from: 'usd', to: 'eur' }, { timeoutMs: 5 })
  equal<typeof rate, { rate: number }>(true)
  const list = await strict.act({ role: 'convert', cmd: 'list' })
  equal<typeof list, Currency[]>(true)
  const glob = await strict.act('role:file,name:a.txt', { text: '' })
  equal<typeof glob, { size: number }>(true)
}

export async function arraysInMessages() {
  type Shop = { 'role:shop,cmd:order'(message: { items: { sku: string; tags: string[] }[] }): 'ok' }
  const shop = {} as Typed<Shop>
  const one = await shop.act({ role: 'shop', cmd: 'order', items: [{ sku: 'a', tags: ['x'] }] })
  equal<typeof one, 'ok'>(true)
  const two = await shop.act('role:shop,cmd:order', { items: [{ sku: 'a', tags: ['x'] }] })
  equal<typeof two, 'ok'>(true)
  const three = await shop.act({ role: 'shop', cmd: 'order', items: [{ sku: 'a', tags: ['x'] }] }, undefined, {
    timeoutMs: 5,
  })
  equal<typeof three, 'ok'>(true)
}

export async function theCatchAll() {
  const rest = {} as Typed<{ ''(message: {}): 'rest'; 'role:a'(message: {}): 'a' }, {}, 'strict'>
  const other = await rest.act('role:b')
  equal<typeof other, 'rest'>(true)
  const a = await rest.act({ role: 'a' })
  equal<typeof a, 'a'>(true)
  const empty = await rest.act('')
  equal<typeof empty, 'rest'>(true)
  rest.add('', () => 'rest')
}

export async function globs() {
  const files = {} as Typed<{ 'v:?.?'(message: {}): 'two'; 'v:1.*'(message: {}): 'one' }>
  const two = await files.act('v:2.3')
  equal<typeof two, 'two'>(true)
  const long = await files.act({ v: '2.34' })
  equal<typeof long, unknown>(true)
  const ambiguous = await files.act('v:1.2')
  equal<typeof ambiguous, 'one' | 'two'>(true)
  const one = await files.act({ v: '1.23' })
  equal<typeof one, 'one'>(true)
}
