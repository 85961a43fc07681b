import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { type ControlClient, findControl } from '../../../lib/system/control/index.js'

const main = fileURLToPath(new URL('../../../lib/cli/main.js', import.meta.url))
/** The folder of the system, compiled. */
const folder = fileURLToPath(new URL('../../../examples/orders', import.meta.url))

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
  #isUp: Promise<void> = Promise.resolve()
  #isEnding = false
  #control: ControlClient | undefined
  #last = ''

  constructor(place: Place) {
    this.#place = place
    this.#start()
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
  async control(): Promise<ControlClient> {
    for (const end = performance.now() + 30_000; performance.now() < end; ) {
      this.#control ??= await findControl(folder, join(this.#place.folder, 'run'))
      if (this.#control !== undefined) return this.#control
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    throw new Error(`Nothing runs. ${this.#last}`)
  }

  /** `kill -9` of the process that was last ready under this id. */
  kill(id: string): void {
    process.kill(this.#pids.get(id) as number, 'SIGKILL') // it was ready once
  }

  /** `kill -9` of all of it at once, as a power cut would. */
  killAll(): void {
    killGroup(this.#child)
  }

  /** Ends it in order. Rejects if it did not end so. */
  async end(): Promise<void> {
    this.#isEnding = true
    this.#control?.close()
    const child = this.#child
    if (child === undefined || child.exitCode !== null) return
    child.kill('SIGTERM')
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`lucilius up ended with ${code}. ${this.#last}`)
  }

  /** Ends it, whatever became of it. */
  dispose(): void {
    this.#isEnding = true
    this.#control?.close()
    killGroup(this.#child)
  }

  #start(): void {
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
    this.#isUp = new Promise((resolve, reject) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        show(line)
        const [, id, pid] = /^(\S+) +\| ready, pid (\d+)/.exec(line) ?? []
        if (id !== undefined) this.#pids.set(id, Number(pid))
        if (!line.startsWith('up: ')) return
        wasUp = true
        resolve()
      })
      child.on('close', async () => {
        this.#last = await complaints
        if (this.#last !== '') show(this.#last.trimEnd())
        this.#control?.close()
        this.#control = undefined
        if (this.#isEnding || !wasUp) return reject(new Error(`lucilius up ended. ${this.#last}`))
        this.#start()
        this.#isUp.then(resolve, reject)
      })
    })
    this.#isUp.catch(() => {}) // whoever waits for it hears of it
  }
}

function killGroup(child: ChildProcess | undefined): void {
  if (child?.pid === undefined) return
  try {
    process.kill(-child.pid, 'SIGKILL')
  } catch {
    // All of it has ended.
  }
}
