import { patternMatches } from '../covers.js'
import type { ActionInfo } from '../explain.js'
import type { Sending } from '../host.js'
import type { Logger } from '../logger.js'
import type { Message } from '../message.js'
import { scalarPairs } from './scalar-pairs.js'
import type { Service } from './system.js'

/** Patterns that are warned of: whoever has not looked by then will not look at more. */
const MOST = 1000

/** What watching needs to know. */
export interface UsesWatchOptions {
  /** What each service says it sends; undefined: it does not say. */
  readonly services: ReadonlyMap<string, Pick<Service, 'uses' | 'emits'>>
  /** The action that answers a message. */
  readonly find: (message: Message) => Pick<ActionInfo, 'pattern'> | undefined
  readonly log: Logger
}

/**
 * Warns, once for each pattern, when a service sends what it does not say in `uses`: `plan` cannot find that a home. A
 * service that says nothing is not watched, and neither are plugins.
 */
export function usesWatch({ services, find, log }: UsesWatchOptions): (sending: Sending) => void {
  const warned = new Set<string>()
  return (sending) => {
    const { service, kind, message } = sending
    const { uses, emits = [] } = services.get(service) ?? {}
    if (uses === undefined || uses.some((one) => patternMatches(one, message))) return
    if (kind === 'emit' && emits.some((one) => patternMatches(one, message))) return
    const pattern = nameOf(sending, find)
    const key = `${service} ${kind} ${pattern}`
    if (warned.has(key) || warned.size >= MOST) return
    warned.add(key)
    const does = kind === 'act' ? 'acts on' : 'emits'
    log.warn(
      { service, pattern },
      `'${service}' ${does} ${pattern}, which its 'uses' do not cover: add it there, so that a plan finds it a home`,
    )
  }
}

/** The pattern as it was written; of a whole message, which has data in it, that of the action it goes to. */
function nameOf({ kind, pattern, message }: Sending, find: UsesWatchOptions['find']): string {
  const isWhole = kind === 'act' && typeof pattern !== 'string'
  const answering = isWhole ? find(message)?.pattern : undefined
  if (answering !== undefined) return answering
  const pairs = scalarPairs(pattern)
  return Object.entries(pairs)
    .map(([key, value]) => `${key}:${String(value)}`)
    .join(',')
    .slice(0, 200)
}
