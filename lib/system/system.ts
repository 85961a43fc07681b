import type { Auth, Authenticate } from '../auth.js'
import type { Message } from '../message.js'
import type { Pattern } from '../pattern.js'
import type { EventExposure, PatternList } from '../peers/exposure.js'
import type { ForeignExchange, ForeignQueue, Limits, ModuleLike, TransportName } from './description.js'

/** A service, every default filled in. */
export interface Service {
  /** Its name in the description, and in every app that loads it. */
  readonly name: string
  /** Where it is. */
  readonly module: ModuleLike
  /** What its set-up gets as second argument. */
  readonly options: unknown
  /** Whether there is one of it in the whole system. */
  readonly singleton: boolean
  /** What it sends. Undefined: it does not say. */
  readonly uses: readonly Pattern[] | undefined
  /** Events that it emits and that nobody has to observe. */
  readonly emits: readonly Pattern[]
  /** Actions of its own that are never to be exposed to the outside. */
  readonly internal: readonly Pattern[]
  /** Folders that it writes to, relative to the description, as `data` or `var/data`. */
  readonly writes: readonly string[]
}

/** A plugin that every process loads. */
export interface SystemPlugin {
  /** Its name in the description, and in every app that loads it; no service has it. */
  readonly name: string
  /** Where it is. */
  readonly module: ModuleLike
  /** What its set-up gets as second argument. */
  readonly options: unknown
}

/** A door to the outside. */
export interface Outside {
  /** How clients speak. */
  readonly transport: 'http' | 'websocket'
  /** The port; 0 takes a free one. */
  readonly port: number
  /** The address to listen on. */
  readonly host: string
  /** The actions that are let in: canonical patterns with exactly their keys, or `'*'`. */
  readonly expose: PatternList
  /** Events that pass; none if undefined. */
  readonly events: EventExposure | undefined
  /** Who may come in; everybody if undefined. */
  readonly auth: Auth | Authenticate | undefined
  /** Origins whose pages may connect over WebSocket. */
  readonly origins: readonly string[]
  /** A message that shows how to use the door, if one is described. */
  readonly example?: Message
  /**
   * The services whose actions are let in; all of the process if absent. It is there where one process opens the doors of
   * several groups, so that `expose: '*'` lets in no more than it does when they are split.
   */
  readonly services?: readonly string[]
}

/** Where the processes of a group listen for the other processes. */
export interface GroupListen {
  /** The address to listen on. */
  readonly host: string
  /** The port of the first replica; 0 takes a free one. */
  readonly port: number
  /** Where the others reach it, one address for each replica. Undefined: at host and port. */
  readonly urls: readonly string[] | undefined
}

/** Services that share a process. */
export interface Group {
  /** Its name in the deployment, and that of the apps of its processes. */
  readonly name: string
  /** Names of services, each once. */
  readonly services: readonly string[]
  /** How many processes of it run. */
  readonly replicas: number
  /** Where it listens for the other processes. */
  readonly listen: GroupListen
  /** Its doors to the outside. */
  readonly outside: readonly Outside[]
  /** Names of the groups it exchanges messages with, where both sides agree, its own included. Undefined: all. */
  readonly peers: readonly string[] | undefined
  /** What it takes from and gives to programs of others, over RabbitMQ; nothing if undefined. */
  readonly amqp: Foreign | undefined
}

/** What a group takes from and gives to programs of others. */
export interface Foreign {
  /** Queues whose messages come in; `as` is canonical text. */
  readonly consume: readonly (Omit<ForeignQueue, 'as'> & {
    /** The event that each message becomes. */
    readonly as: string
  })[]
  /** Events that go out; `match` is canonical text. */
  readonly publish: readonly (Omit<ForeignExchange, 'match'> & {
    /** The events. */
    readonly match: string
  })[]
}

/** Actions and events that go another way than the rest of their deployment. */
export interface Route {
  /** The actions and subscriptions whose patterns this one covers. */
  readonly match: Pattern
  /** What carries them. */
  readonly via: TransportName
}

