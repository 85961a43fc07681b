import { basename } from 'node:path'
import type { Logger } from '../../logger.js'
import { AddressBook } from '../../system/address-book.js'
import { openControl } from '../../system/control/open-control.js'
import { controlledProcess } from '../../system/controlled-process.js'
import { Exchange } from '../../system/dev/exchange.js'
import { watchedOf } from '../../system/dev/known-files.js'
import { type Environment, readEnvironment } from '../../system/environment.js'
import { descriptionFolder } from '../../system/loading/description-folder.js'
import { type Loaded, loadSystem } from '../../system/loading/load-system.js'
import { registerTypeScript } from '../../system/loading/register-typescript.js'
import { overridden } from '../../system/overridden.js'
import { distinctSendings } from '../../system/recording.js'
import { type Running, runProcess } from '../../system/run.js'
import type { Outside } from '../../system/system.js'
import { onOneProcess, type ProcessPlan, processesOf } from '../../system/topology.js'
import { transportNamed } from '../../system/transport-named.js'
import { readableLogger } from '../print/readable-logger.js'
import { asCalled, type Begin, DEV_DRAIN_MS, type DevEvents, type DevRun } from './dev-run.js'
import { exampleMessage } from './example-message.js'
import type { Assignment, DevDoor } from './messages.js'

/** Milliseconds for the hooks of services, beyond the drain. */
const HOOKS_MS = 2000

/** Starts all services in this process, in strict parity. */
export const begin: Begin = async (assignment, heard) => {
  const environment = asCalled(() => readEnvironment(process.env))
  const level = environment.logLevel ?? 'info'
  const log = readableLogger({ level, color: assignment.color, to: process.stdout, name: 'all' })
  let loaded: Loaded | undefined
  try {
    loaded = await loadSystem(assignment)
    void prepareDoors(loaded)
    heard.known(await watchedOf(assignment, loaded))
    return await run(assignment, environment, loaded, log, heard)
  } catch (error) {
    heard.known(await watchedOf(assignment, loaded))
    throw error
  }
}

async function run(
  assignment: Assignment,
  environment: Environment,
  loaded: Loaded,
  log: Logger,
  heard: DevEvents,
): Promise<DevRun> {
  const deployment = onOneProcess(loaded.system)
  const plan = atPorts(planOf(deployment), environment, assignment)
  for (const warning of environment.warnings) log.warn(warning)
  if (assignment.port !== undefined && plan.outside.length === 0) {
    log.warn('there is no door to the outside: --port says nothing')
  }
  const drainMs = environment.drainMs ?? DEV_DRAIN_MS
  const running = await runProcess({
    loaded,
    deployment,
    process: plan,
    addresses: new AddressBook(),
    secret: undefined,
    environment: { drainMs },
    log,
    parity: 'strict',
    ...(assignment.record === true ? { onSend: distinctSendings(heard.sent) } : {}),
  })
  const exchange = new Exchange({ running, loaded, where: assignment })
  await exchange.note()
  void registerTypeScript().warm()
  const name = loaded.system.name ?? basename(loaded.folder)
  const doors = () => doorsOf(running, plan.outside)
  const socket = await socketOf(environment, loaded, running, { name, deployment: deployment.name }, log)
  return {
    about: { name, parts: [...loaded.system.services.keys()], doors: doors(), ...socket.path },
    get doors() {
      return doors()
    },
    endMs: drainMs + HOOKS_MS,
    failed: new Promise(() => {}),
    watched: () => watchedOf(assignment, loaded),
    change: (files) => exchange.change(files),
    close: async () => {
      const { hung } = await running.close()
      await socket.close()
      return hung
    },
  }
}

/** Loads what the doors will need while services are loaded in the thread of the hooks. */
async function prepareDoors({ system }: Loaded): Promise<void> {
  const names = new Set(planOf(onOneProcess(system)).outside.map(({ transport }) => transport))
  await Promise.all([...names].map(transportNamed)).catch(() => {}) // whoever opens the door hears of it
}

function planOf(deployment: Parameters<typeof processesOf>[0]): ProcessPlan {
  // There is one group of one replica.
  return processesOf(deployment)[0] as ProcessPlan
}

/** The first door has the port that was asked for; a door that takes a free one takes the one that it had before. */
function atPorts(plan: ProcessPlan, environment: Environment, { port, ports }: Assignment): ProcessPlan {
  const own = overridden(plan, environment)
  const outside = own.outside.map((door, at) => {
    if (at === 0 && port !== undefined && port !== 0) return { ...door, port }
    return door.port === 0 || port === 0 ? { ...door, port: ports[at] ?? 0 } : door
  })
  return { ...own, outside }
}

function doorsOf({ doors, host }: Running, outside: readonly Outside[]): DevDoor[] {
  const { actions } = host.inventory()
  return doors.map(({ transport, url, expose }, at) => {
    // They were opened in this order.
    const door = outside[at] as Outside
    return { transport, url, ...exampleMessage(door, expose, actions) }
  })
}

/** Without its control socket a system runs on; the commands that ask it cannot reach it. */
async function socketOf(
  { runDir }: Environment,
  loaded: Loaded,
  running: Running,
  names: { readonly name: string; readonly deployment: string },
  log: Logger,
): Promise<{ readonly path: { readonly socket?: string }; close(): Promise<void> }> {
  const doors = () => running.doors.map(({ transport, url }) => ({ transport, url }))
  const about = () => ({ ...names, processes: [{ id: running.id, pid: process.pid, doors: doors() }] })
  try {
    const place = { folder: descriptionFolder(loaded), what: 'dev', runDir }
    const { path, close } = await openControl(place, { ...controlledProcess(running), about })
    return { path: { socket: path }, close }
  } catch (error) {
    log.warn({ err: error }, 'commands cannot reach this process')
    return { path: {}, close: async () => {} }
  }
}
