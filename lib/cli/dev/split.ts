import { basename, relative } from 'node:path'
import { jsonLogger } from '../../logger.js'
import { type Control, openControl } from '../../system/control/open-control.js'
import { type Watched, watchedOf } from '../../system/dev/known-files.js'
import { type Failure, nothingDone, type Outcome } from '../../system/dev/outcome.js'
import { restartReason } from '../../system/dev/restart-reason.js'
import { syntaxFailures } from '../../system/dev/syntax.js'
import { type Environment, readEnvironment } from '../../system/environment.js'
import { descriptionFolder } from '../../system/loading/description-folder.js'
import { type Loaded, loadSystem } from '../../system/loading/load-system.js'
import { CONFIG_OWNER } from '../../system/loading/module-graph.js'
import { registerTypeScript } from '../../system/loading/register-typescript.js'
import type { Variables } from '../../system/secret.js'
import { chooseDeployment } from '../../system/supervise/choose-deployment.js'
import { controlledOf } from '../../system/supervise/controlled-of.js'
import { describeEnd, type End, EndedEarly } from '../../system/supervise/end.js'
import { type LocalBrokers, localBrokers } from '../../system/supervise/local-brokers.js'
import { type RunningDeployment, runDeployment } from '../../system/supervise/run-deployment.js'
import type { SupervisorEvents } from '../../system/supervise/supervision.js'
import { unplaced } from '../../system/supervise/unplaced.js'
import type { Deployment, Outside } from '../../system/system.js'
import { deploymentOfDev, type ProcessPlan, processesOf, wholeSystem } from '../../system/topology.js'
import { type LogLines, logLines } from '../print/log-lines.js'
import { asCalled, type Begin, CalledWrongly, DEV_DRAIN_MS, Described, type DevRun } from './dev-run.js'
import { exampleMessage } from './example-message.js'
import type { Assignment, DevDoor } from './messages.js'

/** Milliseconds for the hooks of services, beyond the drain; groups drain one after the other. */
const HOOKS_MS = 6000

/** Starts a deployment as processes of their own, in strict parity. */
export const begin: Begin = async (assignment, known) => {
  const environment = asCalled(() => readEnvironment(process.env))
  let loaded: Loaded | undefined
  try {
    loaded = await loadSystem(assignment)
  } finally {
    known(await watchedOf(assignment, loaded))
  }
  const drainMs = environment.drainMs ?? DEV_DRAIN_MS
  const deployment = chosen(assignment, loaded)
  const lines = linesOf(assignment, deployment)
  const say = (line: string) => lines.say('dev', line)
  const given = variablesFor(assignment, processesOf(deployment), drainMs)
  const brokers = await localBrokers(loaded, deployment, given, say)
  let split: Split | undefined
  try {
    split = new Split({ assignment, loaded, deployment, lines, drainMs, brokers, known })
    await split.start()
    return split
  } catch (error) {
    await split?.kill()
    await brokers.close()
    throw error
  }
}

/** What is to be run, and how. */
interface SplitOptions {
  readonly assignment: Assignment
  readonly loaded: Loaded
  readonly deployment: Deployment
  readonly lines: LogLines
  readonly drainMs: number
  readonly brokers: LocalBrokers
  readonly known: (watched: Watched) => void
}

class Split implements DevRun {
  readonly failed: Promise<never>
  readonly endMs: number
  readonly #assignment: Assignment
  readonly #loaded: Loaded
  readonly #environment: Environment
  readonly #deployment: Deployment
  readonly #plans: readonly ProcessPlan[]
  readonly #lines: LogLines
  readonly #brokers: LocalBrokers
  readonly #known: (watched: Watched) => void
  /** The files of each process. */
  readonly #files = new Map<string, readonly string[]>()
  readonly #running: RunningDeployment
  #control: Control | undefined
  #fail: (error: unknown) => void = () => {}

