import { LuciliusError } from '../errors.js'
import { type LogLevel, logLevels } from '../logger.js'
import { addressProblem, brokerAddressProblem, directSchemes, hostProblem } from './checks/address.js'
import { isSpace, spaceRule } from './checks/brokers.js'
import { etcdAddressProblem, toDnsName, toMulticast } from './checks/discovery.js'
import { oddVariables } from './environment-warnings.js'
import { isEvery } from './host-names.js'
import { isPeersVariable, peersVariable } from './peers-variable.js'
import { readSecret, type Variables } from './secret.js'
import type { DnsDiscovery, MulticastDiscovery } from './system.js'
import { HIGHEST_PORT, MOST_REPLICAS } from './topology.js'
import { VariableReader } from './variable-reader.js'

/** Where something listens, as far as the environment says. */
export interface ListenOverride {
  /** The address, in place of the one described. */
  readonly host: string | undefined
  /** The port, in place of the one described. */
  readonly port: number | undefined
}

/** Where brokers are, and what proves to them who connects. */
export interface BrokerEnvironment {
  /** `LUCILIUS_SPACE`: what tells this system from others on the same broker. */
  readonly space: string | undefined
  /** `LUCILIUS_NATS_…`. */
  readonly nats: {
    readonly servers: readonly string[] | undefined
    readonly creds: string | undefined
    readonly user: string | undefined
    readonly password: string | undefined
    readonly token: string | undefined
    readonly nkey: string | undefined
  }
  /** `LUCILIUS_AMQP_URL`, with user and password. */
  readonly amqp: { readonly url: string | undefined }
}

/** How processes find each other, as far as the environment says. */
export interface DiscoveryEnvironment {
  /** `LUCILIUS_DNS`: the name that leads to the processes of each group. */
  readonly dns: Pick<DnsDiscovery, 'name' | 'port'> | undefined
  /** `LUCILIUS_ETCD_…`. */
  readonly etcd: {
    readonly servers: readonly string[] | undefined
    readonly user: string | undefined
    readonly password: string | undefined
  }
  /** `LUCILIUS_MULTICAST`: where processes announce themselves. */
  readonly multicast: MulticastDiscovery | undefined
}

/** What the environment says of a process. */
export interface Environment {
  /** `LUCILIUS_CONFIG`: the file with the description. */
  readonly config: string | undefined
  /** `LUCILIUS_SECRET`, or what `LUCILIUS_SECRET_FILE` holds. Not enumerable, so that printing and logging leave it out. */
  readonly secret: string | undefined
  /** `LUCILIUS_HOST`, `LUCILIUS_PORT`: where this process listens for the others. */
  readonly listen: ListenOverride
  /** `LUCILIUS_REPLICA`: which replica this process is. */
  readonly replica: number | undefined
  /** `LUCILIUS_PEERS_…`: addresses by the name of the variable. `addressesOf` finds those of a group. */
  readonly peers: ReadonlyMap<string, readonly string[]>
  /** `LUCILIUS_ADVERTISE`: the host at which the others reach this process. */
  readonly advertise: string | undefined
  /** `LUCILIUS_DNS`, `LUCILIUS_ETCD_…`, `LUCILIUS_MULTICAST`. Not enumerable, as there may be a password in it. */
  readonly discovery: DiscoveryEnvironment
  /** Where the first door of a transport listens. */
  readonly doors: { readonly http: ListenOverride; readonly websocket: ListenOverride }
  /** `LUCILIUS_HEALTH_HOST`, `LUCILIUS_HEALTH_PORT`: where this process tells how it is. Without a port it does not. */
  readonly health: ListenOverride
  /** Where brokers are. Not enumerable either. */
  readonly brokers: BrokerEnvironment
  /** `LUCILIUS_LOG_LEVEL`. */
  readonly logLevel: LogLevel | 'silent' | undefined
  /** `LUCILIUS_DRAIN_MS`. */
  readonly drainMs: number | undefined
  /** `LUCILIUS_RUN_DIR`: the folder of control sockets. */
  readonly runDir: string | undefined
  /** What is odd and no reason to refuse: names that lucilius does not know. */
  readonly warnings: readonly string[]
}

/**
 * Reads what the environment says; an empty variable counts as none, but for the secret.
 *
 * `groups` are the names of the groups there are: `LUCILIUS_PEERS_…` of another one is warned of. Throws
 * `LUC_OPTIONS_INVALID` with everything that is wrong, a line for each variable. Neither secrets nor addresses are printed.
 */
