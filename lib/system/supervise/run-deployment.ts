import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { App } from '../../app.js'
import { sharedSecret } from '../../auth.js'
import type { Logger } from '../../logger.js'
import { lucilius } from '../../lucilius.js'
import { drainMsOf, endMsOf } from '../end-limits.js'
import type { Environment } from '../environment.js'
import { invalid } from '../invalid.js'
import { late } from '../late.js'
import { drainOrder } from '../order.js'
import { overridden } from '../overridden.js'
import type { Variables } from '../secret.js'
import type { Deployment, System } from '../system.js'
import { checkSingletons, type ProcessPlan, processesOf } from '../topology.js'
import { transportNamed } from '../transport-named.js'
import { type Assignment, toArgument } from './assignment.js'
import { childEnvironment } from './child-environment.js'
import type { Hung, SupervisorEvents } from './supervision.js'
import { Supervisor } from './supervisor.js'

/** What to run as processes of their own. */
export interface RunDeploymentOptions {
  readonly system: System
  readonly deployment: Deployment
  /** Where a child finds the description. */
  readonly where: { readonly cwd: string; readonly config?: string | undefined }
  /** How many replicas groups have, where that differs from the description. */
  readonly replicas?: ReadonlyMap<string, number> | undefined
  readonly environment: Environment
  /** The variables of this process, of which `environment` was read: children get them, too. */
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
  const { system, deployment, where, environment, variables, parity, replicas = new Map(), on } = options
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
    replicas: Object.fromEntries(replicas),
  }
  const endMs = endMsOf(drainMsOf(system, environment))
  const supervisor = new Supervisor({
    processes,
    launch: ({ id }) => ({ entry, args: [toArgument({ ...assignment, process: id })], env, endMs }),
    order: () => drainOrder(deployment, system.services, app.list()),
    overlaps: (plan) => canOverlap(plan, system, environment),
    on,
  })
  const { app, known } = onlooker(options, supervisor, processes, secret)
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

interface Onlooker {
  readonly app: App
  /** Resolves when the app knows what all processes answer. */
  readonly known: Promise<unknown>
}

/** An app that is connected to every process and exposes nothing. */
function onlooker(
  { system, deployment, log }: RunDeploymentOptions,
  { addresses }: Supervisor,
  processes: readonly ProcessPlan[],
  secret: string,
): Onlooker {
  const app = lucilius({ ...system.limits, name: 'up', parity: 'off', logger: log })
  const auth = sharedSecret(secret)
  const meet = async (id: string) => {
    const make = await transportNamed(deployment.transport)
    const to = late({ id, name: deployment.transport, addresses, to: (url) => make({ url }), log: app.log })
    await app.connect(to, { auth, events: { in: [], out: [] } })
  }
  const known = Promise.all(
    processes.map(({ id }) => {
      addresses.set(id, undefined) // Not there yet, and expected.
      return meet(id)
    }),
  )
  const stop = addresses.onId((id) => void meet(id).catch(() => {}))
  known.catch((error) => log.debug({ err: error }, 'not all processes are known')) // It is being closed.
  app.onClose(stop)
  return { app, known }
}

/** Whether a process can be there before the one that it replaces is gone. */
function canOverlap(plan: ProcessPlan, { services }: System, environment: Environment): boolean {
  const { group, outside } = overridden(plan, environment)
  if (plan.port !== 0 || group.listen.urls !== undefined) return false
  return outside.every(({ port }) => port === 0) && !group.services.some((name) => services.get(name)?.singleton)
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
