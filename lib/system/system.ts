import type { Auth, Authenticate } from '../auth.js'
import type { Pattern } from '../pattern.js'
import type { EventExposure, PatternList } from '../peers/exposure.js'
import type { Limits, ModuleLike } from './description.js'

/** A service, every default filled in. */
export interface Service {
  readonly name: string
  readonly module: ModuleLike
  readonly options: unknown
  readonly singleton: boolean
  /** Undefined: it does not say. */
  readonly uses: readonly Pattern[] | undefined
  readonly internal: readonly Pattern[]
}

/** A plugin that every process loads. */
export interface SystemPlugin {
  readonly name: string
  readonly module: ModuleLike
  readonly options: unknown
}

/** A door to the outside. */
export interface Outside {
  readonly transport: 'http' | 'websocket'
  readonly port: number
  readonly host: string
  readonly expose: PatternList
  readonly events: EventExposure | undefined
  readonly auth: Auth | Authenticate | undefined
  readonly origins: readonly string[]
}

/** Services that share a process. */
export interface Group {
  readonly name: string
  readonly services: readonly string[]
  readonly replicas: number
  readonly listen: { readonly host: string; readonly port: number; readonly urls: readonly string[] | undefined }
  readonly outside: readonly Outside[]
  /** Names of the groups it exchanges messages with, itself included where it has replicas. Undefined: all. */
  readonly peers: readonly string[] | undefined
}

/** One way to spread the services over processes. */
export interface Deployment {
  readonly name: string
  readonly transport: 'websocket' | 'http'
  readonly groups: ReadonlyMap<string, Group>
}

/** A checked description: what {@link defineSystem} makes. */
export interface System {
  readonly name: string | undefined
  /** A folder; undefined where the description does not say. */
  readonly root: string | undefined
  readonly services: ReadonlyMap<string, Service>
  readonly plugins: ReadonlyMap<string, SystemPlugin>
  readonly deployments: ReadonlyMap<string, Deployment>
  readonly limits: Limits
}
