import type { Actions } from '../dispatch/actions.js'
import { LuciliusError } from '../errors.js'
import type { Subscriptions } from '../events/subscriptions.js'
import { type Pattern, toPattern } from '../pattern.js'
import { type AnnouncedAction, type AnnouncedSubscription, type Announcement, WIRE_VERSION } from '../transport.js'
import type { Exposure } from './exposure.js'

/** The most patterns that one peer may announce. */
const MAX_ANNOUNCED = 10_000

/** What this app tells the other end of a connection: its own actions that are exposed there, never learned ones. */
export function announce(
  self: Pick<Announcement, 'name' | 'instance' | 'draining' | 'starting'>,
  actions: Actions,
  subscriptions: Subscriptions,
  exposure: Exposure,
): Announcement {
  return {
    wire: WIRE_VERSION,
    name: self.name,
    instance: self.instance,
    draining: self.draining,
    ...(self.starting === true ? { starting: true } : {}),
    actions: announcedActions(actions, exposure),
    subscriptions: announcedSubscriptions(subscriptions, exposure),
  }
}

function announcedActions(actions: Actions, exposure: Exposure): AnnouncedAction[] {
  const list: AnnouncedAction[] = []
  for (const [pattern, slot] of actions.router.entries()) {
    const action = slot.local.at(-1)
    if (action === undefined || !exposure.action(pattern)) continue
    const { service, options } = action
    list.push({ pattern: pattern.text, service, ...(options.idempotent === true ? { idempotent: true } : {}) })
  }
  return list
}

function announcedSubscriptions(subscriptions: Subscriptions, exposure: Exposure): AnnouncedSubscription[] {
  const list = new Map<string, AnnouncedSubscription>()
  for (const { pattern, service, each } of subscriptions.all()) {
    if (!exposure.subscription(pattern)) continue
    const one: AnnouncedSubscription = { pattern: pattern.text, service, ...(each ? { each: 'instance' } : {}) }
    list.set(JSON.stringify(one), one)
  }
  return [...list.values()]
}

/** What a peer announced, checked, with its patterns read. */
export interface Heard {
  readonly name: string
  readonly instance: string
  readonly draining: boolean
  readonly starting: boolean
  readonly actions: readonly { readonly pattern: Pattern; readonly service: string; readonly idempotent: boolean }[]
  readonly subscriptions: readonly { readonly pattern: Pattern; readonly service: string; readonly each: boolean }[]
}

/** Reads an announcement from a wire. Properties that are not known pass by. Throws `LUC_WIRE_INVALID`. */
export function readAnnouncement(value: unknown): Heard {
  const given = asRecord(value, 'announcement')
  if (given.wire !== WIRE_VERSION) {
    throw wrong(
      `speaks version ${String(given.wire)} of the wire format, this app speaks ${WIRE_VERSION}: update one of them`,
    )
  }
  return {
    name: text(given, 'name'),
    instance: text(given, 'instance'),
    draining: given.draining === true,
    starting: given.starting === true,
    actions: list(given, 'actions').map((one) => ({
      pattern: pattern(one),
      service: text(one, 'service'),
      idempotent: one.idempotent === true,
    })),
    subscriptions: list(given, 'subscriptions').map((one) => ({
      pattern: pattern(one),
      service: text(one, 'service'),
      each: one.each === 'instance',
    })),
  }
}

type Fields = { readonly [key: string]: unknown }

function asRecord(value: unknown, what: string): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields
  throw wrong(`has no object as ${what}`)
}

function list(given: Fields, key: string): Fields[] {
  const value = given[key]
  if (!Array.isArray(value)) throw wrong(`has no list '${key}'`)
  if (value.length > MAX_ANNOUNCED) throw wrong(`announces more than ${MAX_ANNOUNCED} ${key}`)
  return value.map((one) => asRecord(one, `entry of '${key}'`))
}

function text(given: Fields, key: string): string {
  const value = given[key]
  if (typeof value === 'string' && value !== '' && value.length <= 200) return value
  throw wrong(`has no text of 1 to 200 characters as '${key}'`)
}

function pattern(given: Fields): Pattern {
  const value = given.pattern
  if (typeof value !== 'string') throw wrong("has an entry without 'pattern'")
  try {
    return toPattern(value)
  } catch (error) {
    throw wrong('announces a pattern that cannot be read', error)
  }
}

function wrong(what: string, cause?: unknown): LuciliusError {
  return new LuciliusError('LUC_WIRE_INVALID', `The peer ${what}.`, { cause })
}
