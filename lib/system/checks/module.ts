import type { ModuleLike } from '../description.js'
import type { SystemPlugin } from '../system.js'
import { hasKeys } from './keys.js'
import type { Place } from './place.js'

const allowed = "a path such as './rates.js', or a function that imports the module: () => import('./rates.js')"

/** Whether a description says no more than where the module is. */
export function isShort({ value }: Place): boolean {
  return typeof value === 'string' || typeof value === 'function'
}

/** Where a service or plugin is. */
export function moduleAt(place: Place): ModuleLike {
  const { value } = place
  if (typeof value === 'function') {
    if (value.length > 0) place.wrong(`${allowed}; this one takes an argument, as the set-up itself does`)
    return value as ModuleLike // What it gives is looked at when it is called.
  }
  if (typeof value === 'string' && value.trim() !== '' && !value.includes('\0')) {
    if (/^[a-z][a-z\d+.-]+:/i.test(value) && !/^(file|data):/i.test(value)) place.wrong(`${allowed}; no other address`)
    return value
  }
  place.expected(allowed)
  return ''
}

/** A plugin of the description. */
export function pluginAt(name: string, place: Place): SystemPlugin {
  if (isShort(place)) return Object.freeze({ name, module: moduleAt(place), options: undefined })
  if (!hasKeys(place, ['module', 'options'], 'a path, a function that imports it, or an object')) {
    return { name, module: '', options: undefined }
  }
  return Object.freeze({ name, module: moduleAt(place.at('module')), options: place.at('options').value })
}
