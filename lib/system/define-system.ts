import { LuciliusError } from '../errors.js'
import { isMessage } from '../message.js'
import { deploymentAt } from './checks/deployment.js'
import { hasKeys, namedPlaces } from './checks/keys.js'
import { limitsAt } from './checks/limits.js'
import { pluginAt } from './checks/module.js'
import { isName, nameRule } from './checks/name.js'
import { Place, type Problem } from './checks/place.js'
import { rootAt } from './checks/root.js'
import { serviceAt } from './checks/service.js'
import type { SystemDescription } from './description.js'
import { brandSystem, type Service, type System } from './system.js'

export { isSystem } from './system.js'

const known = ['name', 'root', 'services', 'plugins', 'deployments', 'limits']

/**
 * Describes a system: its services, and the ways to spread them over processes. Loads and starts nothing.
 *
 * Checks the whole description and throws `LUC_OPTIONS_INVALID` with everything that is wrong, a line each: the keys that
 * lead there, what is wrong, and what is allowed. `details.problems` has the same for programs.
 *
 * @example
 * ```ts
 * export const system = defineSystem({
 *   services: { rates: './rates.js', convert: './convert.js' },
 *   deployments: { split: { groups: { rates: ['rates'], convert: { services: ['convert'], replicas: 2 } } } },
 * })
 * ```
 */
export function defineSystem<const S extends string>(description: SystemDescription<S>): System {
  const problems: Problem[] = []
  const system = systemAt(new Place(description, problems))
  if (problems.length === 0) return brandSystem(system)
  const lines = problems.map(({ path, message }) => `${path}: ${message}`)
  throw new LuciliusError('LUC_OPTIONS_INVALID', lines.join('\n'), { details: { problems } })
}

function systemAt(place: Place): System {
  const services = new Map(hasKeys(place, known) ? servicesAt(place.at('services')) : [])
  const plugins = mapAt(place.at('plugins'), 'plugins', pluginAt)
  for (const name of plugins.keys()) {
    if (services.has(name)) place.at('plugins').at(name).wrong('there is a service of this name')
  }
  return {
    name: nameAt(place.at('name')),
    root: rootAt(place.at('root')),
    services,
    plugins,
    deployments: mapAt(place.at('deployments'), 'deployments', (name, at) => deploymentAt(name, at, services)),
    limits: limitsAt(place.at('limits')),
  }
}

function nameAt(place: Place): string | undefined {
  const { value } = place
  return value === undefined || isName(value) ? value : place.wrong(nameRule)
}

function servicesAt(place: Place): Map<string, Service> {
  if (isMessage(place.value) && Object.keys(place.value).length === 0) place.wrong('at least one service')
  if (place.value !== undefined) return mapAt(place, 'services', serviceAt)
  place.expected('an object with services by name')
  return new Map()
}

function mapAt<V>(place: Place, what: string, read: (name: string, at: Place) => V): Map<string, V> {
  const places = place.value === undefined ? [] : namedPlaces(place, what)
  return new Map(places.map(([name, at]) => [name, read(name, at)]))
}
