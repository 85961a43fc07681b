import type { Finding } from './finding.js'
import type { Kind } from './sent.js'

/** A process of the deployment. */
export interface PlannedProcess {
  readonly id: string
  readonly group: string
  readonly services: readonly string[]
  /** Where it listens for the other processes; port 0 takes a free one. Null if there is none that it talks to. */
  readonly listen: { readonly host: string; readonly port: number } | null
}

/** A service, and what it registers. */
export interface PlannedService {
  readonly name: string
  readonly groups: readonly string[]
  readonly actions: readonly string[]
  readonly subscriptions: readonly string[]
  /** What it says that it sends. Null: it does not say, and its messages are not checked. */
  readonly uses: readonly string[] | null
  /** Events that nobody has to observe. */
  readonly emits: readonly string[]
}

/** Who takes a message. */
export interface PlannedTaker {
  readonly service: string
  readonly pattern: string
  /** The groups it may run in. */
  readonly groups: readonly string[]
  /** Keys that the data beside the pattern has to bring. */
  readonly needs: readonly string[]
  /** What carries it there: a transport, or the store. Null: it does not leave the process. */
  readonly via: string | null
}

/** A message that a service sends from a group. */
export interface PlannedMessage {
  readonly service: string
  readonly group: string
  readonly kind: Kind
  readonly pattern: string
  readonly to: readonly PlannedTaker[]
  /** Whether it leaves the process. */
  readonly crosses: boolean
}

/** A door to the outside of each process of a group. */
export interface PlannedDoor {
  readonly group: string
  readonly transport: string
  readonly host: string
  /** The port of the first replica; 0 takes a free one. */
  readonly port: number
  /** The ports of all replicas. Those that take free ones, or have machines of their own, share one. */
  readonly ports: readonly number[]
  /** Whether a client has to say who it is. */
  readonly auth: boolean
  readonly actions: readonly { readonly pattern: string; readonly service: string }[]
  readonly events: { readonly in: unknown; readonly out: unknown }
}

/** Actions and subscriptions that go another way than the rest. */
export interface PlannedRoute {
  readonly match: string
  readonly via: string
  /** Their patterns. */
  readonly patterns: readonly string[]
}

/** A broker of the deployment. */
export interface PlannedBroker {
  readonly name: string
  /** Where it is, without user and password. Null: nobody says, so it is on this machine. */
  readonly servers: readonly string[] | null
}

/** A name that leads to the processes of a group. */
export interface PlannedName {
  readonly group: string
  /** With the port behind it, unless SRV records say that. */
  readonly name: string
}

/** Where processes look for each other. */
export type PlannedSource =
  | {
      readonly by: 'dns'
      readonly names: readonly PlannedName[]
      /** The DNS servers that are asked. Null: those of the machine. */
      readonly servers: readonly string[] | null
    }
  | {
      readonly by: 'etcd'
      /** Its addresses, without user and password. */
      readonly servers: readonly string[]
    }
  | { readonly by: 'multicast'; readonly group: string; readonly port: number }

/** What keeps durable events. */
export interface PlannedStore {
  readonly kind: string
  /** The folder of an embedded one, relative to the description. */
  readonly path: string | null
}

/** An event that is kept. */
export interface PlannedEvent {
  readonly service: string
  readonly pattern: string
  readonly durable: boolean
  readonly retain: boolean
}

/** A durable subscription. */
export interface PlannedDurable {
  readonly name: string
  readonly pattern: string
}

/** What a deployment will do, and what is to be said against it. Plain data. */
export interface Plan {
  readonly deployment: string
  /** What carries messages between the processes. */
  readonly transport: string
  /** What goes another way, the most specific first. */
  readonly routes: readonly PlannedRoute[]
  readonly brokers: readonly PlannedBroker[]
  /** Where processes look for each other if nobody says where they are, in the order in which what they find is heard. */
  readonly discovery: readonly PlannedSource[]
  /** Null: nothing keeps events. */
  readonly store: PlannedStore | null
  readonly processes: readonly PlannedProcess[]
  /** Groups that exchange messages. */
  readonly links: readonly (readonly [string, string])[]
  readonly services: readonly PlannedService[]
  readonly messages: readonly PlannedMessage[]
  /** Events that are kept. */
  readonly events: readonly PlannedEvent[]
  readonly durables: readonly PlannedDurable[]
  readonly doors: readonly PlannedDoor[]
  readonly findings: readonly Finding[]
}
