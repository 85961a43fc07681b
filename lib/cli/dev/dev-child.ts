import { type ChildProcess, fork } from 'node:child_process'
import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Failure, Outcome } from '../../system/dev/outcome.js'
import type { DevEvents } from './dev-run.js'
import {
  type Assignment,
  type DevAbout,
  type DevDoor,
  type DevOrder,
  type DevReport,
  opened,
  sealed,
} from './messages.js'

/** How a process ended. */
export interface DevEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly failure: Failure | undefined
  /** It was called wrongly: no change of a file mends that. */
  readonly usage: boolean
  /** What still ran when it was told to end. */
  readonly hung: readonly string[]
}

/** What came of a change, and the doors that are open by now. */
export interface Changed {
  readonly outcome: Outcome
  readonly doors: readonly DevDoor[]
}

/** Milliseconds in which a process says that it works on a change; one that does not is busy with something else. */
const HEARD_MS = 1000

const entry = fileURLToPath(new URL('./child.js', import.meta.url))

/** The process that runs a system. It gets ready at once, and starts the system when it is told to. */
export class DevChild {
  /** Resolves when the system runs; undefined if the process has ended before. */
  readonly ready: Promise<DevAbout | undefined>
  readonly ended: Promise<DevEnd>
  readonly #process: ChildProcess
  readonly #waiting = new Map<DevReport['type'], (report: DevReport | undefined) => void>()
  #failure: Failure | undefined
  #usage = false
  #hung: readonly string[] = []
  #socket: string | undefined

  constructor(program: 'whole' | 'split', heard: DevEvents) {
    const execArgv = process.execArgv.filter((arg) => !arg.startsWith('--inspect'))
    this.#process = fork(entry, [program], { execArgv, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
    this.#process.on('message', (value) => {
      const report = opened<DevReport>(value)
      if (report?.type === 'watched') heard.known(report.watched)
      else if (report?.type === 'sent') heard.sent(report.sending)
      else if (report !== undefined) this.#take(report)
    })
    this.ready = this.#next('ready').then((report) => (report?.type === 'ready' ? report.about : undefined))
    this.ended = this.#end()
  }

  /** Starts the system. */
  go(assignment: Assignment): void {
    this.#tell({ type: 'go', assignment })
  }

  /**
   * Tells it of a change, and gives what came of it. `busy`: it does not even hear of it. Undefined: it has ended.
   */
  async change(files: readonly string[]): Promise<Changed | 'busy' | undefined> {
    const heard = this.#next('heard')
    const changed = this.#next('changed')
    this.#tell({ type: 'changed', files })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'busy'>((resolve) => {
      timer = setTimeout(resolve, HEARD_MS, 'busy')
    })
    const first = await Promise.race([heard, late])
    clearTimeout(timer)
    if (first === 'busy') return first
    const report = await changed
    return report?.type === 'changed' ? report : undefined
  }

  /** Lets it finish what runs, and kills it if that takes longer. Resolves when it has ended. */
  async stop(limitMs: number): Promise<DevEnd> {
    this.#tell({ type: 'drain' })
    const timer = setTimeout(() => this.kill(), limitMs)
    const end = await this.ended
    clearTimeout(timer)
    return end
  }

  /** Ends it at once. */
  kill(): void {
    // By the handle, which knows whether the process is still there.
    this.#process.kill('SIGKILL')
  }

  #take(report: DevReport): void {
    if (report.type === 'failed') {
      this.#failure = report.failure
      this.#usage = report.usage === true
    }
    if (report.type === 'ready') this.#socket = report.about.socket
    if (report.type === 'drained') this.#hung = report.hung
    const give = this.#waiting.get(report.type)
    this.#waiting.delete(report.type)
    give?.(report)
  }

  #next(type: DevReport['type']): Promise<DevReport | undefined> {
    return new Promise((resolve) => this.#waiting.set(type, resolve))
  }

  #tell(order: DevOrder): void {
    if (this.#process.connected) this.#process.send(sealed(order), () => {}) // its end is told
  }

  #end(): Promise<DevEnd> {
    return new Promise((resolve) => {
      const over = (code: number | null, signal: NodeJS.Signals | null) => {
        if (this.#socket !== undefined) rmSync(this.#socket, { force: true }) // one who was killed left it
        for (const give of this.#waiting.values()) give(undefined)
        resolve({ code, signal, failure: this.#failure, usage: this.#usage, hung: this.#hung })
      }
      this.#process.once('exit', (code, signal) => {
        // What it told last may still be on its way.
        if (this.#process.connected) this.#process.once('disconnect', () => over(code, signal))
        else over(code, signal)
      })
      this.#process.once('error', (error) => {
        this.#failure ??= { message: `the process could not be started: ${error.message}` }
        if (this.#process.pid === undefined) over(null, null)
      })
    })
  }
}
