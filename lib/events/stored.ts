import type { Message } from '../message.js'
import type { StoredEvent } from '../store.js'
import { newId, newTraceParent, parseTraceParent } from '../trace.js'
import { decodeJson, encodeJson } from '../wire-json.js'
import type { Declared } from './declarations.js'
import type { Emission } from './emission.js'
import { eventKey } from './event-key.js'

/**
 * An event as it is kept: what the message is now, whatever its emitter does to it later. Throws `LUC_MESSAGE_INVALID`
 * without the properties of its key, and what a message that cannot be carried is refused with.
 */
export function toStored({ pattern, durable, retain, key }: Declared, emission: Emission, id?: string): StoredEvent {
  const { message, origin, hops, traceparent } = emission
  const { identity } = origin
  return {
    id: id ?? newId(),
    at: Date.now(),
    declared: pattern.text,
    message: Object.isFrozen(message) ? message : (decodeJson(encodeJson(message)) as Message),
    meta: {
      // All that observe it, whenever that is, belong to one trace.
      traceparent: parseTraceParent(traceparent) ?? newTraceParent(),
      hops,
      ...(identity === undefined ? {} : { identity }),
    },
    key: eventKey(message, key, pattern.text),
    retain,
    durable,
  }
}