/** Where brokers are, as far as the description says. */
export interface Brokers {
  /** What tells the system from others on the same broker. Undefined: it follows from the name of the system. */
  readonly space: string | undefined
  /** Where NATS is. */
  readonly nats: {
    /** Its addresses. */
    readonly servers: readonly string[] | undefined
    /** A file with credentials, relative to the description. */
    readonly creds: string | undefined
    /** Passed to the client. */
    readonly tls: object | undefined
  }
  /** Where RabbitMQ is. */
  readonly amqp: {
    /** Its address. */
    readonly url: string | undefined
    /** Passed to `node:tls`. */
    readonly tls: object | undefined
  }
}

/** How processes find each other where neither the environment nor the description says where they are. */
export interface Discovery {
  /** Asks DNS. */
  readonly dns: DnsDiscovery | undefined
  /** Writes into and reads from a registry. */
  readonly etcd: EtcdDiscovery | undefined
  /** Tells the network, and listens to what others tell it. */
  readonly multicast: MulticastDiscovery | undefined
}

/** Names that lead to the processes of each group. */
export interface DnsDiscovery {
  /** The name, `{group}` in it for that of the group: `{group}.shop.svc.cluster.local`. */
  readonly name: string
  /** Where they listen. Undefined: the name is that of SRV records, which say it. */
  readonly port: number | undefined
  /** Addresses of DNS servers, such as `127.0.0.1:5353`. Undefined: those of the machine. */
  readonly servers: readonly string[] | undefined
}

/** A registry of processes. */
export interface EtcdDiscovery {
  /** Its addresses; one that answers is enough. */
  readonly servers: readonly string[]
  /** Milliseconds after which it forgets a process that gives no sign of life. */
  readonly leaseMs: number
}

/** Where announcements are sent. */
export interface MulticastDiscovery {
  /** The address of the multicast group. */
  readonly group: string
  /** The port. */
  readonly port: number
}

/** What keeps durable events. */
export interface Store {
  /** A broker, files of one process, or nothing. */
  readonly kind: 'nats' | 'amqp' | 'embedded' | 'none'
  /** The folder of an embedded one. Undefined: `.lucilius/store/` with the name of the deployment. */
  readonly path?: string | undefined
}

/** One way to spread the services over processes. */
export interface Deployment {
  /** Its name in the description. */
  readonly name: string
  /** What carries messages between the processes. */
  readonly transport: TransportName
  /** What goes another way, the most specific first. */
  readonly routes: readonly Route[]
  /** Where brokers are. */
  readonly brokers: Brokers
  /** How processes find each other where nobody says where they are. Undefined: they do not. */
  readonly discovery: Discovery | undefined
  /** What keeps durable events. Undefined: the description does not say. */
  readonly store: Store | undefined
  /** The groups by name, in the order of the description. */
  readonly groups: ReadonlyMap<string, Group>
}

/** A checked description: what {@link defineSystem} makes. */
export interface System {
  /** Stands in logs. Undefined: the name of the folder. */
  readonly name: string | undefined
  /** The folder that paths of modules are relative to; undefined where the description does not say. */
  readonly root: string | undefined
  /** The services by name, in the order of the description. */
  readonly services: ReadonlyMap<string, Service>
  /** Plugins that every process loads before its services, in the order of the description. */
  readonly plugins: ReadonlyMap<string, SystemPlugin>
  /** The deployments by name, in the order of the description. */
  readonly deployments: ReadonlyMap<string, Deployment>
  /** Limits that every process keeps. */
  readonly limits: Limits
}

// `Symbol.for`, so that two copies of the package in one process recognise each other's systems.
const brand = Symbol.for('lucilius.system')

/** Marks and freezes a system that was checked. */
export function brandSystem(system: System): System {
  return Object.freeze(Object.defineProperty({ ...system }, brand, { value: true }))
}

/** Tells whether a value is what `defineSystem` made, of another copy of the package too. */
export function isSystem(value: unknown): value is System {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, brand)
}
