import { basename } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { didYouMean } from '../did-you-mean.js'
import { jsonLogger, type Logger } from '../logger.js'
import type { AddressBook } from './address-book.js'
import { type About, type AboutProcess, openControl } from './control/index.js'
import { controlledProcess } from './controlled-process.js'
import { isDiscovering } from './discovery/sources.js'
import { START_END_MS } from './end-limits.js'
import { type Environment, readEnvironment } from './environment.js'
import { type Health, type HealthDoor, openHealth } from './health/health.js'
import { invalid } from './invalid.js'
import { descriptionFolder } from './loading/description-folder.js'
import { type Loaded, loadSystem } from './loading/load-system.js'
import { overridden } from './overridden.js'
import { patiently } from './patient-start.js'
import { type ProcessEnd, processEnd } from './process-end.js'
import { type RunHooks, type Running, runProcess } from './run.js'
import { forgetSecrets, type Variables } from './secret.js'
import { startPlan } from './start-addresses.js'
import type { Deployment, Group } from './system.js'
import { directOf } from './transports-used.js'

/** What to start, and where. */
export interface StartOptions {
  /** The folder in which the description is looked for. */
  readonly cwd: string
  /** The description, in place of the one that is found. */
  readonly config?: string | undefined
  readonly deployment: string
  readonly group: string
  readonly variables: Variables
  /** Takes one line for a person, without a line end. */
  readonly say: (line: string) => void
  /** JSON lines on stdout unless given. */
  readonly log?: Logger
}

/**
 * Runs one group of a deployment in this process until it is told to end. Resolves with the exit code: 0 after a signal
 * and a drain, 1 after an uncaught error, or if something did not end in time. A start that is told to end has a second to
 * come to an end. A second signal ends the process at once, with 130 or 143.
 *
 * Takes secrets out of the variables of this process: what services start has no need of it.
 *
 * Rejects with what keeps it from starting: `LUC_OPTIONS_INVALID`, `LUC_PLUGIN_FAILED`, `LUC_LISTEN_FAILED`.
 */
export async function start(options: StartOptions): Promise<number> {
  const { variables, say } = options
  const environment = readEnvironment(variables)
  forgetSecrets()
  const log = options.log ?? jsonLogger(environment.logLevel === undefined ? {} : { level: environment.logLevel })
  // From here on, so that a signal while it starts is not lost.
  const end = processEnd(log)
  let health: Health = 'starting'
  let door: HealthDoor | undefined
  try {
    door = await healthDoor(environment, () => health)
    let isOver = false
    void end.asked.then(() => {
      isOver = true
    })
    const opening = open(options, environment, log, () => isOver)
    const opened = await Promise.race([opening, end.asked])
    if (typeof opened === 'string') {
      if (end.code !== 0) say(opened)
      await Promise.race([closed(opening, log), pause(START_END_MS, undefined, { ref: false })])
      return end.code
    }
    health = 'ready'
    const why = await end.asked
    health = 'draining'
    return await drain(opened, why, end, log, say)
  } finally {
    await door?.close()
    end.dispose()
  }
}

function healthDoor(
  { health: { host = '127.0.0.1', port } }: Environment,
  health: () => Health,
): Promise<HealthDoor> | undefined {
  return port === undefined ? undefined : openHealth({ host, port }, health)
}

/** Closes what is opened too late. Resolves when that is done. */
async function closed(opening: Promise<Opened>, log: Logger): Promise<void> {
  try {
    const { running, close } = await opening
    await Promise.all([running.close(), close()])
  } catch (error) {
    log.error({ err: error }, 'this process was told to end while it started')
  }
}

interface Opened {
  readonly running: Running
  /** Removes the control socket. */
  readonly close: () => Promise<void>
}

async function open(
  options: StartOptions,
  environment: Environment,
  log: Logger,
  isOver: () => boolean,
): Promise<Opened> {
  const { cwd, variables } = options
  const loaded = await loadSystem({ cwd, config: options.config })
  const deployment = named('deployment', options.deployment, loaded.system.deployments)
  const group = named('group', options.group, deployment.groups)
  for (const warning of readEnvironment(variables, deployment.groups.keys()).warnings) log.warn(warning)
  const { process, ...others } = startPlan(deployment, group, environment.replica ?? 1, environment)
  const { addresses } = others
  const { secret } = environment
  const own = overridden(process, environment)
  const run = (log: Logger, hooks: RunHooks = {}) =>
    runProcess({ loaded, deployment, process: own, ...others, secret, environment, log }, hooks)
  const { discovery } = deployment
  const isLooking = isDiscovering({ discovery, environment: environment.discovery }) && others.lookedFor.size > 0
  const running = await (isLooking ? patiently((one) => run(one.log, one), log, isOver) : run(log))
  if (running.url !== undefined && own.port === 0 && isToBeKnown(deployment, environment)) warnOfPort(running.url, log)
  const close = await openSocket(loaded, deployment, running, addresses, environment, log)
  log.info({ process: running.id, url: running.url, doors: running.doors.map(({ url }) => url) }, 'started')
  return { running, close }
}

/** A socket for commands is a convenience: a folder that cannot be written keeps nobody from starting. */
async function openSocket(
  loaded: Loaded,
  deployment: Deployment,
  running: Running,
  addresses: AddressBook,
  environment: Environment,
  log: Logger,
): Promise<Opened['close']> {
  const folder = descriptionFolder(loaded)
  const about = (): Pick<About, 'name' | 'deployment' | 'processes'> => ({
    name: loaded.system.name ?? basename(folder),
    deployment: deployment.name,
    processes: addresses.ids().map((id) => aboutProcess(id, running, addresses)),
  })
  try {
    const what = `start-${deployment.name}-${running.id}`
    const place = { folder, what, runDir: environment.runDir }
    const control = await openControl(place, { ...controlledProcess(running), about })
    return control.close
  } catch (error) {
    log.warn({ err: error }, 'commands cannot reach this process')
    return async () => {}
  }
}

function aboutProcess(id: string, running: Running, addresses: AddressBook): AboutProcess {
  const url = addresses.urlOf(id)
  if (id !== running.id) return { id, url }
  return { id, pid: process.pid, url, doors: running.doors.map(({ transport, url }) => ({ transport, url })) }
}

async function drain(
  { running, close }: Opened,
  why: string,
  end: ProcessEnd,
  log: Logger,
  say: (line: string) => void,
): Promise<number> {
  log.info({ why }, 'draining')
  if (end.code !== 0) say(why)
  try {
    const { hung } = await running.close()
    if (hung.length === 0) return end.code
    log.error({ hung }, 'a drain took too long')
    say(`after ${running.drainMs} ms there still ran ${hung.join('; ')}`)
  } catch (error) {
    log.error({ err: error }, 'this process could not be closed in order')
    say(error instanceof Error ? error.message : String(error))
  } finally {
    await close()
  }
  return 1
}

function named<T extends Deployment | Group>(what: string, name: string, known: ReadonlyMap<string, T>): T {
  const found = known.get(name)
  if (found !== undefined) return found
  throw invalid(`There is no ${what} '${name}': ${didYouMean(name, known.keys())}`)
}

/** Whether the others have to be told where this process is. */
function isToBeKnown(deployment: Deployment, { discovery: environment }: Environment): boolean {
  const { discovery } = deployment
  return directOf(deployment) !== undefined && !isDiscovering({ discovery, environment })
}

function warnOfPort(url: string, log: Logger): void {
  log.warn(
    { url },
    'this process listens for its peers on a port that nobody can know: set LUCILIUS_PORT or listen.port',
  )
}
