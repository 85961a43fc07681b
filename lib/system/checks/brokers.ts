import { noBrokers } from '../plain-deployment.js'
import type { Brokers } from '../system.js'
import { brokerAddressProblem } from './address.js'
import { hasKeys } from './keys.js'
import type { Place } from './place.js'

/** Where the brokers of a deployment are. Prints no address: one may hold a password. */
export function brokersAt(place: Place): Brokers {
  if (place.value === undefined || !hasKeys(place, ['space', 'nats', 'amqp'])) return noBrokers
  return Object.freeze({
    space: spaceAt(place.at('space')),
    nats: natsAt(place.at('nats')),
    amqp: amqpAt(place.at('amqp')),
  })
}

/** What a space may be called. */
export const spaceRule = "at most 50 letters, digits, '-' and '_'"

/** Tells whether a system may be called so on a broker. */
export function isSpace(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9_-]{1,50}$/.test(name)
}

function spaceAt(place: Place): string | undefined {
  const { value } = place
  return value === undefined || isSpace(value) ? value : place.expected(spaceRule)
}

function natsAt(place: Place): Brokers['nats'] {
  if (place.value === undefined || !hasKeys(place, ['servers', 'creds', 'tls'])) return noBrokers.nats
  return Object.freeze({
    servers: serversAt(place.at('servers')),
    creds: credsAt(place.at('creds')),
    tls: tlsAt(place.at('tls')),
  })
}

function amqpAt(place: Place): Brokers['amqp'] {
  if (place.value === undefined || !hasKeys(place, ['url', 'tls'])) return noBrokers.amqp
  const url = place.at('url')
  return Object.freeze({
    url: url.value === undefined ? undefined : addressAt(url, 'amqp'),
    tls: tlsAt(place.at('tls')),
  })
}

function serversAt(place: Place): readonly string[] | undefined {
  const { value } = place
  if (value === undefined) return undefined
  if (typeof value === 'string') return Object.freeze([addressAt(place, 'nats') ?? ''])
  if (!Array.isArray(value) || value.length === 0) {
    return place.wrong('an address such as nats://127.0.0.1:4222, or a list of them')
  }
  return Object.freeze(place.elements().flatMap((one) => addressAt(one, 'nats') ?? []))
}

function addressAt(place: Place, broker: 'nats' | 'amqp'): string | undefined {
  const problem = brokerAddressProblem(place.value, broker)
  if (problem !== undefined) return place.wrong(problem)
  const { username, password } = new URL(String(place.value))
  if (username === '' && password === '') return String(place.value)
  const variables = broker === 'nats' ? 'LUCILIUS_NATS_CREDS, or _USER and _PASSWORD' : 'LUCILIUS_AMQP_URL'
  return place.wrong(`a description holds no user and password: set ${variables}`)
}

function credsAt(place: Place): string | undefined {
  const { value } = place
  if (value === undefined || (typeof value === 'string' && value.trim() !== '')) return value
  return place.wrong('the path of a file with credentials')
}

function tlsAt(place: Place): object | undefined {
  const { value } = place
  if (value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value))) return value
  return place.wrong('an object with options of the client, such as { ca }')
}