  constructor({ assignment, loaded, deployment, lines, drainMs, brokers, known }: SplitOptions) {
    const { environment, variables } = brokers
    this.#assignment = assignment
    this.#environment = environment
    this.#loaded = loaded
    this.#known = known
    this.#deployment = deployment
    this.#brokers = brokers
    this.#plans = processesOf(deployment)
    this.endMs = drainMs * deployment.groups.size + HOOKS_MS
    this.#lines = lines
    for (const warning of [...environment.warnings, ...unplaced(loaded.system, deployment)]) lines.say('dev', warning)
    this.failed = new Promise((_, reject) => {
      this.#fail = reject
    })
    this.failed.catch(() => {}) // whoever waits for it hears of it
    this.#running = runDeployment({
      loaded,
      deployment,
      where: assignment,
      environment,
      variables,
      parity: 'strict',
      log: jsonLogger({
        level: environment.logLevel ?? 'warn',
        write: (line) => lines.print('dev', line.trimEnd()),
      }),
      on: this.#events(),
    })
  }

  get about() {
    const socket = this.#control === undefined ? {} : { socket: this.#control.path }
    return { name: this.#name, parts: this.#plans.map(({ id }) => id), doors: this.doors, ...socket }
  }

  get doors(): readonly DevDoor[] {
    const { supervisor, app } = this.#running
    const actions = app.list()
    return supervisor.processes.flatMap(({ id, doors }) => {
      const outside = this.#plans.find((plan) => plan.id === id)?.outside ?? []
      return doors.map(({ transport, url }, at) => {
        const door = outside[at] as Outside // they were opened in this order
        return { transport, url, of: id, ...exampleMessage(door, door.expose, actions) }
      })
    })
  }

  async start(): Promise<void> {
    await Promise.race([this.#running.ready, this.failed])
    const { supervisor } = this.#running
    const processes = () => supervisor.processes.map(({ id, pid, url, doors }) => ({ id, pid, url, doors }))
    const place = { folder: descriptionFolder(this.#loaded), what: 'dev', runDir: this.#environment.runDir }
    try {
      this.#control = await openControl(place, {
        ...controlledOf(this.#running),
        about: () => ({ name: this.#name, deployment: this.#deployment.name, processes: processes() }),
      })
    } catch (error) {
      this.#lines.say('dev', (error as Error).message)
    }
  }

  async watched(): Promise<Watched> {
    const { files, folders } = await watchedOf(this.#assignment, this.#loaded)
    return { files: [...new Set([...files, ...[...this.#files.values()].flat()])], folders }
  }

  async change(files: readonly string[]): Promise<Outcome> {
    const { cwd } = this.#assignment
    const restart = await this.#restartReason(files)
    const ids = this.#plans
      .map(({ id }) => id)
      .filter((id) => files.some((file) => this.#files.get(id)?.includes(file)))
    if (restart === undefined && ids.length === 0) return nothingDone
    const failures = await syntaxFailures(files, cwd)
    if (failures.length > 0) {
      return { done: [], failures: failures.map((one) => ({ ...one, instead: 'everything runs on as it was' })) }
    }
    if (restart !== undefined) return { done: [], failures, restart }
    const done: string[] = []
    try {
      for (const id of ids) {
        await this.#running.supervisor.roll([id])
        done.push(id)
      }
      return { done, failures }
    } catch (error) {
      const message = `a new process ${(error as Error).message}`
      const isGone = error instanceof EndedEarly && !error.oldStays
      return { done, failures: [{ message, instead: isGone ? 'it is started again' : 'the old one runs on' }] }
    }
  }

  async close(): Promise<readonly string[]> {
    const hung = await this.#running.close()
    await this.#brokers.close()
    await this.#control?.close()
    return hung.map(({ id, what }) => `${id} ${what}`)
  }

  async kill(): Promise<void> {
    await this.#running.kill()
    await this.#running.app.close()
  }

  get #name(): string {
    return this.#loaded.system.name ?? basename(this.#loaded.folder)
  }

  async #restartReason(files: readonly string[]): Promise<string | undefined> {
    for (const file of files) {
      const owners = await registerTypeScript().ownersOf(file)
      if (owners.includes(CONFIG_OWNER)) return `${relative(this.#assignment.cwd, file)} has changed`
      const isOfProcess = [...this.#files.values()].some((own) => own.includes(file))
      const reason = isOfProcess ? undefined : restartReason(file, this.#assignment, this.#loaded)
      if (reason !== undefined) return reason
    }
    return undefined
  }

  #events(): SupervisorEvents {
    const { say, print } = this.#lines
    return {
      line: (id, line) => print(id, line),
      ready: (id) => say(id, 'ready'),
      leaving: (id) => say(id, 'told to end: another process takes its place'),
      hung: (id, what) => say(id, `the process that was replaced ${what}`),
      stayed: (id, error) => say(id, `could not be replaced: the new process ${error.message}`),
      died: (id, end, waitMs) => {
        // Ctrl-C reaches all at a terminal, who is starting, too: the word to end is on its way.
        if (end.signal === 'SIGINT' && !end.wasReady) return
        say(id, `${describeEnd(end)}; starts again in ${waitMs / 1000} s`)
      },
      gaveUp: (id, end) => this.#fail(new Described(failureOf(id, end))),
      files: (id, files) => {
        this.#files.set(id, files)
        void this.watched().then(this.#known)
      },
    }
  }
}

function chosen({ split }: Assignment, { system }: Loaded): Deployment {
  if (typeof split === 'string') return asCalled(() => chooseDeployment(system, split))
  // That of `dev` is the one for a single process.
  const first = [...system.deployments.values()].find(({ name }) => name !== 'dev')
  return first ?? deploymentOfDev(system) ?? wholeSystem(system)
}

function linesOf({ color }: Assignment, deployment: Deployment): LogLines {
  return logLines([...processesOf(deployment).map(({ id }) => id), 'dev'], { stdout: process.stdout, color })
}

/** The port of the first door travels in the environment, which all processes share. */
function variablesFor({ port }: Assignment, plans: readonly ProcessPlan[], drainMs: number): Variables {
  const variables = { ...process.env, LUCILIUS_DRAIN_MS: String(drainMs) }
  if (port === undefined) return variables
  const [transport] = plans.flatMap(({ outside }) => outside.map((door) => door.transport))
  if (transport === undefined) return variables
  const ids = plans.filter(({ outside }) => outside.some((door) => door.transport === transport)).map(({ id }) => id)
  if (port !== 0 && ids.length > 1) {
    throw new CalledWrongly(`'--port' is one port, and ${ids.join(', ')} would all listen on it: describe their ports.`)
  }
  return { ...variables, [`LUCILIUS_${transport.toUpperCase()}_PORT`]: String(port) }
}

function failureOf(id: string, end: End): Failure {
  const { failure, lastLines } = end
  const frame = failure?.frame ?? (lastLines.length > 0 ? lastLines.join('\n') : undefined)
  return { message: `${id} ${describeEnd(end)}`, ...(frame === undefined ? {} : { frame }) }
}
