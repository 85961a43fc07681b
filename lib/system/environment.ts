import { LuciliusError } from '../errors.js'
import { type LogLevel, logLevels } from '../logger.js'
import { nearest } from '../nearest.js'
import { addressProblem, brokerAddressProblem, directSchemes, hostProblem } from './checks/address.js'
import { isSpace, spaceRule } from './checks/brokers.js'
import { etcdAddressProblem, toDnsName, toMulticast } from './checks/discovery.js'
import { choice, shownValue } from './checks/shown-value.js'
import { environmentTable } from './environment-table.js'
import { isEvery } from './host-names.js'
import { peersVariable } from './peers-variable.js'
import { readSecret, type Variables } from './secret.js'
import type { DnsDiscovery, MulticastDiscovery } from './system.js'
import { HIGHEST_PORT, MOST_REPLICAS } from './topology.js'

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

const peersPrefix = 'LUCILIUS_PEERS_'
const names = environmentTable.map(({ name }) => name)

/**
 * Reads what the environment says; an empty variable counts as none, but for the secret.
 *
 * `groups` are the names of the groups there are: `LUCILIUS_PEERS_…` of another one is warned of. Throws
 * `LUC_OPTIONS_INVALID` with everything that is wrong, a line for each variable. Neither secrets nor addresses are printed.
 */
export function readEnvironment(variables: Variables, groups?: Iterable<string>): Environment {
  const read = new Reading(variables)
  const environment: Environment = {
    config: read.text('LUCILIUS_CONFIG'),
    secret: read.attempt(() => readSecret(variables)),
    listen: read.listen('LUCILIUS'),
    replica: read.number('LUCILIUS_REPLICA', 1, MOST_REPLICAS),
    peers: read.peers(),
    advertise: read.advertise(),
    discovery: read.discovery(),
    health: read.listen('LUCILIUS_HEALTH'),
    doors: Object.freeze({ http: read.listen('LUCILIUS_HTTP'), websocket: read.listen('LUCILIUS_WEBSOCKET') }),
    brokers: read.brokers(),
    logLevel: read.level('LUCILIUS_LOG_LEVEL'),
    drainMs: read.number('LUCILIUS_DRAIN_MS', 1, 2 ** 31 - 1),
    runDir: read.text('LUCILIUS_RUN_DIR'),
    warnings: warningsOf(variables, groups),
  }
  if (read.problems.length === 0) {
    const hidden = { enumerable: false }
    return Object.freeze(Object.defineProperties(environment, { secret: hidden, brokers: hidden, discovery: hidden }))
  }
  throw new LuciliusError('LUC_OPTIONS_INVALID', read.problems.join('\n'))
}

/** The addresses that the environment gives for the processes of a group, the first replica first. */
export function addressesOf(environment: Pick<Environment, 'peers'>, group: string): readonly string[] | undefined {
  return environment.peers.get(peersVariable(group))
}

/** Reads variables one by one and keeps what is wrong. */
class Reading {
  readonly problems: string[] = []
  readonly #variables: Variables

  constructor(variables: Variables) {
    this.#variables = variables
  }

  text(name: string): string | undefined {
    const text = this.#variables[name]
    return text === '' ? undefined : text
  }

  number(name: string, least: number, most: number): number | undefined {
    const text = this.text(name)
    if (text === undefined) return undefined
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
    if (number >= least && number <= most) return number
    return this.#wrong(name, `a whole number from ${least} to ${most}, not ${shownValue(text)}`)
  }

  listen(prefix: string): ListenOverride {
    return Object.freeze({
      host: this.host(`${prefix}_HOST`),
      port: this.number(`${prefix}_PORT`, 0, HIGHEST_PORT),
    })
  }

  host(name: string): string | undefined {
    const host = this.text(name)
    const problem = host === undefined ? undefined : hostProblem(host)
    if (problem !== undefined) this.#wrong(name, problem)
    return host
  }

  advertise(): string | undefined {
    const name = 'LUCILIUS_ADVERTISE'
    const host = this.host(name)
    if (host === undefined || !isEvery(host)) return host
    return this.#wrong(name, `a name or an address at which others reach this process, which ${host} is not`)
  }

  level(name: string): Environment['logLevel'] {
    const text = this.text(name)
    const known = [...(Object.keys(logLevels) as LogLevel[]), 'silent'] as const
    const found = known.find((level) => level === text)
    if (found !== undefined || text === undefined) return found
    return this.#wrong(name, `${choice(known)}, not ${shownValue(text)}`)
  }

