import { isMessage } from '../../message.js'
import { peersVariable } from '../peers-variable.js'
import type { Deployment, Service } from '../system.js'
import { directOf } from '../transports-used.js'
import { brokersAt } from './brokers.js'
import { discoveryAt, dnsNameProblem } from './discovery.js'
import { groupAt } from './group.js'
import { hasKeys, namedPlaces } from './keys.js'
import { oneOf } from './one-of.js'
import type { Place } from './place.js'
import { routesAt, transportNames } from './routes.js'
import { storeAt } from './store.js'

const known = ['transport', 'routes', 'brokers', 'discovery', 'store', 'groups']

/** A deployment of the description. */
export function deploymentAt(name: string, place: Place, services: ReadonlyMap<string, Service>): Deployment {
  hasKeys(place, known)
  const transport = oneOf(place.at('transport'), transportNames, 'websocket')
  const routes = routesAt(place.at('routes'), transport)
  const brokers = brokersAt(place.at('brokers'))
  const discovery = discoveryAt(place.at('discovery'))
  const store = storeAt(place.at('store'))
  const plain = { name, transport, routes, brokers, discovery, store }
  if (discovery !== undefined && directOf(plain) === undefined) {
    place.at('discovery').wrong(`over '${transport}' processes find each other at the broker: leave it out`)
  }
  if (!isMessage(place.value)) return { ...plain, groups: new Map() }
  const places = namedPlaces(place.at('groups'), 'groups')
  if (places.length === 0 && isEmpty(place.at('groups').value)) place.at('groups').wrong('at least one group')
  const names = places.map(([group]) => group)
  const around = { services, groups: names, direct: directOf(plain) }
  const groups = new Map(places.map(([group, at]) => [group, groupAt(group, at, around)]))
  for (const [group, at] of places) {
    checkGroupName(group, names, at)
    const problem = discovery?.dns && dnsNameProblem(discovery.dns.name, group)
    if (problem !== undefined) at.wrong(`${problem}: rename it, or change 'discovery.dns'`)
  }
  checkSingletons(place.at('groups'), groups, services)
  return Object.freeze({ ...plain, groups })
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0
}

/** The names of processes (`convert.1`) and of environment variables are made of those of groups. */
function checkGroupName(name: string, names: readonly string[], place: Place): void {
  const [, base, number] = /^(.+)[.](\d+)$/.exec(name) ?? []
  if (base !== undefined && names.includes(base)) place.wrong(`replica ${number} of '${base}' is called so: rename it`)
  const same = names.slice(0, names.indexOf(name)).find((other) => peersVariable(other) === peersVariable(name))
  if (same !== undefined) place.wrong(`${peersVariable(name)} would mean '${same}' as well: rename it`)
}

function checkSingletons(place: Place, groups: Deployment['groups'], services: ReadonlyMap<string, Service>): void {
  for (const { name } of [...services.values()].filter(({ singleton }) => singleton)) {
    const homes = [...groups.values()].filter((group) => group.services.includes(name))
    for (const group of homes) {
      if (group.replicas > 1) {
        const at = place.at(group.name).at('replicas')
        at.wrong(`1, as '${name}' is a singleton, not ${group.replicas}`, 'SINGLETON_REPLICATED')
      }
    }
    for (const group of homes.slice(1)) {
      place.at(group.name).wrong(`'${name}' is a singleton, and in '${homes[0]?.name}' already`, 'SINGLETON_REPLICATED')
    }
  }
}
