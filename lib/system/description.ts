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
}

/** One way to spread the services over processes. */
export interface DeploymentDescription<S extends string = string> {
  /** What carries messages between the processes: `websocket` unless given. */
  readonly transport?: 'websocket' | 'http'
  /** Which services share a process. A list is short for `{ services: [...] }`. */
  readonly groups: { readonly [group: string]: '*' | readonly S[] | GroupDescription<S> }
}

/** Limits that every process keeps: options of an app, but for its name, logger and parity. */
export type Limits = Omit<AppOptions, 'name' | 'logger' | 'parity'>

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
