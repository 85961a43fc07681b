import { basename, relative, resolve, sep } from 'node:path'
import { folderRule, innerFolder } from '../../system/checks/folders.js'
import { drainMsOf, endMsOf } from '../../system/end-limits.js'
import { invalid } from '../../system/invalid.js'
import { descriptionFolder } from '../../system/loading/description-folder.js'
import type { Loaded } from '../../system/loading/load-system.js'
import { peersVariable } from '../../system/peers-variable.js'
import { storeKind } from '../../system/store-of.js'
import type { Deployment, Group, Outside } from '../../system/system.js'
import { areLinked, processesOf } from '../../system/topology.js'
import { type BrokerName, brokersOf, type DirectName, directOf } from '../../system/transports-used.js'
import { packageFiles } from './package-files.js'

/** A door to the outside, as it is published. */
export interface Door {
  readonly transport: 'http' | 'websocket'
  readonly port: number
}

/** A group of processes, as it is deployed. */
export interface Unit {
  /** The name of the group, fit for names of hosts. */
  readonly name: string
  readonly group: Group
  readonly replicas: number
  /** There may be only one process of it, also while it is exchanged. */
  readonly isSingle: boolean
  readonly doors: readonly Door[]
  /** The units that it exchanges messages with over connections of its own, itself included if it has replicas. */
  readonly peers: readonly string[]
  /** Folders that each of its processes writes to, relative to that of the system, none of them within another. */
  readonly folders: readonly string[]
}

/** A deployment, as those who write files of it need it. */
export interface Site {
  /** The name of the system, fit for names of hosts and files. */
  readonly system: string
  readonly deployment: string
  /** Where the files are written, seen from the folder of the system, and the other way round. */
  readonly place: string
  readonly back: string
  readonly units: readonly Unit[]
  /** What npm installs from within the folder of the system: files and folders, relative to it. */
  readonly localPackages: readonly string[]
  /** What processes connect to each other by, if they do. */
  readonly direct: DirectName | undefined
  readonly brokers: readonly BrokerName[]
  /** Seconds that a process is given to end. */
  readonly endSeconds: number
  /** Milliseconds of its drain. */
  readonly drainMs: number
}

/** The ports of a process that has a machine, or something like it, of its own. */
export const ports = { peers: 7400, health: 7480, http: 8080, websocket: 8081 } as const

/** Reads what is to be deployed. Throws `LUC_OPTIONS_INVALID` for what cannot be. */
export function siteOf(loaded: Loaded, deployment: Deployment, place: string): Site {
  const { system } = loaded
  const drainMs = drainMsOf(system, { drainMs: undefined })
  const direct = directOf(deployment)
  const groups = [...deployment.groups.values()]
  const store = storeKind(deployment, processesOf(deployment).length)
  const kept = store.kind === 'embedded' ? [folderWithin(loaded, store.path ?? '.lucilius')] : []
  const isAlone = processesOf(deployment).length === 1
  const units = groups.map((group) => ({
    name: plain(group.name),
    group,
    replicas: group.replicas,
    isSingle: group.services.some((name) => system.services.get(name)?.singleton === true),
    doors: doorsOf(group),
    peers:
      isAlone || direct === undefined
        ? []
        : groups.filter((one) => areLinked(group, one)).map(({ name }) => plain(name)),
    folders: outermost([...kept, ...group.services.flatMap((name) => system.services.get(name)?.writes ?? [])]),
  }))
  const brokers = [...new Set([...brokersOf(deployment), ...brokerOfStore(store.kind), ...foreignOf(groups)])]
  const hosts = [...units.flatMap(hostsOf), ...brokers.map((name) => (name === 'amqp' ? 'rabbitmq' : name))]
  refuseTwice(hosts, 'Two of what runs', 'a group')
  for (const { folders } of units) refuseTwice(folders.map(volumeOf), 'Volumes of two folders', 'a folder')
  return {
    system: plain(system.name ?? basename(descriptionFolder(loaded))),
    deployment: deployment.name,
    place: relative(descriptionFolder(loaded), place),
    back: relative(place, descriptionFolder(loaded)),
    units,
    localPackages: packageFiles(descriptionFolder(loaded)).within,
    direct: isAlone ? undefined : direct,
    brokers,
    endSeconds: Math.ceil(endMsOf(drainMs) / 1000),
    drainMs,
  }
}

/** What the processes of a unit are called where they run. */
function hostsOf(unit: Pick<Unit, 'name' | 'replicas'>): readonly string[] {
  return Array.from({ length: unit.replicas }, (_, index) => hostOf(unit, index + 1))
}

