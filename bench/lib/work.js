// The one unit of work that every contender does: the same message, the same reply.

import { setTimeout as sleep } from 'node:timers/promises'

export const PATTERN = { role: 'rate', cmd: 'convert' }

// A fresh message for every call, as a program would write it. The amount varies, so that a reply to another
// message is noticed.
export const wholeMessage = (i) => ({ role: 'rate', cmd: 'convert', from: 'usd', to: 'eur', amount: 100 + (i % 100) })

// The same for a call that names the pattern apart from it: together they are the whole message.
export const restOfMessage = (i) => ({ from: 'usd', to: 'eur', amount: 100 + (i % 100) })

// The service. Only the restart suite sends `delay` (ms), to keep messages in flight.
export async function handler(message) {
  if (message.delay) await sleep(message.delay)
  return { rate: 0.91, from: message.from, to: message.to, amount: message.amount }
}

/** Throws unless the reply belongs to the message. */
export function verify(message, reply) {
  if (reply?.rate !== 0.91 || reply.amount !== message.amount || reply.to !== 'eur') {
    throw new Error(`wrong reply ${JSON.stringify(reply)} to ${JSON.stringify(message)}`)
  }
}

/** `count - 1` patterns beside PATTERN, in the usual style: ten commands to a role. */
export function otherPatterns(count) {
  return Array.from({ length: count - 1 }, (_, i) => ({ role: `r${Math.floor(i / 10)}`, cmd: `c${i % 10}` }))
}

/** A local contender made of a pattern index, `{ add, find }`, and a call of what it finds. */
export function routed(index, patterns = 10) {
  for (const pattern of otherPatterns(patterns)) index.add(pattern, handler)
  index.add(PATTERN, handler)
  return { call: (message) => index.find(message)(message) }
}
