import { type Host, type HostOptions, hostApp } from '../host.js'
import type { Logger } from '../logger.js'
import type { EventStore } from '../store.js'
import type { AddressBook } from './address-book.js'
import { Brokers } from './brokers.js'
import { Doors, type OpenDoor } from './doors.js'
import { drainMsOf } from './end-limits.js'
import type { BrokerEnvironment, Environment } from './environment.js'
import { foreignExchanges, foreignName } from './foreign-exchanges.js'
import { checkInternal } from './internal-actions.js'
import type { Loaded } from './loading/load-system.js'
import { ownerOf } from './owner.js'
import { type PeerWiring, peerWiring } from './peer-wiring.js'
import { sendHook } from './send-hook.js'
import { spaceOf } from './space.js'
import { storeOf } from './store-of.js'
import type { Deployment } from './system.js'
import { checkSingletons, type ProcessPlan } from './topology.js'
import { useAll } from './use-all.js'

/** One process of a system. */
export interface RunOptions {
  readonly loaded: Loaded
  readonly deployment: Deployment
  readonly process: ProcessPlan
  /** Where the other processes are; groups that it does not name at all are taken from the deployment. */
  readonly addresses: AddressBook
  /** What processes prove by that they belong together. A process that is alone needs none. */
  readonly secret: string | undefined
  readonly environment: Pick<Environment, 'drainMs'> &
    Partial<Pick<Environment, 'advertise' | 'discovery' | 'peers'>> & { readonly brokers?: BrokerEnvironment }
  /** Processes of which nobody says where they listen: they are found, or met at a broker. */
  readonly unaddressed?: ReadonlySet<string>
  /** Groups whose processes are looked for, where the deployment says how: all, unless given. */
  readonly lookedFor?: ReadonlySet<string>
  /** How many processes the deployment has, where that differs from the description. */
  readonly processes?: number
  /** What keeps durable events, in place of what the deployment says. */
  readonly store?: EventStore | undefined
  readonly log: Logger
  /** `strict` unless `NODE_ENV` is `production`. */
  readonly parity?: 'strict' | 'off'
  /** Hears of every message that a service, or a plugin within it, sends. */
  readonly onSend?: HostOptions['onSend']
  /** Opens the listener for peers also if there is no other process: whoever runs it wants to look in. */
  readonly reachable?: boolean
  /** Tells of connections that come and go at level `debug`: whoever runs the others as well tells of them. */
  readonly quietConnections?: boolean
}

/** A process of a system that runs. */
export interface Running {
  readonly id: string
  readonly host: Host
  /** Where peers reach it; undefined for a process that is alone. */
  readonly url: string | undefined
  /** Its doors to the outside. */
  readonly doors: readonly OpenDoor[]
  /** Milliseconds that running work is given by `close`. */
  readonly drainMs: number
  /** Resolves when the other processes that it is linked to have been met once, or it is closed. */
  known(): Promise<void>
  /**
   * After `host.replace`: checks again what the doors let in, and opens those anew that would let in something else.
   * Rejects with `LUC_OPTIONS_INVALID`, `LUC_LISTEN_FAILED`.
   */
  adjust(): Promise<void>
  /**
   * Drains and closes everything, once. `hung` names the patterns whose handlers still ran when `drainMs` were over.
   * Rejects with `LUC_PLUGIN_FAILED` if an onClose hook failed, after all else was closed.
   */
  close(): Promise<{ readonly hung: readonly string[] }>
}

/** What a runner may want to hear of while a process starts. */
export interface RunHooks {
  /** Peers reach the process here. Its services have not started yet. */
  onListening?(url: string): void
  /** It does not start, and these are the groups of which it has met nobody. */
  onUnmet?(groups: readonly string[]): void
}

