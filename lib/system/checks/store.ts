import { isMessage } from '../../message.js'
import type { Store } from '../system.js'
import { hasKeys } from './keys.js'
import type { Place } from './place.js'

const allowed = "'embedded', { embedded: a path }, 'nats', 'amqp' or false"

/** What keeps the durable events of a deployment; undefined if it does not say. */
export function storeAt(place: Place): Store | undefined {
  const { value } = place
  if (value === undefined) return undefined
  if (value === false) return Object.freeze({ kind: 'none' })
  if (value === 'nats' || value === 'amqp') return Object.freeze({ kind: value })
  if (value === 'embedded') return Object.freeze({ kind: value, path: undefined })
  if (!isMessage(value) || !hasKeys(place, ['embedded'])) return place.expected(allowed)
  const path = place.at('embedded')
  if (typeof path.value !== 'string' || path.value.trim() === '' || path.value.includes('\0')) {
    return path.expected('a folder, relative to the description')
  }
  return Object.freeze({ kind: 'embedded', path: path.value })
}
