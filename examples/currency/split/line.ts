import { type Auth, sharedSecret, type Transport } from 'lucilius'
import { http } from 'lucilius/transports/http'
import { websocket } from 'lucilius/transports/websocket'

/** How the processes reach each other. */
export type LineName = 'http' | 'websocket'

/** Whether a word is the name of a transport. */
export function isLineName(word: string): word is LineName {
  return word === 'http' || word === 'websocket'
}

/** The transport that `CURRENCY_TRANSPORT` names, websocket unless given. */
export function line(where: { readonly port: number } | { readonly url: string }): Transport {
  return process.env.CURRENCY_TRANSPORT === 'http' ? http(where) : websocket(where)
}

/** What all processes of the system know, and nobody else: `CURRENCY_SECRET`. */
export function secret(): Auth {
  return sharedSecret(process.env.CURRENCY_SECRET ?? '')
}