  peers(): ReadonlyMap<string, readonly string[]> {
    const found = new Map<string, readonly string[]>()
    for (const name of Object.keys(this.#variables).filter(isPeers)) {
      const addresses = this.addresses(name, (one) => addressProblem(one, directSchemes))
      if (addresses !== undefined) found.set(name, addresses)
    }
    return found
  }

  discovery(): DiscoveryEnvironment {
    return Object.freeze({
      dns: this.read('LUCILIUS_DNS', toDnsName),
      etcd: Object.freeze({
        servers: this.addresses('LUCILIUS_ETCD_URL', etcdAddressProblem),
        ...this.user('LUCILIUS_ETCD'),
      }),
      multicast: this.read('LUCILIUS_MULTICAST', toMulticast),
    })
  }

  /** What a reader makes of a variable; a text says what is wrong. */
  read<T extends object>(name: string, reader: (text: string) => T | string): T | undefined {
    const text = this.text(name)
    const found = text === undefined ? undefined : reader(text)
    return typeof found === 'string' ? this.#wrong(name, found) : found
  }

  brokers(): BrokerEnvironment {
    return Object.freeze({
      space: this.space(),
      nats: Object.freeze({
        servers: this.addresses('LUCILIUS_NATS_URL', (one) => brokerAddressProblem(one, 'nats')),
        creds: this.text('LUCILIUS_NATS_CREDS'),
        ...this.user('LUCILIUS_NATS'),
        token: this.text('LUCILIUS_NATS_TOKEN'),
        nkey: this.text('LUCILIUS_NATS_NKEY'),
      }),
      amqp: Object.freeze({ url: this.address('LUCILIUS_AMQP_URL', (one) => brokerAddressProblem(one, 'amqp')) }),
    })
  }

  space(): string | undefined {
    const space = this.text('LUCILIUS_SPACE')
    return space === undefined || isSpace(space) ? space : this.#wrong('LUCILIUS_SPACE', spaceRule)
  }

  user(prefix: string): { readonly user: string | undefined; readonly password: string | undefined } {
    const [user, password] = [this.text(`${prefix}_USER`), this.text(`${prefix}_PASSWORD`)]
    if ((user === undefined) !== (password === undefined)) {
      this.#wrong(`${prefix}_USER`, `a user has a password: set ${prefix}_USER and ${prefix}_PASSWORD`)
    }
    return { user, password }
  }

  address(name: string, problemOf: (address: string) => string | undefined): string | undefined {
    const text = this.text(name)
    const problem = text === undefined ? undefined : problemOf(text)
    if (problem !== undefined) this.#wrong(name, problem)
    return text
  }

  addresses(name: string, problemOf: (address: string) => string | undefined): readonly string[] | undefined {
    const addresses = this.text(name)
      ?.split(',')
      .map((one) => one.trim())
    const problem = addresses?.map(problemOf).find((one) => one !== undefined)
    if (problem !== undefined) this.#wrong(name, `${problem}; commas separate several`)
    return addresses && Object.freeze(addresses)
  }

  attempt<T>(read: () => T): T | undefined {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof LuciliusError)) throw error
      this.problems.push(error.message)
      return undefined
    }
  }

  #wrong(name: string, message: string): undefined {
    this.problems.push(`${name}: ${message}`)
  }
}

function isPeers(name: string): boolean {
  return name.startsWith(peersPrefix) && /^[A-Z0-9_]+$/.test(name) && name.length > peersPrefix.length
}

function warningsOf(variables: Variables, groups: Iterable<string> | undefined): readonly string[] {
  const peers = groups === undefined ? undefined : [...groups].map(peersVariable)
  const known = [...names.filter((name) => !name.startsWith(peersPrefix)), ...(peers ?? [])]
  const odd = Object.keys(variables).filter(
    (name) => name.startsWith('LUCILIUS_') && !known.includes(name) && (peers !== undefined || !isPeers(name)),
  )
  return Object.freeze(
    odd.map((name) => {
      const [near] = nearest(name, known)
      const what = isPeers(name) ? 'no group of this deployment is called so' : 'lucilius reads no such variable'
      return `${name}: ${what}${near === undefined ? '' : `: did you mean ${near}?`}`
    }),
  )
}
