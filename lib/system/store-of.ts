import { join, resolve } from 'node:path'
import type { EventStore } from '../store.js'
import { Brokers } from './brokers.js'
import { embeddedStore } from './embedded-store.js'
import type { BrokerEnvironment } from './environment.js'
import { invalid } from './invalid.js'
import { descriptionFolder } from './loading/description-folder.js'
import type { Loaded } from './loading/load-system.js'
import type { Deployment, Store } from './system.js'
import { processesOf } from './topology.js'
import { isBroker } from './transports-used.js'

/** Whose durable events are to be kept. */
export interface StoreOfOptions {
  readonly loaded: Loaded
  readonly deployment: Deployment
  readonly environment?: { readonly brokers?: BrokerEnvironment }
  /** How many processes run, where that differs from the description. */
  readonly processes?: number | undefined
  /** The brokers that the process talks to anyway. */
  readonly brokers?: Brokers
}

/**
 * What keeps the durable events of a deployment; undefined if nothing does. Nothing is opened yet.
 *
 * Rejects with `LUC_OPTIONS_INVALID`: several processes cannot share an embedded store, or the package of a broker is not
 * installed.
 */
export async function storeOf(options: StoreOfOptions): Promise<EventStore | undefined> {
  const { loaded, deployment, processes = processesOf(deployment).length } = options
  const store = storeKind(deployment, processes)
  if (store.kind === 'none') return undefined
  if (store.kind === 'nats' || store.kind === 'amqp') {
    return (options.brokers ?? new Brokers(options)).get(store.kind)
  }
  if (processes > 1) {
    throw invalid(
      `The deployment '${deployment.name}' has ${processes} processes, and an embedded store is the files of one: set 'store' to 'nats' or 'amqp'.`,
    )
  }
  return embeddedStore(resolve(descriptionFolder(loaded), store.path ?? storeFolder(deployment.name)))
}

/**
 * What is to keep the durable events of a deployment that has so many processes: what is described, else its transport if
 * that is a broker, else files if there is one process.
 */
export function storeKind({ store, transport }: Pick<Deployment, 'store' | 'transport'>, processes: number): Store {
  if (store !== undefined) return store
  if (isBroker(transport)) return { kind: transport }
  return processes === 1 ? { kind: 'embedded', path: undefined } : { kind: 'none' }
}

/** Where a deployment of one process keeps its events, relative to the description. */
export function storeFolder(deployment: string): string {
  return join('.lucilius', 'store', deployment)
}
