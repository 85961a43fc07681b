import { randomUUID } from 'node:crypto'
import { didYouMean } from '../../did-you-mean.js'
import { LuciliusError } from '../../errors.js'
import { jsonLogger } from '../../logger.js'
import { nearest } from '../../nearest.js'
import type { EventStore, OpenStore, StoreAdmin } from '../../store.js'
import { findControl } from '../../system/control/index.js'
import { emptyStore, nothingKept } from '../../system/empty-store.js'
import { readEnvironment } from '../../system/environment.js'
import { findSystem } from '../../system/loading/find-system.js'
import { type Loaded, loadSystem } from '../../system/loading/load-system.js'
import { isInstalled, packagesOf } from '../../system/plan/check-brokers.js'
import { loadOffers } from '../../system/plan/load-offers.js'
import { storeOf } from '../../system/store-of.js'
import type { Deployment } from '../../system/system.js'
import { onOneProcess } from '../../system/topology.js'
import { CommandError } from '../errors.js'
import type { Io } from '../io.js'
import { consoleToStderr } from './services-console.js'

/** Milliseconds in which a store has to open where nothing runs that has it open. */
const OPEN_MS = 5000

/** Whose store is asked. */
export interface StoreOptions {
  /** The deployment: what runs, or the only one that has a store, unless given. */
  readonly deployment?: string
  /** The description, where it is not found by its name. */
  readonly config?: string
}

/** A store that answers. */
export interface ReachedStore {
  readonly admin: StoreAdmin
  /** Lets go of it. */
  close(): Promise<void>
}

/**
 * Finds the store: that of what runs of the system of this folder, else the one that is described, opened for the moment.
 * What is no deployment may have been meant for one of the commands.
 */
export async function reachStore(
  options: StoreOptions,
  io: Io,
  commands: readonly string[] = [],
): Promise<ReachedStore> {
  const { deployment, config } = options
  const { folder } = findSystem(io.cwd, config)
  const running = await findControl(
    folder,
    io.env.LUCILIUS_RUN_DIR,
    (about) => deployment === undefined || about.deployment === deployment,
  )
  if (running === undefined) return openDescribed(options, io, commands)
  return { admin: running.store, close: async () => running.close() }
}

async function openDescribed(
  { deployment, config }: StoreOptions,
  io: Io,
  commands: readonly string[],
): Promise<ReachedStore> {
  const restore = consoleToStderr()
  try {
    const loaded = await loadSystem({ cwd: io.cwd, config })
    if (deployment !== undefined) checkDeployment(deployment, loaded, commands)
    const store = await chosenStore(loaded, deployment, io)
    if (await isUnneeded(store, loaded)) return { admin: nothingKept, close: async () => restore() }
    checkPackages(store)
    if ((await store.isEmpty?.()) === true) return { admin: emptyStore(store.name), close: async () => restore() }
    const open = await opened(store, io)
    return {
      admin: open.admin,
      close: async () => {
        await open.close()
        restore()
      },
    }
  } catch (error) {
    restore()
    const isAway = error instanceof LuciliusError && error.code === 'LUC_UNREACHABLE'
    throw isAway ? new CommandError('unreached', error.message) : error
  }
}

/** Whether nothing is kept there, and no service would ever keep anything. What is told without opening it is enough. */
async function isUnneeded(store: EventStore, loaded: Loaded): Promise<boolean> {
  const isEmpty = await store.isEmpty?.().catch(() => false) // without its package it may not be able to tell
  if (isEmpty !== true) return false
  const { plugins, services, failures } = await loadOffers(loaded)
  const all = [...plugins.values(), ...services.values()]
  return (
    failures.length === 0 &&
    all.every(({ events, subscriptions }) => events.length === 0 && subscriptions.every((one) => !one.durable))
  )
}

/** A store whose package is missing would look as if nothing had ever been kept there. */
function checkPackages({ name }: EventStore): void {
  const needed = Object.hasOwn(packagesOf, name) ? packagesOf[name as keyof typeof packagesOf] : []
  const missing = needed.filter((one) => !isInstalled(one))
  if (missing.length === 0) return
  throw new CommandError(
    'failed',
    `The store is ${name}, which lucilius does not bring. Run: npm install ${missing.join(' ')}`,
  )
}

function checkDeployment(name: string, { system }: Loaded, commands: readonly string[]): void {
  const known = [...system.deployments.keys()]
  if (known.includes(name)) return
  const [command] = nearest(name, known).length > 0 ? [] : nearest(name, commands)
  const list = known.length === 0 ? 'this system describes none.' : didYouMean(name, known)
  const advice = command === undefined ? list : `did you mean 'lucilius events ${command}'?`
  throw new CommandError('usage', `There is no deployment '${name}': ${advice}`)
}

/** The store of the deployment of that name, else the only one that is described, else the one that `dev` uses. */
async function chosenStore(loaded: Loaded, name: string | undefined, io: Io): Promise<EventStore> {
  const { system } = loaded
  const inDev = onOneProcess(system)
  const storeIn = (deployment: Deployment) => storeOf({ loaded, deployment, environment: readEnvironment(io.env) })
  const wanted = [...system.deployments.values()].filter((one) => name === undefined || one.name === name)
  const stores = await Promise.all(wanted.map(async (one) => ({ name: one.name, store: await storeIn(one) })))
  const [first, ...others] = stores.flatMap(({ name, store }) => (store === undefined ? [] : [{ name, store }]))
  if (others.length > 0) {
    const names = [first, ...others].map((one) => one?.name).join(', ')
    throw new CommandError(
      'usage',
      `Nothing runs, and several deployments have a store: add --deployment and one of ${names}.`,
    )
  }
  const found = first?.store ?? (name === undefined || name === inDev.name ? await storeIn(inDev) : undefined)
  if (found !== undefined) return found
  throw new CommandError('usage', `The deployment '${name ?? inDev.name}' describes no store: 'store' says which.`)
}

async function opened(store: EventStore, io: Io): Promise<OpenStore> {
  const log = jsonLogger({
    level: readEnvironment(io.env).logLevel ?? 'error',
    write: (line) => io.stderr.write(line),
  })
  const late = AbortSignal.timeout(OPEN_MS)
  try {
    return await store.openStore({
      name: 'command-line',
      instance: randomUUID(),
      log: (level, facts, text) => log[level](facts, text),
      signal: late,
    })
  } catch (error) {
    if (!late.aborted || !(error instanceof LuciliusError)) throw error
    throw new CommandError('unreached', `The store could not be opened within ${OPEN_MS} ms: ${error.message}`)
  }
}