/** What one of them is called. */
export function hostOf({ name, replicas }: Pick<Unit, 'name' | 'replicas'>, replica: number): string {
  return replicas === 1 ? name : `${name}-${replica}`
}

/** What the volume of a folder is called, among those of one process. */
export function volumeOf(folder: string): string {
  return plain(folder)
}

/** All folders that any process writes to. */
export function foldersOf({ units }: Site): readonly string[] {
  return [...new Set(units.flatMap(({ folders }) => folders))]
}

function refuseTwice(names: readonly string[], what: string, cure: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw invalid(`${what} would be called '${twice}': rename ${cure}.`)
}

function folderWithin(loaded: Loaded, path: string): string {
  const folder = descriptionFolder(loaded)
  const within = innerFolder(relative(folder, resolve(folder, path)).split(sep).join('/'))
  if (within !== undefined) return within
  throw invalid(`Durable events cannot be kept in '${path}' where the system runs. It has to be ${folderRule}.`)
}

/** Each folder once, without those within others. */
export function outermost(folders: readonly string[]): readonly string[] {
  // A volume in a volume would be one too many.
  return [...new Set(folders)].filter((one) => !folders.some((other) => one.startsWith(`${other}/`)))
}

/** What `start` reads, but for secrets: how a process of a unit is told who it is. `hostOf` names a replica's machine. */
export function variablesOf(
  site: Site,
  unit: Unit,
  hostOf: (unit: Unit, replica: number) => string,
): ReadonlyMap<string, string> {
  const variables = new Map<string, string>([
    ['NODE_ENV', 'production'],
    ['LUCILIUS_HEALTH_HOST', '0.0.0.0'],
    ['LUCILIUS_HEALTH_PORT', String(ports.health)],
    ['LUCILIUS_RUN_DIR', '/tmp/lucilius'],
  ])
  if (site.direct !== undefined) {
    variables.set('LUCILIUS_HOST', '0.0.0.0')
    variables.set('LUCILIUS_PORT', String(ports.peers))
    for (const other of site.units.filter(({ name }) => unit.peers.includes(name))) {
      const hosts = Array.from({ length: other.replicas }, (_, index) => hostOf(other, index + 1))
      variables.set(peersVariable(other.group.name), hosts.map((host) => urlOf(site.direct, host)).join(','))
    }
  }
  for (const { transport, port } of firstDoors(unit)) {
    variables.set(`LUCILIUS_${transport.toUpperCase()}_HOST`, '0.0.0.0')
    variables.set(`LUCILIUS_${transport.toUpperCase()}_PORT`, String(port))
  }
  return variables
}

/** The command of a process of a unit, within the folder of the system. */
export function commandOf(site: Site, unit: Unit): readonly string[] {
  return ['node', 'node_modules/lucilius/build/lib/cli/main.js', 'start', site.deployment, '--group', unit.group.name]
}

/** A name as hosts, containers and units have it: what is made of two of them and a word is no longer than 63 characters. */
function plain(name: string): string {
  const text = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 24)
    .replaceAll(/^-|-$/g, '')
  return /^[a-z]/.test(text) ? text : `n${text}`
}

function urlOf(direct: DirectName | undefined, host: string): string {
  return direct === 'http' ? `http://${host}:${ports.peers}` : `ws://${host}:${ports.peers}/ws`
}

/** The environment speaks of the first door of a transport only; the others need a port in the description. */
function doorsOf({ name, outside }: Group): readonly Door[] {
  return outside.map((door, index) => {
    const { transport, port } = door
    const isFirst = outside.findIndex((other) => other.transport === transport) === index
    if (port === 0 && !isFirst) throw invalid(needsPort(name, door))
    if (!isFirst && door.host === '127.0.0.1') throw invalid(needsHost(name, door))
    return { transport, port: port === 0 ? ports[transport] : port }
  })
}

/** The doors of which the environment speaks: the first of each transport. */
export function firstDoors({ doors }: Unit): readonly Door[] {
  return doors.filter(({ transport }, index) => doors.findIndex((other) => other.transport === transport) === index)
}

function brokerOfStore(kind: string): BrokerName[] {
  return kind === 'nats' || kind === 'amqp' ? [kind] : []
}

function foreignOf(groups: readonly Group[]): BrokerName[] {
  return groups.some(({ amqp }) => amqp !== undefined) ? ['amqp'] : []
}

function needsPort(group: string, { transport }: Outside): string {
  return `The second ${transport} door of '${group}' needs a port in the description: it would be another one at each start.`
}

function needsHost(group: string, { transport }: Outside): string {
  return `The second ${transport} door of '${group}' listens on 127.0.0.1: where it runs nobody would reach it. Give it a host.`
}
