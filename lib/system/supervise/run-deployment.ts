import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { App } from '../../app.js'
import type { Logger } from '../../logger.js'
import { drainMsOf, endMsOf } from '../end-limits.js'
import type { Environment } from '../environment.js'
import { invalid } from '../invalid.js'
import type { Loaded } from '../loading/load-system.js'
import { drainOrder } from '../order.js'
import { overridden } from '../overridden.js'
import type { Variables } from '../secret.js'
import type { Deployment } from '../system.js'
import { checkSingletons, type ProcessPlan, processesOf } from '../topology.js'
import { directOf } from '../transports-used.js'
import { type Assignment, toArgument } from './assignment.js'
import { childEnvironment } from './child-environment.js'
import { onlooker } from './onlooker.js'
import type { Hung, SupervisorEvents } from './supervision.js'
import { Supervisor } from './supervisor.js'

/** What to run as processes of their own. */
export interface RunDeploymentOptions {
  readonly loaded: Loaded
  readonly deployment: Deployment
  /** Where a child finds the description. */
  readonly where: { readonly cwd: string; readonly config?: string | undefined }
  /** How many replicas groups have, where that differs from the description. */
  readonly replicas?: ReadonlyMap<string, number> | undefined
  readonly environment: Environment
  /** The variables of which `environment` was read: children get them, too. */
  readonly variables: Variables
  /** Parity of the children: by `NODE_ENV` unless given. */
  readonly parity?: 'strict' | 'off'
  /** Of the app that looks into all processes. */
  readonly log: Logger
  readonly on: SupervisorEvents
}

/** A deployment that runs as processes of their own. */
export interface RunningDeployment {
  readonly supervisor: Supervisor
  /** Knows the actions of all processes and has none itself. */
  readonly app: App
  /** Resolves when all processes have been ready, and `app` knows what they answer; may stay open if one is given up. */
  readonly ready: Promise<void>
  /** Drains all, those who ask before those who are asked. Resolves, once for all, when no process is left. */
  close(): Promise<readonly Hung[]>
  /** Ends all at once. */
  kill(): Promise<void>
}

const entry = fileURLToPath(new URL('../child.js', import.meta.url))

/**
 * Starts a process for each replica of each group of a deployment, supervised.
 *
 * Throws `LUC_OPTIONS_INVALID`: a group that is not there, replicas of a singleton, one port for several processes.
 */
export function runDeployment(options: RunDeploymentOptions): RunningDeployment {
  const { loaded, deployment, where, environment, variables, parity, replicas = new Map(), on } = options
  const { system } = loaded
  const processes = processesOf(deployment, replicas)
  checkSingletons(system, processes)
  checkDoors(processes, environment)
  const made = environment.secret === undefined ? randomBytes(32).toString('base64url') : undefined
  const secret = environment.secret ?? (made as string)
  const env = childEnvironment(variables, made)
  const assignment: Omit<Assignment, 'process'> = {
    cwd: where.cwd,
    ...(where.config === undefined ? {} : { config: where.config }),
    ...(system.deployments.has(deployment.name) ? { deployment: deployment.name } : {}),
    ...(parity === undefined ? {} : { parity }),
    ...(on.sent === undefined ? {} : { record: true }),
    // Whoever does not know the secret cannot join, and nobody knows one that was just made.
    ...(made === undefined ? {} : { closed: true }),
    replicas: Object.fromEntries(replicas),
  }
  const endMs = endMsOf(drainMsOf(system, environment))
  const supervisor = new Supervisor({
    processes,
    launch: ({ id }) => ({ entry, args: [toArgument({ ...assignment, process: id })], env, endMs }),
    order: () => drainOrder(deployment, system.services, app.list()),
    overlaps: (plan) => canOverlap(plan, options),
    on,
  })
  const { app, known } = onlooker(options, supervisor.addresses, processes, secret)
  const ready = Promise.all([supervisor.start(), known]).then(() => {})
  let closed: Promise<readonly Hung[]> | undefined
  const close = () => {
    const hung = supervisor.stop()
    return app.close().then(() => hung)
  }
  return {
    supervisor,
    app,
    ready,
    close: () => {
      closed ??= close()
      return closed
    },
    kill: () => supervisor.kill(),
  }
}

/** Whether a process can be there before the one that it replaces is gone. */
function canOverlap(plan: ProcessPlan, { loaded, deployment, environment }: RunDeploymentOptions): boolean {
  const { services } = loaded.system
  const { group, outside } = overridden(plan, environment)
  const hasPlace = directOf(deployment) !== undefined && (plan.port !== 0 || group.listen.urls !== undefined)
  if (hasPlace || outside.some(({ port }) => port !== 0)) return false
  return !group.services.some((name) => services.get(name)?.singleton)
}

/** A variable that names a port means one process. */
function checkDoors(processes: readonly ProcessPlan[], { doors }: Environment): void {
  for (const transport of ['http', 'websocket'] as const) {
    const { port = 0 } = doors[transport]
    const ids = processes
      .filter(({ outside }) => outside.some((door) => door.transport === transport))
      .map(({ id }) => id)
    if (port === 0 || ids.length < 2) continue
    const name = `LUCILIUS_${transport.toUpperCase()}_PORT`
    throw invalid(`${name} is one port, and ${ids.join(', ')} would all listen on it: describe their ports instead.`)
  }
}
