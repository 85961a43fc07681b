import type { Auth, Authenticate } from '../../auth.js'
import { LuciliusError } from '../../errors.js'
import { isMessage, type Message } from '../../message.js'
import { parseMessage } from '../../message-text.js'
import type { Outside } from '../system.js'
import { hostAt } from './address.js'
import { hasKeys } from './keys.js'
import { portAt } from './number.js'
import { oneOf } from './one-of.js'
import { eventsAt, exposureAt } from './patterns.js'
import type { Place } from './place.js'

const known = ['transport', 'port', 'host', 'expose', 'events', 'auth', 'origins', 'example']

/** The doors of a group: one, a list, or none. */
export function doorsAt(place: Place): readonly { readonly place: Place; readonly door: Outside }[] {
  if (place.value === undefined) return []
  const places = Array.isArray(place.value) ? place.elements() : [place]
  return places.flatMap((one) =>
    hasKeys(one, known, 'a door, or a list of doors: an object') ? { place: one, door: doorAt(one) } : [],
  )
}

function doorAt(place: Place): Outside {
  const transport = oneOf(place.at('transport'), ['http', 'websocket'])
  return Object.freeze({
    transport,
    port: portAt(place.at('port')),
    host: hostAt(place.at('host')),
    expose: exposureAt(place.at('expose')),
    events: eventsAt(place.at('events')),
    auth: authAt(place.at('auth')),
    origins: originsAt(place.at('origins'), transport),
    ...exampleAt(place.at('example')),
  })
}

/** Never prints what it was given: it may be the secret itself. */
function authAt(place: Place): Auth | Authenticate | undefined {
  const { value } = place
  if (value === undefined || typeof value === 'function') return value as Authenticate | undefined
  if (isAuth(value)) return value
  return place.wrong("sharedSecret('…'), or a function (request) => identity")
}

function isAuth(value: unknown): value is Auth {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'authenticate') === 'function'
}

function originsAt(place: Place, transport: string): readonly string[] {
  if (place.value === undefined) return Object.freeze([])
  if (transport === 'http') place.wrong("only a 'websocket' door has origins")
  if (!Array.isArray(place.value)) place.expected("a list such as ['https://shop.example']")
  return Object.freeze(place.elements().flatMap((one) => originAt(one) ?? []))
}

function originAt(place: Place): string | undefined {
  const { value } = place
  if (typeof value === 'string' && URL.canParse(value)) {
    const { origin, pathname, search } = new URL(value)
    if (origin !== 'null' && pathname === '/' && search === '') return origin
  }
  return place.wrong('scheme, host and port of pages, such as https://shop.example: no path, no star')
}

function exampleAt(place: Place): { readonly example?: Message } {
  const { value } = place
  if (value === undefined) return {}
  if (isMessage(value)) return { example: value }
  try {
    if (typeof value === 'string') return { example: parseMessage(value) }
    place.expected('a message such as role:convert,cmd:rate,from:usd,to:eur')
  } catch (error) {
    if (!(error instanceof LuciliusError)) throw error
    place.wrong(error.message)
  }
  return {}
}
