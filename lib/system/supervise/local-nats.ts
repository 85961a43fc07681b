import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { hasAddress } from '../broker-options.js'
import type { Environment } from '../environment.js'
import { invalid } from '../invalid.js'
import type { Variables } from '../secret.js'
import { storeKind } from '../store-of.js'
import type { Deployment } from '../system.js'
import { processesOf } from '../topology.js'
import { brokersOf } from '../transports-used.js'
import { type Owned, own } from './own.js'
import { Restarts } from './restarts.js'

/** Milliseconds in which it has to listen. */
const START_MS = 10_000
/** Milliseconds between two looks whether it does. */
const LOOK_MS = 5
/** Milliseconds in which it ends; it writes what it holds. */
const END_MS = 5_000
/** Its log, beside its data. */
const LOG = 'nats-server.log'

/** Whose NATS it is to be. */
export interface LocalNatsOptions {
  /** The folder of the description: data and log are in `.lucilius/nats` there. */
  readonly folder: string
  readonly deployment: string
  readonly variables: Variables
  /** Where it is looked for besides the PATH: by default where Debian puts it, and only root looks. */
  readonly beside?: readonly string[]
  /** Takes one line for a person. */
  readonly say: (line: string) => void
}

/** A `nats-server` that runs for a deployment on this machine. */
export interface LocalNats {
  readonly url: string
  /** Ends it. Its data stay. */
  close(): Promise<void>
}

/** Whether a deployment needs NATS, and nobody says where it is. */
export function needsLocalNats(deployment: Deployment, environment: Environment): boolean {
  if (hasAddress('nats', { deployment, environment })) return false
  return brokersOf(deployment).includes('nats') || storeKind(deployment, processesOf(deployment).length).kind === 'nats'
}

/**
 * Starts `nats-server` with JetStream, on a free port of loopback, and again when it dies, on the same port. Its data and
 * log stay in the folder.
 *
 * It ends with this process, however that ends, and not by signals of the terminal: whoever drains still needs it.
 *
 * Rejects with `LUC_OPTIONS_INVALID`: it is not installed, it does not start, or another one uses the same data.
 */
export async function startLocalNats(options: LocalNatsOptions): Promise<LocalNats> {
  const { folder, deployment, variables, beside = ['/usr/sbin', '/usr/local/sbin'], say } = options
  const program = programOf([...(variables.PATH ?? '').split(delimiter), ...beside])
  const shown = join('.lucilius', 'nats', deployment)
  const place = join(folder, shown)
  mkdirSync(place, { recursive: true })
  const owned = await own(place)
  const server = new Server({ program, place, owned, say })
  const close = async () => {
    await server.close()
    owned.release()
  }
  try {
    const url = `nats://127.0.0.1:${await server.start(-1)}`
    say(`nats-server runs at ${url} for as long as this does; its data and log are in ${shown}`)
    return { url, close }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * A shell that starts the server, in a session of its own, and ends it when its input ends: a pipe that this process holds.
 * The server's end is its end.
 */
const GUARD = `
exec 3<&0
"$@" </dev/null 3<&- & server=$!
(read -r over <&3; kill "$server") & reader=$!
wait "$server"; code=$?
kill "$reader"
exit "$code"
`

interface ServerParts {
  readonly program: string
  readonly place: string
  readonly owned: Owned
  readonly say: (line: string) => void
}

/** The server, from start to start. */
class Server {
  readonly #parts: ServerParts
  readonly #restarts = new Restarts()
  #guard: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()
  #isOver = false
  #timer: NodeJS.Timeout | undefined

  constructor(parts: ServerParts) {
    this.#parts = parts
  }

  /** Starts it on a port, or on any that is free (-1). Gives the port once it listens. */
  async start(port: number): Promise<number> {
    const told = mkdtempSync(join(tmpdir(), 'lucilius-nats-'))
    try {
      const guard = this.#spawn(port, told)
      const found = await this.#listening(guard, told)
      this.#restarts.ready()
      guard.once('exit', () => this.#again(found))
      return found
    } finally {
      rmSync(told, { recursive: true, force: true })
    }
  }

  async close(): Promise<void> {
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#guard?.stdin?.end()
    const late = setTimeout(() => this.#kill(), END_MS)
    await this.#ended
    clearTimeout(late)
  }

  #spawn(port: number, told: string): ChildProcess {
    const { program, place, owned } = this.#parts
    const log = join(place, LOG)
    const args = ['-js', '-a', '127.0.0.1', '-p', String(port), '-sd', place, '-l', log, '--ports_file_dir', told]
    const guard = spawn('/bin/sh', ['-c', GUARD, 'nats-guard', program, ...args], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    if (guard.pid !== undefined) owned.passTo(guard.pid)
    guard.stdin?.on('error', () => {}) // it has ended: that is told by its exit
    this.#ended = once(guard, 'exit').catch(() => {}) // it could not be started: nothing listens, see below
    this.#guard = guard
    return guard
  }

  async #listening(guard: ChildProcess, told: string): Promise<number> {
    const { program, place } = this.#parts
    const end = performance.now() + START_MS
    for (;;) {
      const port = portIn(told)
      if (port !== undefined) return port
      const isGone = guard.exitCode !== null || guard.signalCode !== null || guard.pid === undefined
      if (this.#isOver || isGone || performance.now() > end) break
      await pause(LOOK_MS)
    }
    this.#kill()
    throw invalid(`${program} does not start. Its log: ${join(place, LOG)}`)
  }

  /** It died. Who uses it comes back to the same port. */
  #again(port: number): void {
    if (this.#isOver) return
    const { say } = this.#parts
    const waitMs = this.#restarts.died()
    if (waitMs === undefined) {
      say('nats-server died too often, and is not started again')
      return
    }
    say(`nats-server has ended; starts again in ${waitMs / 1000} s`)
    this.#timer = setTimeout(() => {
      this.start(port).catch((error: Error) => {
        if (!this.#isOver) say(error.message)
        this.#again(port)
      })
    }, waitMs)
  }

  /** By the group of the guard, which is the server's, too. */
  #kill(): void {
    const pid = this.#guard?.pid
    if (pid === undefined || this.#guard?.exitCode !== null) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has just ended.
    }
  }
}

/** What the server tells of itself: `{"nats":["nats://127.0.0.1:4222"],…}`, in a file of its own. */
function portIn(folder: string): number | undefined {
  const [file] = readdirSync(folder)
  if (file === undefined) return undefined
  try {
    const { nats } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { readonly nats: readonly [string] }
    return Number(new URL(nats[0]).port)
  } catch {
    return undefined // it is still being written
  }
}

/** Where the program is. Throws `LUC_OPTIONS_INVALID`, which says how to get it, or do without. */
function programOf(folders: readonly string[]): string {
  for (const folder of folders.filter((one) => one !== '')) {
    const file = join(folder, 'nats-server')
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // not there
    }
  }
  throw invalid(
    'This deployment needs NATS, nobody says where it is, and there is no nats-server on the PATH to start one. ' +
      'Set LUCILIUS_NATS_URL, or install it: apt-get install nats-server (Debian), brew install nats-server (Homebrew), or from the download page of nats.io',
  )
}
