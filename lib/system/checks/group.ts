import { didYouMean } from '../../did-you-mean.js'
import { clashes } from '../clash.js'
import type { Group, GroupListen, Outside, Service } from '../system.js'
import { HIGHEST_PORT, MOST_REPLICAS } from '../topology.js'
import type { DirectName } from '../transports-used.js'
import { addressProblem, directSchemes, hostAt, schemesOf } from './address.js'
import { foreignAt } from './foreign.js'
import { hasKeys } from './keys.js'
import { portAt, wholeNumber } from './number.js'
import { doorsAt } from './outside.js'
import type { Place } from './place.js'

const known = ['services', 'replicas', 'listen', 'outside', 'peers', 'amqp']
const anywhere = Object.freeze({ host: '127.0.0.1', port: 0, urls: undefined })

/** What a group is checked against. */
export interface Around {
  readonly services: ReadonlyMap<string, Service>
  readonly groups: readonly string[]
  /** The transport for which processes listen on ports, if the deployment has one. */
  readonly direct: DirectName | undefined
}

/** A group of a deployment. */
export function groupAt(name: string, place: Place, around: Around): Group {
  const none = Object.freeze([])
  const plain = { name, services: [], replicas: 1, listen: anywhere, outside: none, peers: undefined, amqp: undefined }
  if (place.value === '*' || Array.isArray(place.value)) {
    return Object.freeze({ ...plain, services: namesAt(place, around.services) })
  }
  if (!hasKeys(place, known, "'*', a list of services, or an object")) return plain
  const replicas = replicasAt(place.at('replicas'))
  const listen = listenAt(place.at('listen'), replicas, around)
  return Object.freeze({
    name,
    services: namesAt(place.at('services'), around.services),
    replicas,
    listen,
    outside: outsideAt(place, replicas, listen),
    peers: peersAt(place.at('peers'), name, around.groups),
    amqp: foreignAt(place.at('amqp')),
  })
}

function replicasAt(place: Place): number {
  const replicas = wholeNumber(place, 1, 1)
  if (replicas > MOST_REPLICAS) place.wrong(`at most ${MOST_REPLICAS}, not ${replicas}`)
  return Math.min(replicas, MOST_REPLICAS)
}

function namesAt(place: Place, services: ReadonlyMap<string, Service>): readonly string[] {
  const all = [...services.keys()]
  if (place.value === '*') return Object.freeze(all)
  if (!Array.isArray(place.value)) place.expected("a list of services, or '*' for all")
  else if (place.value.length === 0) place.wrong("at least one service, or '*' for all")
  return namesOf(place, all, 'service')
}

function peersAt(place: Place, self: string, groups: readonly string[]): readonly string[] | undefined {
  if (place.value === undefined) return undefined
  if (!Array.isArray(place.value)) place.expected('a list of groups of this deployment')
  return Object.freeze([...new Set([...namesOf(place, groups, 'group'), self])])
}

/** The elements that are known names, each once. */
function namesOf(place: Place, names: readonly string[], what: 'service' | 'group'): readonly string[] {
  const found = new Set<string>()
  for (const one of place.elements()) {
    const { value } = one
    if (typeof value !== 'string') one.expected(`the name of a ${what}`)
    else if (!names.includes(value)) {
      const message = `there is no ${what} '${value}': ${didYouMean(value, names)}`
      one.wrong(message, what === 'service' ? 'UNKNOWN_SERVICE' : 'WRONG_VALUE')
    } else if (found.has(value)) one.wrong(`'${value}' stands in this list twice`)
    else found.add(value)
  }
  return Object.freeze([...found])
}

function listenAt(place: Place, replicas: number, { direct }: Around): GroupListen {
  if (place.value === undefined || !hasKeys(place, ['host', 'port', 'urls'])) return anywhere
  const port = portAt(place.at('port'))
  checkLastPort(place.at('port'), port, replicas)
  // Over a broker nobody asks: the same group may be part of a deployment without one.
  const schemes = direct === undefined ? directSchemes : schemesOf[direct]
  const urls = urlsAt(place.at('urls'), replicas, schemes)
  return Object.freeze({ host: hostAt(place.at('host')), port, urls })
}

function urlsAt(place: Place, replicas: number, schemes: readonly string[]): readonly string[] | undefined {
  const { value } = place
  if (value === undefined) return undefined
  if (!Array.isArray(value)) return place.wrong('a list with one address for each replica')
  if (value.length !== replicas) place.wrong(`one address for each of ${replicas} replicas, not ${value.length}`)
  place.elements().forEach((one, index) => {
    const problem = addressProblem(one.value, schemes)
    if (problem !== undefined) one.wrong(problem)
    else if (value.indexOf(one.value) < index) one.wrong('the same address as another replica')
  })
  return Object.freeze([...value])
}

/** Doors of one process cannot share a port, neither with each other nor with the listener for peers. */
function outsideAt(place: Place, replicas: number, listen: GroupListen): readonly Outside[] {
  const taken: { readonly host: string; readonly port: number }[] = [listen]
  return Object.freeze(
    doorsAt(place.at('outside')).map(({ place: at, door }) => {
      checkLastPort(at.at('port'), door.port, replicas)
      if (taken.some((other) => clashes(other, door))) {
        at.at('port').wrong(`another listener of this group has port ${door.port}`, 'PORT_CLASH')
      }
      taken.push(door)
      return door
    }),
  )
}

function checkLastPort(place: Place, port: number, replicas: number): void {
  const last = port + replicas - 1
  if (port !== 0 && port <= HIGHEST_PORT && last > HIGHEST_PORT) {
    place.wrong(`replicas take ${port} and those that follow, which end at ${HIGHEST_PORT}: ${last} is too much`)
  }
}
