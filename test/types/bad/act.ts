import type { Typed } from '../../../lib/typed/typed.js'
import type { Api, Happenings } from '../rates.js'

declare const app: Typed<Api, Happenings>
declare const strict: Typed<Api, Happenings, 'strict'>
declare const text: string

export async function messages() {
  await app.act('role:convert,cmd:rate', { from: 'usd' }) // wrong: a property is missing
  await app.act('cmd:rate,role:convert', { from: 'usd', to: 'gbp' }) // wrong: a value is not allowed
  await app.act('cmd:rate,role:convert', { from: 'usd', to: 'eur', form: 1 }) // wrong: a misspelt property
  await app.act('cmd:get,sys:user,v:2', { id: 1, timeout$: 5 }) // wrong: there are no directives
  await app.act('cmd:get,sys:user,v:2', { id: 1, cmd: 'put' }) // wrong: the message contradicts its pattern
  await app.act({ role: 'convert', cmd: 'rate', from: 'usd' }) // wrong: a property is missing
  await app.act({ role: 'convert', cmd: 'rate', from: 'usd', to: 'gbp' }) // wrong: a value is not allowed
  await app.act({ role: 'convert', cmd: 'rate', from: 'usd', to: 'eur', x: 1 }) // wrong: a property too many
  await app.act({ role: 'convert', cmd: 'rate', from: 'usd' }, undefined, { timeoutMs: 5 }) // wrong: a property is missing
  await app.act('cmd:rate,role:convert') // wrong: the message is missing
  await app.act('cmd:rate,role:convert', undefined, { timeoutMs: 5 }) // wrong: the message is missing
  await app.act('sys:user,cmd:get,v:2,id:x') // wrong: a value in the text is not allowed
  await app.act('role:file,name:notes.txt', { txt: '' }) // wrong: a misspelt property
  await app.act('role:convert,cmd:list', {}, { timeout: 5 }) // wrong: a misspelt option
}

export async function replies() {
  ;(await app.act('cmd:rate,role:convert', { from: 'usd', to: 'eur' })).rat // wrong: a misspelt property of the reply
  const size: number = await app.act('role:convert,cmd:list') // wrong: another reply
  return size
}

export async function strictly() {
  await strict.act('role:convert,cmd:rat,x:y') // wrong: the message of a wider pattern is missing
  await strict.act('role:covert,cmd:rat', { from: 'usd', to: 'eur' }) // wrong: not registered
  await strict.act('role:covert,cmd:list') // wrong: not registered
  await strict.act({ role: 'covert', cmd: 'rate' }) // wrong: not registered
  await strict.act(text, {}) // wrong: only the running program knows
  await strict.act('a:b:c') // wrong: no pattern
  await strict.act('a') // wrong: no pattern
  await strict.act('a,b') // wrong: no pattern
  await strict.act('a:') // wrong: no pattern
  await strict.act('[1,2]') // wrong: no pattern
  await strict.act('') // wrong: no catch-all is registered
}
