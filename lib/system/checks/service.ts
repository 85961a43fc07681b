import type { Service } from '../system.js'
import { foldersAt } from './folders.js'
import { hasKeys } from './keys.js'
import { isShort, moduleAt } from './module.js'
import { patternsAt } from './patterns.js'
import type { Place } from './place.js'

const known = ['module', 'options', 'singleton', 'uses', 'emits', 'internal', 'writes']

/** A service of the description. */
export function serviceAt(name: string, place: Place): Service {
  const none = Object.freeze([])
  const plain = {
    name,
    options: undefined,
    singleton: false,
    uses: undefined,
    emits: none,
    internal: none,
    writes: none,
  }
  if (isShort(place)) return Object.freeze({ ...plain, module: moduleAt(place) })
  if (!hasKeys(place, known, 'a path, a function that imports it, or an object')) return { ...plain, module: '' }
  const singleton = place.at('singleton')
  if (singleton.value !== undefined && typeof singleton.value !== 'boolean') singleton.expected('true or false')
  return Object.freeze({
    name,
    module: moduleAt(place.at('module')),
    options: place.at('options').value,
    singleton: singleton.value === true,
    uses: patternsAt(place.at('uses')),
    emits: patternsAt(place.at('emits')) ?? none,
    internal: patternsAt(place.at('internal')) ?? none,
    writes: foldersAt(place.at('writes')),
  })
}
