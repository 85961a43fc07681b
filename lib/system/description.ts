import type { Auth, Authenticate } from '../auth.js'
import type { PatternLike } from '../handler.js'
import type { AppOptions } from '../options.js'
import type { EventExposure, PatternList } from '../peers/exposure.js'

/**
 * Where a service or plugin is: a path relative to the description, or a function that imports it. The module exports it
 * by default, under its name in the description, or as the only function.
 */
export type ModuleLike = string | (() => Promise<unknown>)

/** A service, where there is more to say than where its module is. */
export interface ServiceDescription {
  /** Where it is. */
  readonly module: ModuleLike
  /** What its set-up gets as second argument. */
  readonly options?: unknown
  /** There is one of it in the whole system: its group has one replica. */
  readonly singleton?: boolean
  /** What it sends: patterns of acts and of events. `plan` finds each a home, strict parity warns of anything else. */
  readonly uses?: readonly PatternLike[]
  /** Events among what it sends that nobody has to observe: like `uses`, but without a home they are no mistake. */
  readonly emits?: readonly PatternLike[]
  /** Actions of its own that are never to be exposed to the outside. */
  readonly internal?: readonly PatternLike[]
  /** Folders that it writes to, relative to the description: `lucilius export` gives each process its own, to keep. */
  readonly writes?: readonly string[]
}

/** A plugin that every process loads, before its services. */
export interface PluginDescription {
  /** Where it is. */
  readonly module: ModuleLike
  /** What its set-up gets as second argument. */
  readonly options?: unknown
}

/** Where the processes of a group listen for the other processes of the system. */
export interface PeerListen {
  /** The address to listen on: 127.0.0.1 unless given. Off loopback, `LUCILIUS_SECRET` has to be set. */
  readonly host?: string
  /** The port; 0, unless given, takes a free one. Replicas on one machine take it and those that follow. */
  readonly port?: number
  /** Where the others reach it, one address for each replica, if that differs from host and port. */
  readonly urls?: readonly string[]
}

/** A door to the outside: actions of the group's own services that clients may act on. */
export interface OutsideDescription {
  /** How clients speak. */
  readonly transport: 'http' | 'websocket'
  /** The port; 0, unless given, takes a free one. Replicas on one machine take it and those that follow. */
  readonly port?: number
  /** The address to listen on: 127.0.0.1 unless given. */
  readonly host?: string
  /** The actions that are let in: patterns with exactly their keys, or `'*'`. */
  readonly expose: PatternList
  /** Events that pass; none unless given. */
  readonly events?: EventExposure
  /** Who may come in: `sharedSecret('…')`, or a function `(request) => identity`. Everybody unless given. */
  readonly auth?: Auth | Authenticate
  /** Origins whose pages may connect over WebSocket: none unless given. */
  readonly origins?: readonly string[]
  /** A message that `lucilius dev` shows how to send, in place of one that it makes of a pattern. */
  readonly example?: PatternLike
}

/** A queue of others, whose messages, plain JSON, come in as events. */
export interface ForeignQueue {
  /** Its name. One that is not there is made. */
  readonly queue: string
  /** The event that each message becomes: these pairs, over what it says itself. */
  readonly as: PatternLike
  /** The event is durable: a message is taken out of the queue once it is stored. */
  readonly durable?: boolean
  /** An exchange to bind it to. */
  readonly exchange?: string
  /** Routing keys with which it is bound there: `#` unless given. */
  readonly key?: string | readonly string[]
  /** Messages that may be under way at once: 32. */
  readonly prefetch?: number
}

/** Events that go to an exchange of others, as plain JSON. */
export interface ForeignExchange {
  /** The events. */
  readonly match: PatternLike
  /** Its name; `''` is the exchange by which each queue has its own name as key. */
  readonly exchange: string
  /** The routing key: `invoice.{event}` has the property `event` of the event in it. */
  readonly key: string
  /** The name of a durable subscription, for events that must arrive. */
  readonly durable?: string
}

/** Exchanges and queues of others, which know nothing of lucilius: the raw mode of `lucilius/transports/amqp`. */
export interface ForeignDescription {
  /** Queues whose messages come in. */
  readonly consume?: readonly ForeignQueue[]
  /** Events that go out. */
  readonly publish?: readonly ForeignExchange[]
}

/** Services that share a process. */
export interface GroupDescription<S extends string = string> {
  /** Names of services, or `'*'` for all. */
  readonly services: '*' | readonly S[]
  /** How many processes of it run: 1 unless given. */
  readonly replicas?: number
  /** Where it listens for the other processes. */
  readonly listen?: PeerListen
  /** What the outside reaches here; nothing unless given. */
  readonly outside?: OutsideDescription | readonly OutsideDescription[]
  /** The other groups it exchanges messages with, where both sides agree: all unless given. */
  readonly peers?: readonly string[]
  /** What its processes take from and give to programs of others, over RabbitMQ. */
  readonly amqp?: ForeignDescription
}

/** What carries messages between processes: sockets between each two of them, or a broker that all of them know. */
export type TransportName = 'websocket' | 'http' | 'nats' | 'amqp'