/**
 * Runs the services of one process: loads plugins and services, waits for the brokers that it needs, joins the other
 * processes, starts the services and opens the doors to the outside, in this order.
 *
 * Rejects, after closing what was opened, with what could not be loaded, `LUC_PLUGIN_FAILED`, `LUC_OPTIONS_INVALID` (no
 * secret, a second singleton, a door that lets in internal actions, a package that is not installed), `LUC_LISTEN_FAILED`,
 * `LUC_UNAUTHENTICATED` by a broker, or `LUC_STORE_REQUIRED`.
 */
export async function runProcess(options: RunOptions, hooks: RunHooks = {}): Promise<Running> {
  const { loaded, process, reachable = false } = options
  checkSingletons(loaded.system, [process])
  const brokers = new Brokers(options)
  const wiring = peerWiring({
    ...options,
    brokers,
    space: spaceOf(options),
    reachable,
    singletons: process.group.services.filter((name) => loaded.system.services.get(name)?.singleton === true),
    instance: () => host.instance,
    onListening: hooks.onListening,
  })
  const host = hostOf(options, 'store' in options ? options.store : await storeOf({ ...options, brokers }))
  const { group, outside } = process
  const doors = new Doors(host.app, group, outside)
  const owner = (plugin: string) => ownerOf(plugin, host.inventory().plugins)
  const check = () => checkInternal(group, outside, loaded.system.services, host.inventory(), owner)
  const adjust = async () => {
    check()
    await doors.adjust(host.inventory(), owner)
  }
  try {
    if (wiring !== undefined) host.app.use(wiring.plugin)
    await useAll(host.app, loaded, group.services)
    await useForeign(host, options)
    await host.load()
    check()
    await wiring?.reach()
    await host.app.ready()
    await adjust()
  } catch (error) {
    hooks.onUnmet?.(wiring?.unmet ?? [])
    await host.app.close().catch(() => {}) // what kept it from starting is the news
    throw wiring?.failure ?? error
  }
  return running(options, { host, wiring, doors, adjust })
}

/** Behind the services: what comes in is for those that have started. */
async function useForeign({ app }: Host, options: RunOptions): Promise<void> {
  const { group } = options.process
  if (group.amqp === undefined) return
  app.use(await foreignExchanges(options, group.amqp), undefined, { as: foreignName(group) })
}

function hostOf(options: RunOptions, store: EventStore | undefined): Host {
  const { loaded, process, log, parity, environment, quietConnections = false } = options
  const { name } = process.group
  const logger = process.id === name ? log : log.child({ process: process.id })
  const onSend = sendHook(options, logger, () => host)
  const host: Host = hostApp(
    {
      ...loaded.system.limits,
      drainMs: drainMsOf(loaded.system, environment),
      name,
      logger,
      ...(store === undefined ? {} : { store }),
      ...(parity === undefined ? {} : { parity }),
    },
    { quietConnections, ...(onSend === undefined ? {} : { onSend }) },
  )
  return host
}

interface Parts {
  readonly host: Host
  readonly wiring: PeerWiring | undefined
  readonly doors: Doors
  readonly adjust: () => Promise<void>
}

function running(options: RunOptions, { host, wiring, doors, adjust }: Parts): Running {
  const drainMs = drainMsOf(options.loaded.system, options.environment)
  let closing: Promise<{ readonly hung: readonly string[] }> | undefined
  return {
    id: options.process.id,
    host,
    drainMs,
    get url() {
      return wiring?.url
    },
    get doors() {
      return doors.open
    },
    known: async () => wiring?.known(),
    adjust,
    close: () => {
      closing ??= drained(host, drainMs)
      return closing
    },
  }
}

async function drained(host: Host, drainMs: number): Promise<{ readonly hung: readonly string[] }> {
  let hung: readonly string[] = []
  // Set before the app sets its own, so it looks at what runs just before that is given up.
  const timer = setTimeout(() => {
    hung = host.running()
  }, drainMs)
  try {
    await host.app.close()
  } finally {
    clearTimeout(timer)
  }
  return { hung }
}