export function readEnvironment(variables: Variables, groups?: Iterable<string>): Environment {
  const reader = new VariableReader(variables)
  const environment: Environment = {
    config: reader.text('LUCILIUS_CONFIG'),
    secret: reader.attempt(() => readSecret(variables)),
    listen: readListen(reader, 'LUCILIUS'),
    replica: reader.number('LUCILIUS_REPLICA', 1, MOST_REPLICAS),
    peers: readPeers(reader),
    advertise: reader.valid('LUCILIUS_ADVERTISE', (host) => hostProblem(host) ?? advertiseProblem(host)),
    discovery: readDiscovery(reader),
    health: readListen(reader, 'LUCILIUS_HEALTH'),
    doors: Object.freeze({
      http: readListen(reader, 'LUCILIUS_HTTP'),
      websocket: readListen(reader, 'LUCILIUS_WEBSOCKET'),
    }),
    brokers: readBrokers(reader),
    logLevel: reader.oneOf('LUCILIUS_LOG_LEVEL', levels),
    drainMs: reader.number('LUCILIUS_DRAIN_MS', 1, 2 ** 31 - 1),
    runDir: reader.text('LUCILIUS_RUN_DIR'),
    warnings: oddVariables(variables, groups),
  }
  if (reader.problems.length === 0) {
    const hidden = { enumerable: false }
    return Object.freeze(Object.defineProperties(environment, { secret: hidden, brokers: hidden, discovery: hidden }))
  }
  throw new LuciliusError('LUC_OPTIONS_INVALID', reader.problems.join('\n'))
}

/** The addresses that the environment gives for the processes of a group, the first replica first. */
export function addressesOf(environment: Pick<Environment, 'peers'>, group: string): readonly string[] | undefined {
  return environment.peers.get(peersVariable(group))
}

const levels = Object.freeze([...(Object.keys(logLevels) as LogLevel[]), 'silent' as const])

function readListen(reader: VariableReader, prefix: string): ListenOverride {
  return Object.freeze({
    host: reader.valid(`${prefix}_HOST`, hostProblem),
    port: reader.number(`${prefix}_PORT`, 0, HIGHEST_PORT),
  })
}

function advertiseProblem(host: string): string | undefined {
  return isEvery(host) ? `a name or an address at which others reach this process, which ${host} is not` : undefined
}

function readPeers(reader: VariableReader): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>()
  for (const name of reader.names.filter(isPeersVariable)) {
    const addresses = reader.list(name, (one) => addressProblem(one, directSchemes))
    if (addresses !== undefined) found.set(name, addresses)
  }
  return found
}

function readDiscovery(reader: VariableReader): DiscoveryEnvironment {
  return Object.freeze({
    dns: reader.read('LUCILIUS_DNS', toDnsName),
    etcd: Object.freeze({
      servers: reader.list('LUCILIUS_ETCD_URL', etcdAddressProblem),
      ...readUser(reader, 'LUCILIUS_ETCD'),
    }),
    multicast: reader.read('LUCILIUS_MULTICAST', toMulticast),
  })
}

function readBrokers(reader: VariableReader): BrokerEnvironment {
  return Object.freeze({
    space: reader.valid('LUCILIUS_SPACE', (space) => (isSpace(space) ? undefined : spaceRule)),
    nats: Object.freeze({
      servers: reader.list('LUCILIUS_NATS_URL', (one) => brokerAddressProblem(one, 'nats')),
      creds: reader.text('LUCILIUS_NATS_CREDS'),
      ...readUser(reader, 'LUCILIUS_NATS'),
      token: reader.text('LUCILIUS_NATS_TOKEN'),
      nkey: reader.text('LUCILIUS_NATS_NKEY'),
    }),
    amqp: Object.freeze({
      url: reader.valid('LUCILIUS_AMQP_URL', (url) => brokerAddressProblem(url, 'amqp')),
    }),
  })
}

function readUser(
  reader: VariableReader,
  prefix: string,
): { readonly user: string | undefined; readonly password: string | undefined } {
  const [user, password] = [reader.text(`${prefix}_USER`), reader.text(`${prefix}_PASSWORD`)]
  if ((user === undefined) !== (password === undefined)) {
    reader.wrong(`${prefix}_USER`, `a user has a password: set ${prefix}_USER and ${prefix}_PASSWORD`)
  }
  return { user, password }
}