/** Actions and events that go another way than the rest of their deployment. */
export interface RouteDescription {
  /** The actions and subscriptions whose patterns this one covers. The most specific route wins. */
  readonly match: PatternLike
  /** What carries them. */
  readonly via: TransportName
}

/** Where NATS is. What proves who connects is better in the environment: `LUCILIUS_NATS_CREDS` and its like. */
export interface NatsDescription {
  /** Addresses such as `nats://nats-1:4222`, without user and password: `nats://127.0.0.1:4222` unless given. */
  readonly servers?: string | readonly string[]
  /** A file with credentials, relative to the description. */
  readonly creds?: string
  /** Passed to the client: `{ caFile, certFile, keyFile }`, say. */
  readonly tls?: object
}

/** Where RabbitMQ is. User and password belong into the environment, in `LUCILIUS_AMQP_URL`. */
export interface AmqpDescription {
  /** Its address, without user and password: `amqp://127.0.0.1:5672` unless given. */
  readonly url?: string
  /** Passed to `node:tls`: `{ ca, cert, key }`, say. */
  readonly tls?: object
}

/** The brokers of a deployment. What the environment says goes before it. */
export interface BrokersDescription {
  /**
   * What tells this system from others on the same broker: letters, digits, `-` and `_`, 64 of them at most. The name of
   * the system unless given.
   */
  readonly space?: string
  /** Where NATS is. */
  readonly nats?: NatsDescription
  /** Where RabbitMQ is. */
  readonly amqp?: AmqpDescription
}

/** Names in DNS that lead to the processes of each group. */
export interface DnsDescription {
  /**
   * `{group}.shop.svc.cluster.local:7400` is looked up as A and AAAA for each group, and a name that begins with `_`,
   * `_peers._tcp.{group}.shop.example`, as SRV, which says the port too.
   */
  readonly name: string
  /** Addresses of DNS servers, such as `10.0.0.2` or `127.0.0.1:5353`: those of the machine unless given. */
  readonly servers?: readonly string[]
}

/** A registry where each process writes down where it is, for as long as it gives signs of life. */
export interface EtcdDescription {
  /** Addresses such as `http://etcd-1:2379`: `http://127.0.0.1:2379` unless given. */
  readonly servers?: string | readonly string[]
  /** Milliseconds after which a process that gives no sign of life is forgotten: 10,000 unless given. */
  readonly leaseMs?: number
}

/** Where processes announce themselves on a network. */
export interface MulticastDescription {
  /** The address of the multicast group: 239.255.76.85 unless given. */
  readonly group?: string
  /** The port: 7685 unless given. */
  readonly port?: number
}

/** How processes find each other where neither the environment nor `listen` says where they are. The first answer wins. */
export interface DiscoveryDescription {
  /** Asked first: a name, or more. */
  readonly dns?: string | DnsDescription
  /** Asked next: an address, several, or more. */
  readonly etcd?: string | readonly string[] | EtcdDescription
  /** Asked last: `true`, or where. Nobody configures anything, and the network hears of it. */
  readonly multicast?: boolean | MulticastDescription
}

/** What keeps durable events: a broker, or files of one process, in a folder relative to the description. */
export type StoreDescription =
  | 'embedded'
  | 'nats'
  | 'amqp'
  | {
      /** The folder. */
      readonly embedded: string
    }
  | false

/** One way to spread the services over processes. */
export interface DeploymentDescription<S extends string = string> {
  /** What carries messages between the processes: `websocket` unless given. */
  // Written out, so that an error of the compiler says what there is.
  readonly transport?: 'websocket' | 'http' | 'nats' | 'amqp'
  /** What goes another way. */
  readonly routes?: readonly RouteDescription[]
  /** Where brokers are, if it uses any. */
  readonly brokers?: BrokersDescription
  /** How processes find each other where nobody says where they are: not at all unless given. */
  readonly discovery?: DiscoveryDescription
  /**
   * What keeps durable events: the transport, if it is a broker, else, for one process, the folder `.lucilius/store/` with
   * the name of the deployment beside the description. `false`: nothing.
   */
  readonly store?: StoreDescription
  /** Which services share a process. A list is short for `{ services: [...] }`. */
  readonly groups: { readonly [group: string]: '*' | readonly S[] | GroupDescription<S> }
}

/** Limits that every process keeps: options of an app, but for its name, logger, parity and store. */
export type Limits = Omit<AppOptions, 'name' | 'logger' | 'parity' | 'store'>

/** A system: its services, and the ways to spread them over processes. What {@link defineSystem} takes. */
export interface SystemDescription<S extends string = string> {
  /** Stands in logs: the name of the folder unless given. */
  readonly name?: string
  /** What paths of modules are relative to: `import.meta.url`, or a folder. The file of the description unless given. */
  readonly root?: string
  /** The services by name. A path or function is short for `{ module }`. */
  readonly services: { readonly [N in S]: ModuleLike | ServiceDescription }
  /** Plugins that every process loads before its services: policies, logging, authentication. */
  readonly plugins?: { readonly [name: string]: ModuleLike | PluginDescription }
  /** The ways to spread the services over processes. Without any there is one process. */
  readonly deployments?: { readonly [name: string]: DeploymentDescription<NoInfer<S>> }
  /** Limits that every process keeps. */
  readonly limits?: Limits
}
