import { basename } from 'node:path'
import { jsonLogger } from '../../logger.js'
import { type Control, openControl } from '../../system/control/open-control.js'
import type { Watched } from '../../system/dev/known-files.js'
import { type Failure, nothingDone, type Outcome } from '../../system/dev/outcome.js'
import { syntaxFailures } from '../../system/dev/syntax.js'
import { descriptionFolder } from '../../system/loading/description-folder.js'
import type { Loaded } from '../../system/loading/load-system.js'
import { controlledOf } from '../../system/supervise/controlled-of.js'
import { describeEnd, type End, EndedEarly } from '../../system/supervise/end.js'
import type { LocalBrokers } from '../../system/supervise/local-brokers.js'
import { type RunningDeployment, runDeployment } from '../../system/supervise/run-deployment.js'
import type { SupervisorEvents } from '../../system/supervise/supervision.js'
import { unplaced } from '../../system/supervise/unplaced.js'
import type { Deployment, Outside } from '../../system/system.js'
import { type ProcessPlan, processesOf } from '../../system/topology.js'
import type { LogLines } from '../print/log-lines.js'
import { tellingEvents } from '../print/supervision.js'
import { Described, type DevEvents, type DevRun } from './dev-run.js'
import { exampleMessage } from './example-message.js'
import type { Assignment, DevDoor } from './messages.js'
import { ProcessFiles } from './process-files.js'

/** Milliseconds for the hooks of services, beyond the drain; groups drain one after the other. */
const HOOKS_MS = 6000

/** What is to be run, and how. */
interface SplitOptions {
  readonly assignment: Assignment
  readonly loaded: Loaded
  readonly deployment: Deployment
  readonly lines: LogLines
  readonly drainMs: number
  readonly brokers: LocalBrokers
  readonly heard: DevEvents
}

/** A deployment that runs as processes of their own for development. */
export class Split implements DevRun {
  readonly failed: Promise<never>
  readonly endMs: number
  readonly #cwd: string
  readonly #loaded: Loaded
  readonly #deployment: Deployment
  readonly #plans: readonly ProcessPlan[]
  readonly #lines: LogLines
  readonly #brokers: LocalBrokers
  readonly #files: ProcessFiles
  readonly #running: RunningDeployment
  #control: Control | undefined
  #fail: (error: unknown) => void = () => {}

  constructor({ assignment, loaded, deployment, lines, drainMs, brokers, heard }: SplitOptions) {
    const { environment, variables } = brokers
    this.#cwd = assignment.cwd
    this.#loaded = loaded
    this.#files = new ProcessFiles(assignment, loaded)
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
      on: this.#events(assignment, heard),
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
    const place = { folder: descriptionFolder(this.#loaded), what: 'dev', runDir: this.#brokers.environment.runDir }
    try {
      this.#control = await openControl(place, {
        ...controlledOf(this.#running),
        about: () => ({ name: this.#name, deployment: this.#deployment.name, processes: processes() }),
      })
    } catch (error) {
      this.#lines.say('dev', (error as Error).message)
    }
  }

  watched(): Promise<Watched> {
    return this.#files.watched()
  }

  async change(files: readonly string[]): Promise<Outcome> {
    const restart = await this.#files.restartReason(files)
    const ids = this.#plans.map(({ id }) => id).filter((id) => this.#files.concern(id, files))
    if (restart === undefined && ids.length === 0) return nothingDone
    const failures = await syntaxFailures(files, this.#cwd)
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

  #events({ record }: Assignment, heard: DevEvents): SupervisorEvents {
    const lines = this.#lines
    const telling = tellingEvents(lines)
    return {
      ...telling,
      ready: (id) => lines.say(id, 'ready'), // the doors of all are shown together
      died: (id, end, waitMs) => {
        // Ctrl-C reaches all at a terminal, who is starting, too: the word to end is on its way.
        if (end.signal !== 'SIGINT' || end.wasReady) telling.died(id, end, waitMs)
      },
      gaveUp: (id, end) => this.#fail(new Described(failureOf(id, end))),
      files: (id, files) => {
        this.#files.set(id, files)
        void this.watched().then(heard.known)
      },
      ...(record === true ? { sent: (_, sending) => heard.sent(sending) } : {}),
    }
  }
}

function failureOf(id: string, end: End): Failure {
  const { failure, lastLines } = end
  const frame = failure?.frame ?? (lastLines.length > 0 ? lastLines.join('\n') : undefined)
  return { message: `${id} ${describeEnd(end)}`, ...(frame === undefined ? {} : { frame }) }
}
