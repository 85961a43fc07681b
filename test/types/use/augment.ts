import type { Typed } from 'lucilius'
import { equal } from '../equal.js'

declare module 'lucilius' {
  interface Patterns {
    'role:augmented,cmd:rate'(message: { from: string }): { rate: number }
  }
  interface Events {
    'role:augmented,event:changed'(message: { pair: string }): void
  }
}

declare const app: Typed

export async function theRegistriesOfTheWholeProgram() {
  const reply = await app.act('cmd:rate,role:augmented', { from: 'usd' })
  equal<typeof reply, { rate: number }>(true)
  await app.emit('role:augmented,event:changed', { pair: 'usd_eur' })
  app.on('role:augmented,event:changed', ({ pair }) => equal<typeof pair, string>(true))
}
