import { AddressBook } from './address-book.js'
import { addressProblem, schemesOf } from './checks/address.js'
import { dnsNameProblem } from './checks/discovery.js'
import { isDiscovering } from './discovery/sources.js'
import { addressesOf, type Environment } from './environment.js'
import { hostAndPort, isEvery } from './host-names.js'
import { invalid } from './invalid.js'
import { peersVariable } from './peers-variable.js'
import type { Deployment, Group } from './system.js'
import { areLinked, onItsMachine, type ProcessPlan, processesOf } from './topology.js'
import { brokersOf, type DirectName, directOf } from './transports-used.js'

/** What `start` needs to know of the processes of a deployment. */
export interface StartPlan {
  /** The process itself. */
  readonly process: ProcessPlan
  /** Where those that it is linked to are. */
  readonly addresses: AddressBook
  /** Those of them of which nobody says where they listen: they are found, or met at a broker. */
  readonly unaddressed: ReadonlySet<string>
  /** The groups of which nobody says where their processes are, its own among them. */
  readonly lookedFor: ReadonlySet<string>
}

/**
 * Finds the process that a replica of a group is, and where the others are: `LUCILIUS_PEERS_<GROUP>` says it, else
 * `listen.urls`, else host and port. A group has as many processes as it has addresses there, and those that have a
 * machine of their own all take the ports described. Where processes find each other, and over a broker, nobody needs to
 * know.
 *
 * Throws `LUC_OPTIONS_INVALID`, which names the variable to set, for a group of which nobody knows where it is, nor finds
 * it, and to which no broker leads; and for one that `LUCILIUS_DNS` gives a name that DNS cannot have.
 */
export function startPlan(deployment: Deployment, group: Group, replica: number, environment: Environment): StartPlan {
  const replicas = new Map<string, number>()
  let beyond = ''
  for (const { name, replicas: described, listen } of deployment.groups.values()) {
    const given = addressesOf(environment, name) ?? listen.urls
    const count = given?.length ?? described
    replicas.set(name, name === group.name ? Math.max(count, replica) : count)
    if (name === group.name && replica > count)
      beyond = `${hasReplicas(name, count)}, and this would be replica ${replica}. `
  }
  const processes = processesOf(deployment, replicas)
  // There are at least as many of its group.
  const process = processes.find((one) => one.group === group && one.replica === replica) as ProcessPlan
  const others = processes.filter((one) => one !== process && areLinked(group, one.group))
  const direct = directOf(deployment)
  const urls = others.map(
    (other) =>
      [other.id, direct && urlOf(deployment, direct, other, environment, other.group === group ? beyond : '')] as const,
  )
  const addresses = new AddressBook(urls)
  addresses.set(process.id, undefined)
  const unaddressed = others.filter((other) => addresses.urlOf(other.id) === undefined)
  const isAddressed = direct !== undefined && givenUrl(direct, process, environment) !== undefined
  const lookedFor = new Set([...unaddressed.map((other) => other.group.name), ...(isAddressed ? [] : [group.name])])
  if (direct !== undefined && deployment.discovery !== undefined) checkDnsNames(lookedFor, environment)
  return {
    process: onItsMachine(process, addressesOf(environment, group.name)),
    addresses,
    unaddressed: new Set(unaddressed.map(({ id }) => id)),
    lookedFor,
  }
}

/** Those of the description were checked with it. */
function checkDnsNames(groups: ReadonlySet<string>, { discovery: { dns } }: Environment): void {
  for (const group of groups) {
    const problem = dns && dnsNameProblem(dns.name, group)
    if (problem !== undefined) throw invalid(`LUCILIUS_DNS: of '${group}': ${problem}`)
  }
}

/** Where the environment or the description says that a process is. */
function givenUrl(
  transport: DirectName,
  { group, replica, port }: ProcessPlan,
  { peers }: Environment,
): string | undefined {
  const variable = peersVariable(group.name)
  const given = peers.get(variable)?.[replica - 1]
  // Those of the description were checked with it.
  const problem = given === undefined ? undefined : addressProblem(given, schemesOf[transport])
  if (problem !== undefined) throw invalid(`${variable}: ${problem}`)
  const url = given ?? group.listen.urls?.[replica - 1]
  const { host } = group.listen
  if (url !== undefined || port === 0 || isEvery(host)) return url
  const at = hostAndPort(host, port)
  return transport === 'websocket' ? `ws://${at}/ws` : `http://${at}`
}

function urlOf(
  deployment: Deployment,
  transport: DirectName,
  process: ProcessPlan,
  environment: Environment,
  first: string,
): string | undefined {
  const url = givenUrl(transport, process, environment)
  const { discovery } = deployment
  const isMet = brokersOf(deployment).length > 0 || isDiscovering({ discovery, environment: environment.discovery })
  if (url !== undefined || isMet) return url
  const { group, replica, port } = process
  const why =
    port === 0 ? "its 'listen.port' is 0" : `it listens on ${group.listen.host}, which is no address to connect to`
  const example = transport === 'websocket' ? 'ws://host:7400/ws' : 'http://host:7400'
  throw invalid(
    `${first}Nobody knows where replica ${replica} of '${group.name}' is: ${why}. Set ${peersVariable(group.name)} to the addresses of its processes, separated by commas, such as ${example}, or let them find each other: 'discovery' of the deployment`,
  )
}

function hasReplicas(group: string, count: number): string {
  return `'${group}' has ${count} ${count === 1 ? 'replica' : 'replicas'}`
}
