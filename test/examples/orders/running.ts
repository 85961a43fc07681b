import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type ControlClient, findControl } from '../../../lib/system/control/index.js'

const main = fileURLToPath(new URL('../../../lib/cli/main.js', import.meta.url))
/** The folder of the system, compiled. */
const folder = fileURLToPath(new URL('../../../examples/orders', import.meta.url))

/** Milliseconds until what was started can be asked. */
const FIND_MS = 30_000

/** Where a run of the system keeps what it keeps, and what it is told. */
export interface Place {
  readonly deployment: string
  /** For data and sockets. */
  readonly folder: string
  readonly variables: { readonly [name: string]: string }
  readonly show: (line: string) => void
}

/** `lucilius up` of the orders system, started again when it ends before it is told to, as systemd would do, if it was up. */
export class Running {
  readonly #place: Place
  readonly #pids = new Map<string, number>()
  #child: ChildProcess | undefined
  #isUp: Promise<void>
  #isEnding = false
  #control: Promise<ControlClient> | undefined
  readonly #atExit = () => this.dispose()

  constructor(place: Place) {
    this.#place = place
    process.once('exit', this.#atExit)
    this.#isUp = this.#start()
  }

  /** Processes that have been ready. */
  get ids(): readonly string[] {
    return [...this.#pids.keys()].sort()
  }

  /** Resolves when all of it is up. Rejects if it never is. */
  up(): Promise<void> {
    return this.#isUp
  }

  /** Acts through the control socket of whatever runs. */
  async act(message: string, timeoutMs: number): Promise<unknown> {
    return (await this.control()).act(message, { timeoutMs })
  }

  /** The control socket of what runs. */
  control(): Promise<ControlClient> {
    this.#control ??= this.#find()
    return this.#control
  }

  /** `kill -9` of the process that was last ready under this id. */
  kill(id: string): void {
    killPid(this.#pids.get(id))
  }

  /** `kill -9` of all of it at once, as a power cut would. Resolves when all of it is up again. */
  async killAll(): Promise<void> {
    const child = this.#child as ChildProcess // it was started
    const closed = once(child, 'close')
    killGroup(child)
    await closed
    await this.#isUp
  }

  /** Ends it in order. Rejects if it did not end so. */
  async end(): Promise<void> {
    this.#isEnding = true
    this.#hangUp()
    const child = this.#child
    if (child === undefined || child.exitCode !== null) return
    child.kill('SIGTERM')
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`lucilius up ended with ${code}.`)
  }

  /** Ends it, whatever became of it. */
  dispose(): void {
    process.off('exit', this.#atExit)
    this.#isEnding = true
    this.#hangUp()
    killGroup(this.#child)
  }

  async #find(): Promise<ControlClient> {
    for (const end = performance.now() + FIND_MS; performance.now() < end; await pause(20)) {
      const found = await findControl(folder, join(this.#place.folder, 'run'))
      if (found !== undefined) return found
    }
    throw new Error('Nothing runs.')
  }

  /** What is asked next finds what runs then. */
  #hangUp(): void {
    this.#control?.then(
      (control) => control.close(),
      () => {}, // there is nothing to close
    )
    this.#control = undefined
  }

  /** Resolves when all of it is up. */
  #start(): Promise<void> {
    const { NODE_ENV, NODE_OPTIONS, ...clean } = process.env
    const { deployment, variables, show } = this.#place
    const env = {
      ...clean,
      ORDERS_DATA: join(this.#place.folder, 'data'),
      LUCILIUS_RUN_DIR: join(this.#place.folder, 'run'),
      LUCILIUS_LOG_LEVEL: 'error',
      ...variables,
    }
    const child = spawn(process.execPath, [main, 'up', deployment, '--config', folder], {
      env,
      detached: true, // a group of its own, that can be killed as one
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    const complaints = text(child.stderr)
    let wasUp = false
    return new Promise((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        show(line)
        const [, id, pid] = /^(\S+) +\| ready, pid (\d+)/.exec(line) ?? []
        if (id !== undefined) this.#pids.set(id, Number(pid))
        if (!line.startsWith('up: ')) return
        wasUp = true
        resolve()
      })
      child.once('close', () => {
        this.#hangUp()
        const next = complaints.then((said) => {
          if (said !== '') show(said.trimEnd())
          if (this.#isEnding || !wasUp) throw new Error(`lucilius up ended. ${said}`)
          return this.#start()
        })
        next.catch(() => {}) // whoever waits for it hears of it
        this.#isUp = next
        resolve(next)
      })
    })
  }
}

/** The group is the child's own. */
function killGroup(child: ChildProcess | undefined): void {
  killPid(child?.pid === undefined ? undefined : -child.pid)
}

function killPid(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended by itself.
  }
}
